"""`nvr-bridge partners` and `nvr-bridge referrals`: who may claim to bring a client, and what they claimed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..arguments import CSV_LIMIT
from ..errors import InvalidError
from .shared import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    ask,
    given,
    moment,
    print_table,
    printable,
    private,
    show,
)

partners = typer.Typer(help="Channel partners: the companies that may file referrals.", no_args_is_help=True)
app = typer.Typer(help="Referrals: partners' claims, made ahead, to bring a client.", no_args_is_help=True)


@partners.command("add")
def add_partner(
    partner: Annotated[str, typer.Argument(help="Its id: small letters, digits, - and _.")],
    name: Annotated[str, typer.Option(help="What to call it.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Register a partner."""
    added = ask(config, "partner/add", partner=partner, name=name)
    show(added, as_json, lambda: typer.echo(printable(f"{added['partner']}: {added['name']} may file referrals")))


@partners.command("list")
def list_partners(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Who is registered."""
    found = ask(config, "partner/list")
    columns = {"partner": "Id", "name": "Name", "added_at": "Since"}
    show(found, as_json, lambda: print_table(columns, found, "No partners; add one with `nvr-bridge partners add`."))


@partners.command("link")
def link_partner(
    partner: Annotated[str, typer.Argument(help="Its id.")],
    name: Annotated[str | None, typer.Option(help="Who will have the link, as lists show it.")] = None,
    days: Annotated[float, typer.Option(min=0.0001, max=3650, help="How long it holds.")] = 365,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Make a link with which a partner files referrals, sees what became of them, and appeals. It is shown this once."""
    made = ask(config, "partner/link", partner=partner, expires_in_days=days, **given(name=name))

    def lines() -> None:
        typer.echo(printable(made["url"]))
        typer.echo(f"until {made['expires_at']}; `nvr-bridge tokens revoke {made['token_id']}` ends it")

    show(made, as_json, lines)


@app.command()
def add(
    partner: Annotated[str, typer.Option(help="Who claims, by its id.")],
    broker: Annotated[str | None, typer.Option(help="The broker who will bring the client.")] = None,
    declared: Annotated[str | None, typer.Option(help="When it was claimed, ISO 8601, if earlier than now.")] = None,
    expected: Annotated[str | None, typer.Option(help="When the client is expected, ISO 8601.")] = None,
    contact_stdin: Annotated[bool, typer.Option("--contact-stdin", help="Read the contact from stdin.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """File a referral. The client's number, whole or as 138****0001, comes from --contact-stdin or from a prompt."""
    times = given(broker=broker, declared=moment(declared), expected=moment(expected))
    contact = private("Client's telephone number", contact_stdin)
    filed = ask(config, "referral/add", partner=partner, contact=contact, **times)
    show(filed, as_json, lambda: typer.echo(f"{filed['referral']}: valid until {filed['valid_until']}"))


@app.command("list")
def list_referrals(
    partner: Annotated[str | None, typer.Option(help="Of this partner only.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Only those that are valid now.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the latest.")] = 1000,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """What was claimed. Contacts are kept as keyed hashes only, so none is shown."""
    found = ask(config, "referral/list", live=live, limit=limit, **given(partner=partner))
    columns = {
        "referral": "Referral",
        "partner": "Partner",
        "broker": "Broker",
        "declared_at": "Declared",
        "valid_until": "Valid until",
        "withdrawn_at": "Withdrawn",
    }
    show(found, as_json, lambda: print_table(columns, found, "No referrals."))


@app.command()
def withdraw(
    referral: Annotated[str, typer.Argument(help="As `referrals list` shows it.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Take a referral back."""
    result = ask(config, "referral/withdraw", referral=referral)
    show(result, as_json, lambda: typer.echo(f"{referral}: withdrawn"))


@app.command("import")
def import_referrals(
    file: Annotated[Path, typer.Argument(help="CSV with the columns partner, contact, broker, declared, expected.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="File nothing; list every bad row.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """File the referrals of a spreadsheet: all of them, or none if a row is bad. Ends with code 1 if one is."""
    result = ask(config, "referral/import", csv=_read(file), dry_run=dry_run)
    bad = result["bad"]

    def lines() -> None:
        for row in bad:
            typer.echo(printable(f"line {row['line']}: {row['reason']}"))
        done = "would be filed" if dry_run else "filed"
        good = result["rows"] - len(bad) if dry_run else result["filed"]
        typer.echo(f"{good} of {result['rows']} {done}; {len(bad)} bad")

    show(result, as_json, lines)
    if bad:
        raise typer.Exit(1)


def _read(file: Path) -> str:
    """The file's text: UTF-8, or what a Chinese spreadsheet program saves."""
    try:
        content = file.read_bytes()
    except OSError as err:
        raise InvalidError(f"{file}: cannot be read ({err.strerror})") from err
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if len(text) > CSV_LIMIT:
            raise InvalidError(f"{file}: is longer than {CSV_LIMIT:,} characters; import it in parts")
        return text
    raise InvalidError(f"{file}: is neither UTF-8 nor GB 18030; save it as CSV in UTF-8")
