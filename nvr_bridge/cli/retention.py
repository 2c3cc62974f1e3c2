"""`nvr-bridge retention`: how long each class of data is kept."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..errors import InvalidError
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, print_table, show

app = typer.Typer(help="How long each class of data is kept.", no_args_is_help=True)

_DEFAULT = "default"
DaysOption = Annotated[str | None, typer.Option(metavar="DAYS", help=f"Days, or {_DEFAULT!r} to take a change back.")]


@app.command("show")
def show_retention(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """How long each class is kept, by whose word, and how far that may be changed.

    What is a visitor's counts from their last visit, what is nobody's from when it was made.
    """
    _print(ask(config, "retention/get"), as_json)


@app.command("set")
def set_retention(
    templates: DaysOption = None,
    sightings: DaysOption = None,
    visits: DaysOption = None,
    referrals: DaysOption = None,
    events: DaysOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Keep classes for so many days from now on, within what the profile allows."""
    given = {
        "templates": templates,
        "sightings": sightings,
        "visits": visits,
        "referrals": referrals,
        "events": events,
    }
    wanted = {kind: _days(kind, text) for kind, text in given.items() if text is not None}
    if not wanted:
        raise InvalidError(f"--{', --'.join(given)}: give at least one")
    _print(ask(config, "retention/set", **wanted), as_json)


@app.command()
def purge(
    the_clock_is_right: Annotated[
        bool, typer.Option("--the-clock-is-right", help="It jumped by more than two weeks, and is right now.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Remove what is due now. It otherwise happens at start, and every hour, unless the clock jumped."""
    done = ask(config, "retention/purge", clock_is_right=the_clock_is_right)
    show(done, as_json, lambda: _print_removed("Removed", done))


@app.command()
def status(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """What the last purge removed, and what is due next."""
    found = ask(config, "retention/status")

    def lines() -> None:
        last = found["last"]
        if last:
            _print_removed(f"Removed {last['at']}", {**last, "due": found["due"]})
        typer.echo(f"Next purge: {found['next_purge']}")
        if not found["log_cut"]:
            typer.echo("The database's log still holds what was erased: another program reads the store; end that.")

    show(found, as_json, lines)


def _print_removed(heading: str, done: dict[str, Any]) -> None:
    counts = [f"{count} {kind}" for kind, count in done["removed"].items() if count]
    typer.echo(f"{heading}: {', '.join(counts) or 'nothing'}")
    for kind, due in done["due"].items():
        if due is not None:
            typer.echo(f"Next of {kind}: {due}")


def _days(kind: str, text: str) -> float | None:
    try:
        return None if text == _DEFAULT else float(text)
    except ValueError:
        raise InvalidError(f"--{kind}: {text!r} is not a number of days; write one, or {_DEFAULT}") from None


def _print(kept: dict[str, Any], as_json: bool) -> None:
    columns = {"class": "Class", "days": "Days", "source": "By", "least": "At least", "most": "At most"}
    numbers = ("days", "least", "most")
    rows = [{**row, **{key: f"{row[key]:g}" for key in numbers}} for row in kept["classes"]]
    show(kept, as_json, lambda: print_table(columns, rows, "Nothing is kept."))
