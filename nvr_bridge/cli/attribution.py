"""`nvr-bridge attribution …`: what the rules make of evidence, of a file's or of the running engine's."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InvalidError
from .models import Json
from .shared import DEFAULT_CONFIG, ConfigOption, ask, given, printable, show

if TYPE_CHECKING:
    from ..visits.replay import Replay
    from ..visits.scenario import Scenario

app = typer.Typer(help="What the rules make of evidence.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What the rules make of evidence. Nothing is stored."""


@app.command("replay")
def replay_command(
    file: Annotated[Path | None, typer.Argument(help="A scenario: settings and events, as YAML.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="Or the engine's own days, from this one.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="To this day, and with it.")] = None,
    settings: Annotated[
        Path | None, typer.Option(help="Settings as in a scenario: show what they would change on those days.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Judge every visit of a scenario file, from nothing but what the file says; or of days that the engine keeps."""
    days = (first, last, settings)
    if file is not None and any(days):
        raise InvalidError("replay: give a file, or --from and --to, not both")
    if file is not None:
        _replay_file(file, as_json)
    elif first is None or last is None:
        raise InvalidError("replay: give a file, or --from and --to such as 2026-03-02")
    else:
        other = given(settings=None if settings is None else _read(settings))
        found = ask(config, "attribution/replay", **{"from": first, "to": last}, **other)
        show(found, as_json, lambda: _show_days(found))


# --- helpers ------------------------------------------------------------------------------------------------------


def _replay_file(file: Path, as_json: bool) -> None:
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


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise InvalidError(f"--settings: {path} cannot be read: {err}") from err


def _show_days(found: dict[str, Any]) -> None:
    """A line for each visit and contract, and what other settings would make of it; then the days."""
    compared = "daily_would_be" in found
    for visit in found["visits"]:
        _show_compared(visit, visit["started_at"], visit["alias"] or "somebody", compared)
    for signing in found["signings"]:
        _show_compared(signing, signing["at"], f"signing of {signing['alias'] or 'somebody'}", compared)
    for day in found["daily"]:
        counts = f"{day['natural']} natural, {day['channel']} channel, {day['undetermined']} undetermined"
        typer.echo(f"{day['date']}  {counts}; {day['unregistered']} unregistered")
    skipped = found["evidence_erased"]
    said = f"; {skipped} not replayed: their evidence was erased" if skipped else ""
    changed = f", {len(found['visits'])} of them would change" if compared else ""
    typer.echo(f"{found['judged']} visits judged{changed}{said}")


def _show_compared(row: dict[str, Any], moment: str, who: str, compared: bool) -> None:
    line = f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}  {who}  {_verdict(row)}"
    typer.echo(printable(f"{line}  would be  {_verdict(row['would_be'])}" if compared else line))


def _verdict(row: dict[str, Any]) -> str:
    answer = f"{row['attribution']} {row['partner'] or ''}".strip()
    return f"{answer} ({row['rule']}){' risks: ' + ', '.join(row['risks']) if row['risks'] else ''}"


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
