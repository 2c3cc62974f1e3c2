"""`nvr-bridge subject show`: everything that is kept about one visitor, for when they ask at the desk."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import InvalidError
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, print_table, printable, show

app = typer.Typer(help="What is kept about one visitor.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """A group even while it has one command."""


@app.command("show")
def show_subject(
    alias: Annotated[str, typer.Argument(help="The visitor.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="A new file for it, as JSON, that only you can read.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Everything that is kept about a visitor, as their own page shows it. That it was read goes into the ledger."""
    if out is not None and out.exists():
        raise InvalidError(f"--out: {out} is there already; name a new file")
    found = ask(config, "subject/get", alias=alias)
    if out is not None:
        _write(out, found)
        typer.echo(f"Written: {out}", err=as_json)
    if out is None or as_json:
        show(found, as_json, lambda: _print(found))


def _write(path: Path, found: dict[str, Any]) -> None:
    try:
        with open(path, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump(found, file, ensure_ascii=False, indent=2)
            file.write("\n")
    except OSError as err:
        raise InvalidError(f"--out: {path} cannot be written ({err.strerror}); name another file") from err


def _print(found: dict[str, Any]) -> None:
    typer.echo(printable(f"{found['alias']} at {found['site']}, as of {found['read_at']}"))
    for section, rows in found.items():
        if isinstance(rows, list):
            typer.echo(f"\n{_heading(section)}: {len(rows)}")
            columns = {key: _heading(key) for row in rows for key in row}
            if columns:
                print_table(columns, rows, "")


def _heading(key: str) -> str:
    return key.removesuffix("_at").removesuffix("_id").replace("_", " ").capitalize()
