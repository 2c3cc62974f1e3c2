"""`nvr-bridge passes` and `nvr-bridge visits check-in`: visitors who are registered rather than recognised."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..errors import InvalidError
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, given, private, show

passes = typer.Typer(help="Passes of visitors who are not recognised by their face.", no_args_is_help=True)

ZoneOption = Annotated[str, typer.Option(help="Where, from bridge.yaml.")]
CodeStdinOption = Annotated[bool, typer.Option("--code-stdin", help="Read the pass's code from stdin.")]


def register(visits: typer.Typer) -> None:
    """Add `check-in` to the commands of visits."""
    visits.command("check-in")(check_in)


@passes.command()
def issue(
    alias: Annotated[str | None, typer.Option(help="One more pass for this visitor; without it, a new one.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Make a pass. Its code is shown this once."""
    made = ask(config, "pass/issue", **given(alias=alias))
    show(made, as_json, lambda: typer.echo(f"Pass: {made['code']}  (alias {made['alias']}; shown this once)"))


@passes.command()
def scan(
    zone: ZoneOption,
    code_stdin: CodeStdinOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """A visitor shows their pass. The code comes from --code-stdin or from a prompt, which a scanner can type into."""
    visit = ask(config, "pass/scan", zone=zone, code=private("Pass", code_stdin))
    show(visit, as_json, lambda: typer.echo(_said(visit)))


def check_in(
    zone: ZoneOption,
    contact_stdin: Annotated[
        bool, typer.Option("--contact-stdin", help="Read the telephone number from stdin, and the code after it.")
    ] = False,
    source: Annotated[str | None, typer.Option(help="How they heard of the site, such as friend.")] = None,
    alias: Annotated[str | None, typer.Option(help="Whose number it is.")] = None,
    with_pass: Annotated[bool, typer.Option("--pass", help="Whose it is, by their pass: asks for its code.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Register a visitor's telephone number, which is kept as a keyed hash. It comes from stdin or from a prompt."""
    if alias is not None and with_pass:
        raise InvalidError("--alias, --pass: give one of them")
    contact = private("Telephone number", contact_stdin)
    code = private("Pass", contact_stdin) if with_pass else None
    visit = ask(config, "visit/check_in", zone=zone, contact=contact, **given(source=source, alias=alias, code=code))
    show(visit, as_json, lambda: typer.echo(_said(visit)))


def _said(visit: dict[str, Any]) -> str:
    if "returning" not in visit:
        return f"Checked in: visit {visit['visit']}"
    kind = f"back after {visit['earlier']} earlier" if visit["returning"] else "first visit"
    return f"{visit['alias']}: {kind} (visit {visit['visit']})"
