"""`nvr-bridge cases` and `nvr-bridge report`: the evening list, what people say to it, and counts."""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from typing import Annotated, Any

import typer

from ..arguments import REPORTS
from ..errors import InvalidError
from ..models import ATTRIBUTIONS, CaseState
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, given, print_table, printable, show

app = typer.Typer(help="Cases: what visits came to, and what people say to it.", no_args_is_help=True)
CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="As `cases list` shows it, such as K7QF-2M9D.")]
ReasonOption = Annotated[str, typer.Option(help="Why: kept with the case, sealed.")]
FromOption = Annotated[str | None, typer.Option("--from", help="From this day on, such as 2026-03-02.")]
ToOption = Annotated[str | None, typer.Option("--to", help="To this day, and with it.")]


@app.command("list")
def list_cases(
    day: Annotated[str | None, typer.Option(help="Of this day; today if nothing is given.")] = None,
    first: FromOption = None,
    last: ToOption = None,
    state: Annotated[str | None, typer.Option(help=f"Only those: {', '.join(CaseState)}.")] = None,
    needs_review: Annotated[
        bool, typer.Option("--needs-review", help="Only those that somebody must look at.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest.")] = 1000,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """The evening list: today's cases, and those of earlier days that wait for somebody."""
    wanted = given(**{"from": first, "to": last}, day=day, state=state, needs_review=needs_review or None)
    found = ask(config, "case/list", limit=limit, **wanted)
    columns = {
        "case": "Case",
        "alias": "Alias",
        "zone": "Zone",
        "started_at": "From",
        "attribution": "Attribution",
        "partner": "Partner",
        "rule": "Rule",
        "risks": "Risks",
        "state": "State",
        "needs_review": "Review",
    }
    rows = [{**row, "started_at": _clock(row["started_at"])} for row in found]
    show(found, as_json, lambda: print_table(columns, rows, "No cases."))


@app.command("show")
def show_case(case: CaseArgument, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """One case: its verdict, why, and everything that happened to it. That you read it is written down."""
    found = ask(config, "case/get", case=case)
    show(found, as_json, lambda: _print_case(found))


@app.command()
def confirm(
    case: CaseArgument,
    seen: Annotated[
        str | None, typer.Option(help="The version that you saw, as --json shows it; without it you are asked.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """The verdict is right."""
    if seen is None:
        found = ask(config, "case/get", case=case)
        seen = found["version"]
        if seen is None:
            raise InvalidError("case: nothing is left to judge it by; only its history can be read")
        typer.echo(_verdict(found), err=True)
        typer.confirm("Confirm this verdict?", abort=True, err=True)
    _done(ask(config, "case/confirm", case=case, seen=seen), as_json)


@app.command()
def change(
    case: CaseArgument,
    attribution: Annotated[str, typer.Argument(help=f"One of {', '.join(ATTRIBUTIONS)}.")],
    reason: ReasonOption,
    partner: Annotated[str | None, typer.Option(help="With channel: whose visit it is.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """The verdict is another one. If it moves money, a second person may have to agree."""
    arguments = given(partner=partner)
    _done(ask(config, "case/change", case=case, attribution=attribution, reason=reason, **arguments), as_json)


@app.command()
def second(
    case: CaseArgument,
    agree: Annotated[bool, typer.Option("--agree/--refuse", help="Whether the change that waits is right.")],
    reason: Annotated[str | None, typer.Option(help="Why: kept with the case, sealed.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Agree to a change that somebody else made, or refuse it."""
    _done(ask(config, "case/second", case=case, agree=agree, **given(reason=reason)), as_json)


@app.command("send-back")
def send_back(
    case: CaseArgument, reason: ReasonOption, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False
) -> None:
    """Somebody has to find out more first."""
    _done(ask(config, "case/send_back", case=case, reason=reason), as_json)


def register(top: typer.Typer) -> None:
    """Add `report`."""
    top.command("report")(report_visits)


def report_visits(
    first: Annotated[str, typer.Option("--from", help="From this day on, such as 2026-03-02.")],
    last: Annotated[str, typer.Option("--to", help="To this day, and with it.")],
    by: Annotated[str, typer.Option(help=f"A row for each: {', '.join(REPORTS)}.")] = "day",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV for a spreadsheet.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """How many visits came to what, in the site's own days and hours. No commission is computed."""
    if as_csv and as_json:
        raise InvalidError("report: give --csv or --json, not both")
    found = ask(config, "report/visits", **{"from": first, "to": last}, by=by)
    columns = [by, "visits", *ATTRIBUTIONS, "unregistered", "returning", "reviewed"]
    if as_csv:
        writer = csv.DictWriter(sys.stdout, columns)
        writer.writeheader()
        writer.writerows(found)
        return
    headings = {column: column.capitalize() for column in columns}
    show(found, as_json, lambda: print_table(headings, found, "No visits."))


# --- helpers ------------------------------------------------------------------------------------------------------


def _clock(at: str) -> str:
    """A time as this machine's clock shows it."""
    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M}"


def _verdict(row: dict[str, Any]) -> str:
    answer = " ".join(filter(None, (row["attribution"] or "nothing is left to judge it by", row["partner"])))
    rule = f" ({row['rule']})" if row["rule"] else ""
    risks = f"  risks: {', '.join(row['risks'])}" if row["risks"] else ""
    return printable(f"{row['case']}  {row['alias'] or 'somebody'}  {_clock(row['started_at'])}  {answer}{rule}{risks}")


def _done(row: dict[str, Any], as_json: bool) -> None:
    show(row, as_json, lambda: typer.echo(f"{_verdict(row)}  {row['state']}"))


def _print_case(found: dict[str, Any]) -> None:
    typer.echo(f"{_verdict(found)}  {found['state']}")
    explanation = found["explanation"]
    if explanation is not None:
        typer.echo(printable(f"    {explanation['why']}"))
    waiting = found["waiting"]
    if waiting is not None:
        answer = " ".join(filter(None, (waiting["attribution"], waiting["partner"])))
        typer.echo(printable(f"    a change to {answer} waits for a second person"))
    for review in found["history"]:
        answer = " ".join(filter(None, (review["attribution"], review["partner"])))
        reason = f": {review['reason']}" if review["reason"] else ""
        who = review["by"] or "the engine"
        line = f"    {_clock(review['at'])}  {review['act']} {answer}".rstrip() + f"  by {who}{reason}"
        typer.echo(printable(line))
