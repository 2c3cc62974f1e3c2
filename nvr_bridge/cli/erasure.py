"""`nvr-bridge erasure …`: receipts for erasures, and what they prove."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config import load_config
from ..errors import InvalidError
from .keys import PASSPHRASE_VARIABLE, stopped
from .receipts import receipt_file
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, print_table, printable, private, show

if TYPE_CHECKING:
    from ..consent.erasure_check import Outcome

app = typer.Typer(help="Receipts for erasures, and what they prove.", no_args_is_help=True)


@app.command("list")
def list_receipts(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Receipts that nobody has taken: of consents that ran out, and of erasures that a crash interrupted."""
    waiting = ask(config, "receipt/list")
    columns = {"number": "Entry", "erased_at": "Erased", "cause": "Cause"}
    show(waiting, as_json, lambda: print_table(columns, waiting, "No receipts wait."))


@app.command()
def take(
    number: Annotated[int, typer.Argument(help="The ledger's entry of the erasure, as `list` shows it.")],
    receipt: Annotated[Path, typer.Option("--receipt", help="A new file for the receipt.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Take one of them into a file. It is given once."""
    with receipt_file(receipt) as write:
        write(ask(config, "receipt/take", number=number))
    typer.echo(f"Receipt: {receipt}")


@app.command()
def reapply(
    receipt: Annotated[list[Path] | None, typer.Argument(help="Receipts for erasures of this site.")] = None,
    newer: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            help="A key backup, a data folder or a store (bridge.db) of this site that is newer; may be repeated.",
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Erase again whom an old backup of everything brought back. The engine must be stopped; its next start finishes it."""
    from ..consent.reapply import reapply as reapply_all  # noqa: PLC0415
    from ..evidence.receipt import read  # noqa: PLC0415

    if not receipt and not newer:
        raise InvalidError(
            "receipt, --from: give at least one; what is in the data folder alone does not say who was erased"
        )
    settings = load_config(config)
    with stopped(settings):
        again = reapply_all(settings.data_dir, [read(_json(path)) for path in receipt or ()], newer or ())
    lines = f"Destroyed the keys of {again} visitors who had come back; the next start erases the rest of them."
    show({"visitors": again}, as_json, lambda: typer.echo(lines if again else "None of them is here."))


@app.command()
def verify(
    receipt: Annotated[Path, typer.Argument(help="The receipt.")],
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="The data folder as it is now; without it, that of --config.")
    ] = None,
    copy: Annotated[
        Path | None, typer.Option("--copy", help="A copy of the data folder from before the erasure, such as a backup.")
    ] = None,
    copy_keys: Annotated[
        Path | None, typer.Option("--copy-keys", help="The keys of that time; without it, those in the copy.")
    ] = None,
    also: Annotated[
        list[Path] | None, typer.Option("--also", help="A folder or file to look through too, such as logs.")
    ] = None,
    contact: Annotated[
        bool, typer.Option("--contact", help="Ask for the visitor's number, to look for it too.")
    ] = False,
    contact_stdin: Annotated[bool, typer.Option("--contact-stdin", help="Read it from stdin instead.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Prove that nothing of the receipt's visitor can be read any more; exit code 1 if something is. Needs no engine.

    With a copy from before the erasure the visitor is first found there; then every file is searched for what that gave.
    """
    from ..consent import erasure_check  # noqa: PLC0415 - loads what only the engine needs
    from ..evidence.receipt import read  # noqa: PLC0415

    before = None
    if copy is not None:
        contacts = [private("Telephone number", contact_stdin)] if contact or contact_stdin else []
        before = erasure_check.Copy(copy, copy_keys or copy / "keys", contacts)
    elif copy_keys is not None or contact or contact_stdin:
        raise InvalidError("--copy: is missing; only a copy from before the erasure says what to look for")
    folder = load_config(config).data_dir if data_dir is None else data_dir
    outcome = erasure_check.verify(
        read(_json(receipt)), folder, before, also or (), os.environ.get(PASSPHRASE_VARIABLE)
    )
    show(_row(outcome), as_json, lambda: _print(outcome))
    if not outcome.proved:
        raise typer.Exit(1)


# --- helpers ------------------------------------------------------------------------------------------------------


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as err:
        raise InvalidError(f"{path}: cannot be read ({err.strerror})") from err
    except ValueError:
        raise InvalidError(f"{path}: is no receipt; give the file as the engine made it") from None


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        "proved": outcome.proved,
        "problems": outcome.problems,
        "in_copy": outcome.in_copy,
        "files": outcome.files,
        "attempts": outcome.attempts,
        "found": [{"where": each.where, "what": each.what} for each in outcome.found],
    }


def _print(outcome: Outcome) -> None:
    for problem in outcome.problems:
        typer.echo(f"Receipt: {problem}")
    for each in outcome.found:
        typer.echo(printable(f"FOUND {each.what}: {each.where}"))
    if outcome.in_copy is None:
        typer.echo("Neither the store nor the keys have the visitor. Remains were not looked for: that needs --copy.")
    else:
        had = ", ".join(f"{count} × {what}" for what, count in outcome.in_copy.items() if count)
        typer.echo(f"The copy had of the visitor, readable with its keys: {had}")
        typer.echo(f"Looked through {outcome.files} files; tried {outcome.attempts} times to decrypt with today's keys")
    typer.echo("Proved: erased" if outcome.proved else "NOT proved")
