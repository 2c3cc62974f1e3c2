"""`nvr-bridge visits` and `nvr-bridge sightings`: what happened."""

from __future__ import annotations

from typing import Annotated

import typer

from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, given, moment, print_table, show

visits = typer.Typer(help="Visits of those who agreed to be remembered.", no_args_is_help=True)
sightings = typer.Typer(help="What each face in view amounted to.", no_args_is_help=True)

SinceOption = Annotated[str | None, typer.Option(help="Not before this time, ISO 8601.")]
UntilOption = Annotated[str | None, typer.Option(help="Not after this time, ISO 8601.")]
ZoneOption = Annotated[str | None, typer.Option(help="In this zone only.")]
LimitOption = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest.")]


@visits.callback()
def _visits() -> None:
    """A group even while it has one command."""


@sightings.callback()
def _sightings() -> None:
    """A group even while it has one command."""


@visits.command("list")
def list_visits(
    config: ConfigOption = DEFAULT_CONFIG,
    since: SinceOption = None,
    until: UntilOption = None,
    zone: ZoneOption = None,
    limit: LimitOption = 1000,
    as_json: JsonOption = False,
) -> None:
    """Who came, for the first time or again."""
    found = ask(config, "visit/list", **given(since=moment(since), until=moment(until), zone=zone), limit=limit)
    columns = {
        "visit": "Visit",
        "alias": "Alias",
        "zone": "Zone",
        "started_at": "From",
        "ended_at": "To",
        "returning": "Returning",
        "attribution": "Attribution",
        "partner": "Partner",
        "risks": "Risks",
    }
    show(found, as_json, lambda: print_table(columns, found, "No visits."))


@sightings.command("list")
def list_sightings(
    config: ConfigOption = DEFAULT_CONFIG,
    since: SinceOption = None,
    zone: ZoneOption = None,
    limit: LimitOption = 1000,
    as_json: JsonOption = False,
) -> None:
    """Each face's coming and going, and why it was or was not recognised."""
    found = ask(config, "sighting/list", **given(since=moment(since), zone=zone), limit=limit)
    columns = {
        "camera": "Camera",
        "zone": "Zone",
        "started_at": "From",
        "ended_at": "To",
        "who": "Who",
        "reason": "Reason",
        "alias": "Alias",
        "score": "Score",
    }
    show(found, as_json, lambda: print_table(columns, found, "No sightings."))
