"""`nvr-bridge models install|list|verify`: the files that the engine recognises with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..config import MODELS_DIR
from ..errors import ModelPackError
from ..vision.install import Installed, check, install, installed
from ..vision.pack import Pack, load_pack

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="Install and check model packs.", no_args_is_help=True)

MODELS_ENV = "NVR_BRIDGE_MODELS"

Dir = Annotated[Path | None, typer.Option("--dir", help=f"Models folder (or ${MODELS_ENV}; else {MODELS_DIR}).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="Which pack.")]


@app.command("install")
def install_command(
    name: Name = "default",
    source: Annotated[
        list[Path] | None,
        typer.Option("--from", help="Fetch nothing: take the files from this archive or folder. May be repeated."),
    ] = None,
    folder: Dir = None,
) -> None:
    """Fetch a pack, check every file, convert it once, and put it in its place."""
    from rich.console import Console  # noqa: PLC0415 - a script that asks for JSON never waits for it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

    pack = load_pack(name)
    console = Console(stderr=True)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(f"pack {pack.name}", total=None)

        def step(done: int, steps: int, what: str) -> None:
            bar.update(task, completed=done, total=steps, description=what)

        where = install(models_dir(folder), pack, tuple(source or ()), step)
    console.print(f"Pack {pack.name} is installed in {where}: every sha256 is as expected.", soft_wrap=True)
    _say_licences(pack, console)


@app.command("list")
def list_command(folder: Dir = None, as_json: Json = False) -> None:
    """Show the packs there are, and whether they are installed."""
    packs = installed(models_dir(folder))
    if as_json:
        typer.echo(json.dumps([_row(item) for item in packs]))
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("Pack", "Installed", "Licence", "Trained on", "What it is")
    for item in packs:
        licences = sorted({package.licence for package in item.pack.packages})
        training = "; ".join(f"{package.name}: {package.training}" for package in item.pack.packages)
        state = "yes" if item.problem is None else item.problem
        table.add_row(item.pack.name, state, ", ".join(licences), training, item.pack.summary)
    Console().print(table)


@app.command("verify")
def verify_command(name: Name = "default", folder: Dir = None, as_json: Json = False) -> None:
    """Check every file of an installed pack; exit 1 if one is not what it was."""
    item = check(models_dir(folder), load_pack(name))
    if as_json:
        typer.echo(json.dumps(_row(item)))
        if item.problem is not None:
            raise typer.Exit(1)
    elif item.problem is not None:
        raise ModelPackError(item.problem)
    else:
        typer.echo(f"Pack {name} in {item.folder}: {len(item.pack.models)} files, every sha256 is as expected.")


def models_dir(given: Path | None) -> Path:
    """The models folder: as given, else from the environment, else the default."""
    return (given or Path(os.environ.get(MODELS_ENV) or MODELS_DIR)).expanduser()


# --- helpers ------------------------------------------------------------------------------------------------------


def _row(item: Installed) -> dict[str, object]:
    return {
        "pack": item.pack.name,
        "folder": str(item.folder),
        "whole": item.problem is None,
        "problem": item.problem,
        "licences": {package.name: package.licence for package in item.pack.packages},
        "training": {package.name: package.training for package in item.pack.packages},
    }


def _say_licences(pack: Pack, console: Console) -> None:
    for package in pack.packages:
        console.print(
            f"  {package.name} {package.version}: licence {package.licence}; training data: {package.training}.",
            soft_wrap=True,
        )
