"""`nvr-bridge consent`: remember a person who agrees, and forget one who withdraws."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Any

import typer

from ..arguments import PHOTO_LIMIT
from ..config import load_config
from ..errors import InvalidError
from .receipts import ReceiptOption, receipt_file
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, given, moment, print_table, show

ZonesOption = Annotated[
    list[str] | None, typer.Option(help="Recognise them in this zone; more than once for several. Without it, in all.")
]
NoticeOption = Annotated[str | None, typer.Option(help="The notice that was read; without it, the one in force.")]

app = typer.Typer(help="Consents, and their withdrawal.", no_args_is_help=True)


@app.command()
def grant(
    zone: Annotated[str, typer.Option(help="The consent point where the person agreed.")],
    purpose: Annotated[str, typer.Option(help="What the person agreed to.")],
    language: Annotated[str, typer.Option(help="The language in which the notice was read, such as en or zh-Hans.")],
    days: Annotated[float | None, typer.Option(help="For how many days.")] = None,
    expires: Annotated[str | None, typer.Option(help="Or until this time, ISO 8601.")] = None,
    photo: Annotated[
        Path | None, typer.Option(help="A JPEG or PNG of the person; without it, the one face at the zone now.")
    ] = None,
    guardian: Annotated[bool, typer.Option("--guardian", help="A guardian agreed, for a child under 14.")] = False,
    alias: Annotated[
        str | None, typer.Option(help="Who is remembered already and agrees again, by this alias and their face.")
    ] = None,
    recognise_in: ZonesOption = None,
    notice_hash: NoticeOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Remember a person who agrees. Prints the alias under which the hub will know them."""
    arguments: dict[str, Any] = given(
        expires_in_days=days,
        expires_at=moment(expires),
        photo=None if photo is None else _photo(photo),
        alias=alias,
        zones=recognise_in,
    )
    made = ask(
        config,
        "consent/grant",
        zone=zone,
        purpose=purpose,
        language=language,
        guardian=guardian,
        notice_hash=notice_hash or load_config(config).notice_hash,
        **arguments,
    )
    show(made, as_json, lambda: typer.echo(f"Alias: {made['alias']}  (until {made['expires_at']})"))


@app.command()
def renew(
    alias: Annotated[str, typer.Argument(help="The visitor's alias.")],
    zone: Annotated[str, typer.Option(help="The consent point where the person agreed again.")],
    purpose: Annotated[str, typer.Option(help="What the person agreed to.")],
    language: Annotated[str, typer.Option(help="The language in which the notice was read, such as en or zh-Hans.")],
    days: Annotated[float | None, typer.Option(help="For how many days.")] = None,
    expires: Annotated[str | None, typer.Option(help="Or until this time, ISO 8601.")] = None,
    guardian: Annotated[bool, typer.Option("--guardian", help="A guardian agreed, for a child.")] = False,
    recognise_in: ZonesOption = None,
    notice_hash: NoticeOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """A person who is remembered agrees again: for longer, or under a notice that changed. Nobody is looked at."""
    made = ask(
        config,
        "consent/renew",
        alias=alias,
        zone=zone,
        purpose=purpose,
        language=language,
        guardian=guardian,
        notice_hash=notice_hash or load_config(config).notice_hash,
        **given(expires_in_days=days, expires_at=moment(expires), zones=recognise_in),
    )
    show(made, as_json, lambda: typer.echo(f"Alias: {made['alias']}  (until {made['expires_at']})"))


@app.command()
def withdraw(
    alias: Annotated[str, typer.Argument(help="The visitor's alias.")],
    receipt: ReceiptOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Forget a person for good. The receipt proves it, and is given this once."""
    with receipt_file(receipt) as write:
        result = ask(config, "consent/withdraw", alias=alias)
        write(result["receipt"])
    show(result, as_json, lambda: typer.echo("Withdrawn: the template, its key and the consent are gone."))


@app.command("list")
def list_consents(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Consents in force."""
    consents = ask(config, "consent/list")
    columns = {
        "alias": "Alias",
        "zone": "Zone",
        "purpose": "Purpose",
        "language": "Language",
        "channel": "By",
        "granted_at": "Granted",
        "expires_at": "Expires",
        "to_renew": "To renew",
    }
    show(consents, as_json, lambda: print_table(columns, consents, "No consents."))


def _photo(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as err:
        raise InvalidError(f"--photo: {path} cannot be read ({err.strerror})") from err
    encoded = base64.b64encode(content).decode()
    if len(encoded) > PHOTO_LIMIT:
        raise InvalidError(f"--photo: {path} is {len(content)} bytes; at most {PHOTO_LIMIT * 3 // 4} are taken")
    return encoded
