"""`nvr-bridge erasure …`: receipts for erasures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .receipts import receipt_file
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, print_table, show

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
