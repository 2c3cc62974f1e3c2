"""`nvr-bridge pair` and `nvr-bridge tokens`: who may connect."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, given, print_table, show

RoleName = Literal["hub", "reviewer", "kiosk", "viewer"]

_tokens = typer.Typer(help="Tokens of paired clients.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(pair)
    app.add_typer(_tokens, name="tokens")


def pair(
    config: ConfigOption = DEFAULT_CONFIG,
    role: Annotated[RoleName, typer.Option(help="What the client will be allowed to do.")] = "hub",
    name: Annotated[str | None, typer.Option(help="What to call the client in lists.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a code that pairs one client, such as the hub. It is good for 10 minutes."""
    made = ask(config, "pair/create", role=role, **given(name=name))

    def lines() -> None:
        code = made["code"]
        typer.echo(f"Pairing code: {code[:4]} {code[4:]}  (role {made['role']}, once, until {made['expires_at']})")
        if "fingerprint" in made:
            typer.echo(f"Certificate (SHA-256), to compare with what the browser shows:\n{made['fingerprint']}")

    show(made, as_json, lines)


@_tokens.command("list")
def list_tokens(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Who is paired."""
    tokens = ask(config, "token/list")
    columns = {"token_id": "Id", "name": "Name", "role": "Role", "partner": "Partner", "created_at": "Paired"}
    show(tokens, as_json, lambda: print_table(columns, tokens, "Nobody is paired; run `nvr-bridge pair`."))


@_tokens.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="As `tokens list` shows it.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Lock a client out, at once."""
    result = ask(config, "token/revoke", token_id=token_id)
    show(result, as_json, lambda: typer.echo(f"{token_id}: revoked, and disconnected"))
