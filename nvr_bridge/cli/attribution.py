"""`nvr-bridge attribution …`: what the rules make of evidence, without a running engine."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InvalidError
from .models import Json
from .shared import printable

if TYPE_CHECKING:
    from ..visits.replay import Replay
    from ..visits.scenario import Scenario

app = typer.Typer(help="What the rules make of evidence.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What the rules make of evidence. Nothing is stored."""


@app.command("replay")
def replay_command(
    file: Annotated[Path, typer.Argument(help="A scenario: settings and events, as YAML.")],
    as_json: Json = False,
) -> None:
    """Judge every visit of a scenario file, from nothing but what the file says."""
    from ..visits.explain import output  # noqa: PLC0415 - the command line starts quickly where nothing is judged
    from ..visits.replay import replay  # noqa: PLC0415
    from ..visits.scenario import load  # noqa: PLC0415

    scenario = load(file)
    found = replay(scenario.events, scenario.settings)
    _refuse_unplaced(scenario, found, file)
    if as_json:
        typer.echo(json.dumps(output(found, scenario.settings), ensure_ascii=False))
        return
    _show(found, scenario)


# --- helpers ------------------------------------------------------------------------------------------------------


def _refuse_unplaced(scenario: Scenario, found: Replay, file: Path) -> None:
    """A reviewer's word must not be lost in silence."""
    if found.unplaced:
        review = found.unplaced[0]
        line = scenario.lines[next(index for index, event in enumerate(scenario.events) if event is review)]
        raise InvalidError(
            f"{file.name}: line {line}: review.visit_at: {review.visitor} was on no visit then; give a time within one"
        )


def _show(found: Replay, scenario: Scenario) -> None:
    """Two lines for each visit and signing: the verdict, and why."""
    from ..visits.explain import signing_row, visit_row  # noqa: PLC0415

    for visit in found.visits:
        _show_row(f"{visit.name}", visit_row(visit, scenario.settings))
    for signed in found.signings:
        _show_row(f"signing {signed.signing.signing}", signing_row(signed, scenario.settings))
    for day in found.daily:
        counts = f"{day.natural} natural, {day.channel} channel, {day.undetermined} undetermined"
        typer.echo(f"{day.day}  {counts}; {day.unregistered} unregistered")


def _show_row(name: str, row: dict[str, Any]) -> None:
    explanation = row["explanation"]
    at = datetime.fromisoformat(row.get("start") or explanation["at"])
    answer = f"{row['attribution']} {row['partner'] or ''}".strip()
    risks = f"  risks: {', '.join(row['risks'])}" if row["risks"] else ""
    typer.echo(printable(f"{at:%Y-%m-%d %H:%M}  {name}  {answer}  ({row['rule']}){risks}"))
    typer.echo(printable(f"    {explanation['why']}"))
