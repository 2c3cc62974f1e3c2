"""`nvr-bridge signings`, `staff` and `identities`: who signed, who belongs to the staff, and who is who."""

from __future__ import annotations

from typing import Annotated

import typer

from .lists import LimitOption, SinceOption, UntilOption
from .lists import ZoneOption as OneZoneOption
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, given, moment, print_table, printable, private, show

app = typer.Typer(help="Signed contracts, and what the rules make of them.", no_args_is_help=True)
staff = typer.Typer(help="Visitors who belong to the staff: nobody's clients.", no_args_is_help=True)
identities = typer.Typer(help="Corrections of who is who.", no_args_is_help=True)

AliasArgument = Annotated[str, typer.Argument(help="The visitor.")]
AliasesArgument = Annotated[list[str], typer.Argument(help="Two visitors or more.")]


@app.command()
def add(
    zone: Annotated[str, typer.Option(help="Where, from bridge.yaml.")],
    alias: Annotated[str | None, typer.Option(help="Who signed.")] = None,
    with_pass: Annotated[bool, typer.Option("--pass", help="Who signed, by their pass: asks for its code.")] = False,
    document: Annotated[bool, typer.Option("--document", help="Ask for the number of their document.")] = False,
    contact: Annotated[bool, typer.Option("--contact", help="Ask for their telephone number.")] = False,
    co_signer: Annotated[list[str] | None, typer.Option(help="Who signed too, by alias; may be repeated.")] = None,
    from_stdin: Annotated[
        bool, typer.Option("--stdin", help="Read document, telephone number and pass from stdin, a line each.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Somebody signed a contract, and so is here. Numbers are kept as keyed hashes; they come from stdin or from prompts."""
    told = given(
        document=private("Document", from_stdin) if document else None,
        contact=private("Telephone number", from_stdin) if contact else None,
        code=private("Pass", from_stdin) if with_pass else None,
        alias=alias,
    )
    signed = ask(config, "signing/add", zone=zone, co_signers=co_signer or [], **told)
    show(signed, as_json, lambda: typer.echo(f"Signed: {signed['signing']} (visit {signed['visit']})"))


@app.command("list")
def list_signings(
    config: ConfigOption = DEFAULT_CONFIG,
    since: SinceOption = None,
    until: UntilOption = None,
    zone: OneZoneOption = None,
    limit: LimitOption = 1000,
    as_json: JsonOption = False,
) -> None:
    """Signed contracts with their verdicts. Nobody's number is shown."""
    found = ask(config, "signing/list", **given(since=moment(since), until=moment(until), zone=zone), limit=limit)
    columns = {
        "signing": "Signing",
        "alias": "Alias",
        "zone": "Zone",
        "at": "At",
        "attribution": "Attribution",
        "partner": "Partner",
        "risks": "Risks",
    }
    show(found, as_json, lambda: print_table(columns, found, "No signings."))


@staff.command()
def mark(
    alias: AliasArgument,
    since: Annotated[
        str | None, typer.Option("--from", help="From the day of this time, ISO 8601; else today.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Until this time, ISO 8601; else until it is ended.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """A visitor belongs to the staff."""
    times = {"from": moment(since), "until": moment(until)}
    marked = ask(config, "staff/mark", alias=alias, **given(**times))
    show(marked, as_json, lambda: typer.echo(printable(f"{marked['alias']}: staff from {marked['from']}")))


@staff.command("list")
def list_staff(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Who belongs to the staff, or did."""
    found = ask(config, "staff/list")
    columns = {"alias": "Alias", "from": "From", "until": "Until", "current": "Now"}
    show(found, as_json, lambda: print_table(columns, found, "No staff; mark them with `nvr-bridge staff mark`."))


@staff.command()
def end(
    alias: AliasArgument,
    until: Annotated[
        str | None, typer.Option(help="Since when, ISO 8601, else now. The start of their first day undoes the mark.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """A visitor belongs to the staff no longer."""
    ended = ask(config, "staff/end", alias=alias, **given(until=moment(until)))
    show(ended, as_json, lambda: typer.echo(printable(f"{ended['alias']}: staff until {ended['until']}")))


@identities.command()
def split(aliases: AliasesArgument, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """These visitors are different people, whatever number they share."""
    said = ask(config, "identity/split", aliases=aliases)
    show(said, as_json, lambda: typer.echo(f"{len(aliases)} visitors are different people"))


@identities.command()
def merge(aliases: AliasesArgument, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """These visitors are one person."""
    said = ask(config, "identity/merge", aliases=aliases)
    show(said, as_json, lambda: typer.echo(f"{len(aliases)} visitors are one person"))
