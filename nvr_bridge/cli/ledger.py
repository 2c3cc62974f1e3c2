"""`nvr-bridge ledger verify`: whether the record of every processing act is as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import InvalidError
from .evidence import read_pack
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, printable, show

app = typer.Typer(help="The record of every processing act.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """A group even while it has one command."""


@app.command()
def verify(
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="A data folder, such as a backup: reads it without an engine.")
    ] = None,
    pack: Annotated[
        list[Path] | None,
        typer.Option(
            help="An evidence pack of this engine: the ledger must still be what it was then. May be repeated."
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Walk the whole ledger and its signed checkpoints; exit code 1 if anything was changed, moved, removed or cut off."""
    kept = [_checkpoint(file) for file in pack or []]
    if data_dir is None:
        found = ask(config, "ledger/verify", checkpoints=kept)
    else:
        from ..consent.folder import verify_folder  # noqa: PLC0415 - loads what only the engine needs
        from ..evidence.checkpoint import Checkpoint, fingerprint  # noqa: PLC0415
        from ..office.notary import verified  # noqa: PLC0415

        verdict, key = verify_folder(data_dir, [Checkpoint.of(told) for told in kept])
        found = verified(verdict, fingerprint(key))
    show(found, as_json, lambda: _print(found))
    if not found["intact"]:
        raise typer.Exit(1)


def _checkpoint(file: Path) -> dict[str, Any]:
    """The checkpoint that a pack holds."""
    checked = read_pack(file)
    if not checked.intact or checked.about is None:
        raise InvalidError(f"--pack: {file} is not as it was signed; `nvr-bridge evidence verify {file}` says where")
    found: dict[str, Any] = checked.about["checkpoint"]
    return found


def _print(found: dict[str, Any]) -> None:
    for fault in found["faults"]:
        typer.echo(printable(f"{fault['what']} {fault['number']}: {fault['problem']}"))
    state = "intact" if found["intact"] else "NOT intact"
    typer.echo(
        f"Ledger {state}: {found['entries']} entries as they were written, {found['checkpoints']} checkpoints hold;"
        f" signed up to entry {found['sealed']}"
    )
    typer.echo(f"Key: {found['fingerprint']}")
