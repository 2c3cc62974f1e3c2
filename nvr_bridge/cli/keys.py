"""`nvr-bridge keys`: the keys of a site, their rotation and their backup. What changes them needs the engine stopped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..config import load_config
from ..errors import InvalidError
from ..store.files import KEYS, DirectoryLock
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, show

if TYPE_CHECKING:
    from ..config import Config

PASSPHRASE_VARIABLE = "NVR_BRIDGE_PASSPHRASE"  # noqa: S105 - a variable's name
NEW_PASSPHRASE_VARIABLE = "NVR_BRIDGE_NEW_PASSPHRASE"  # noqa: S105 - a variable's name

app = typer.Typer(help="The site's keys: what opens them, their rotation, their backup.", no_args_is_help=True)

PassphraseOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help=f"A file with the passphrase; else {PASSPHRASE_VARIABLE}, else a prompt."),
]
NewPassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--new-passphrase-file", help=f"A file with the new one; else {NEW_PASSPHRASE_VARIABLE}, else a prompt."
    ),
]


def site_passphrase(config: Config, file: Path | None) -> str | None:
    """The passphrase that opens the site, if one does: from a file, the environment, or a prompt in a terminal.

    It is taken out of the environment, where what this process starts would find it.
    """
    from ..consent.master import Kind, kind  # noqa: PLC0415 - only here are keys read

    given = _read(file) if file is not None else os.environ.pop(PASSPHRASE_VARIABLE, None)
    if given is None and kind(config.data_dir / KEYS) is Kind.PASSPHRASE and typer.get_text_stream("stdin").isatty():
        given = str(typer.prompt("Passphrase", hide_input=True, err=True))
    return given


@contextmanager
def stopped(config: Config) -> Iterator[None]:
    """While no engine uses the data folder."""
    if not config.data_dir.is_dir():
        raise InvalidError(
            f"data_dir: {config.data_dir} does not exist; start the engine once, or restore the data first"
        )
    lock = DirectoryLock(config.data_dir)
    try:
        yield
    finally:
        lock.release()


@app.command("show")
def show_keys(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """What opens the site's keys. Reads no key."""
    from ..consent.master import kind  # noqa: PLC0415

    settings = load_config(config)
    found = kind(settings.data_dir / KEYS)
    backup = settings.key_backup
    state = {"by": found and found.value, "backup": None if backup is None else str(backup)}

    def lines() -> None:
        typer.echo(_OPENED[found.value] if found else "No keys yet; the engine makes them when it first starts.")
        typer.echo(f"Backup: {state['backup'] or 'none is kept; name a place with key_backup in bridge.yaml'}")

    show(state, as_json, lines)


@app.command()
def rotate(
    to: Annotated[
        Literal["file", "passphrase"] | None, typer.Option(help="What is to open the keys; without it, what does now.")
    ] = None,
    passphrase_file: PassphraseOption = None,
    new_passphrase_file: NewPassphraseOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Make a new key file or take a new passphrase: the old one opens nothing any more. The engine must be stopped.

    The data itself is not sealed anew: what the master opens is wrapped by it, and wrapped again by the new one.
    """
    from ..consent.master import Kind, kind  # noqa: PLC0415
    from ..consent.master import rotate as rotate_master  # noqa: PLC0415

    settings = load_config(config)
    with stopped(settings):
        keys_dir = settings.data_dir / KEYS
        wanted = Kind(to) if to is not None else kind(keys_dir)
        locked = kind(keys_dir) is Kind.PASSPHRASE
        current = site_passphrase(settings, passphrase_file) if locked else None
        new = _new_passphrase(new_passphrase_file) if wanted is Kind.PASSPHRASE else None
        done = rotate_master(keys_dir, current, new)
    means = "the new passphrase" if done.by is Kind.PASSPHRASE else f"a new {keys_dir / 'site.key'}"
    lines = f"Rotated: {means} opens the keys. Make the key backup anew, and destroy the old one."
    show({"by": done.by.value}, as_json, lambda: typer.echo(lines))


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="The file to replace; away from the data folder and its backups.")],
    locked: Annotated[
        bool, typer.Option("--locked", help="Lock the backup with a passphrase, where a key file opens the site.")
    ] = False,
    new_passphrase_file: NewPassphraseOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Back the keys up, in place of the backup before: one generation, or a destroyed key would live on in the others."""
    from ..consent.key_backup import back_up  # noqa: PLC0415

    settings = load_config(config)
    back_up(settings.data_dir / KEYS, target, lock_with=_new_passphrase(new_passphrase_file) if locked else None)
    show({"backup": str(target)}, as_json, lambda: typer.echo(f"Backed up: {target}. Keep no other generation of it."))


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A file that `keys backup` made.")],
    passphrase_file: PassphraseOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Put back keys that are missing or damaged; what is whole stays as it is. The engine must be stopped."""
    from ..consent.key_backup import read_bundle  # noqa: PLC0415
    from ..consent.key_backup import restore as restore_keys  # noqa: PLC0415
    from ..consent.master import Kind  # noqa: PLC0415

    settings = load_config(config)
    with stopped(settings):
        bundle = read_bundle(source)
        given = _read(passphrase_file) if passphrase_file is not None else os.environ.get(PASSPHRASE_VARIABLE)
        if given is None and bundle.by is Kind.PASSPHRASE and typer.get_text_stream("stdin").isatty():
            given = str(typer.prompt("Passphrase", hide_input=True, err=True))
        done = restore_keys(settings.data_dir / KEYS, bundle, given)

    def lines() -> None:
        typer.echo(f"Restored {', '.join(done.files)} from {done.made_at}.")
        typer.echo("Visitors who agreed after that cannot be read any more; the next start erases them.")

    show({"restored": list(done.files), "made_at": done.made_at}, as_json, lines)


_OPENED = {"file": "A key file opens the keys.", "passphrase": "A passphrase opens the keys."}


def _new_passphrase(file: Path | None) -> str:
    if file is not None:
        return _read(file)
    if (given := os.environ.pop(NEW_PASSPHRASE_VARIABLE, None)) is not None:
        return given
    return str(typer.prompt("New passphrase", hide_input=True, confirmation_prompt=True, err=True))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as err:
        raise InvalidError(f"{file}: the passphrase cannot be read ({err})") from err
