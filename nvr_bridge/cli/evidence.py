"""`nvr-bridge evidence …`: sealed packs about a case, and checking one anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config import load_config
from ..errors import AskError, InvalidError
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, printable, show

if TYPE_CHECKING:
    from ..evidence.verify import Checked

app = typer.Typer(help="Sealed evidence about a case.", no_args_is_help=True)

PACK_LIMIT = 50_000_000  # bytes; a pack is some hundred thousand


@app.callback()
def _group() -> None:
    """Sealed evidence about a case."""


@app.command()
def export(
    case: Annotated[str, typer.Argument(metavar="CASE", help="As `cases list` shows it, such as K7QF-2M9D.")],
    out: Annotated[Path | None, typer.Option(help="The file to write; case-….html here if nothing is given.")] = None,
    with_reasons: Annotated[
        bool, typer.Option("--with-reasons", help="Put in what reviewers wrote. Read it first: it may hold names.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Write a sealed pack about a case: a page for people, the data, and the proofs. The export itself is recorded."""
    found = ask(config, "case/export", case=case, reasons=with_reasons)
    path = out or Path(found["name"])
    _write(path, found["content"].encode())
    told = {"case": found["case"], "file": str(path), "fingerprint": found["fingerprint"]}
    lines = f"Written: {path}\nSigned by: {found['fingerprint']}\nGive the fingerprint by another way than the file."
    show(told, as_json, lambda: typer.echo(lines))


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="An evidence pack, case-….html.")],
    key: Annotated[
        str | None,
        typer.Option(help="The fingerprint of the site's key, as the site gave it: nobody else's is accepted."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether a pack is as it was signed, and if not, what was altered; exit code 1 then. Needs nothing but the file."""
    checked = read_pack(file, None if key is None else _fingerprint(key))
    show(_row(checked), as_json, lambda: _print(checked, key is not None))
    if not checked.intact:
        raise typer.Exit(1)


@app.command("key")
def show_key(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """The fingerprint of the key that signs this site's ledger and packs: give it to whoever is to check them."""
    from ..consent.signing import public_key  # noqa: PLC0415 - loads what only the engine needs
    from ..evidence.checkpoint import fingerprint  # noqa: PLC0415
    from ..store.files import KEYS  # noqa: PLC0415

    key = public_key(load_config(config).data_dir / KEYS)
    found = {"fingerprint": fingerprint(key), "public_key": key.hex()}
    show(found, as_json, lambda: typer.echo(found["fingerprint"]))


def read_pack(file: Path, key: str | None = None) -> Checked:
    """Read and check a pack; `key` is the fingerprint that must have signed it. Raises `InvalidError`."""
    try:
        from ..evidence.verify import verify as check  # noqa: PLC0415 - loads what signatures are checked with
    except ImportError as err:
        raise AskError(f"{err.name} is not installed here; install nvr-bridge[verify] to check packs") from err
    return check(_read(file), key)


# --- helpers ------------------------------------------------------------------------------------------------------


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > PACK_LIMIT:
            raise InvalidError(f"{file}: is larger than any evidence pack; name the file that the site gave you")
        return file.read_bytes()
    except OSError as err:
        raise InvalidError(f"{file}: cannot be read ({err.strerror})") from err


def _write(path: Path, content: bytes) -> None:
    """Never over something: an earlier pack may be evidence itself."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise InvalidError(f"--out: {path} exists already; name another file") from None
    except OSError as err:
        raise InvalidError(f"--out: {path} cannot be written ({err.strerror})") from err


def _fingerprint(text: str) -> str:
    plain = "".join(character for character in text.lower() if character not in " :-")
    if len(plain) != 64 or not all(character in "0123456789abcdef" for character in plain):
        raise InvalidError("--key: must be the 64 hexadecimal characters that `nvr-bridge evidence key` shows")
    return plain


def _row(checked: Checked) -> dict[str, Any]:
    return {
        "intact": checked.intact,
        "key": checked.key,
        "about": checked.about,
        "facts": checked.facts,
        "proved": checked.proved,
        "faults": [
            {
                "section": fault.place.section,
                "line": fault.place.line,
                "line_in_file": fault.place.at,
                "problem": fault.problem,
            }
            for fault in checked.faults
        ],
    }


def _print(checked: Checked, key_given: bool) -> None:
    for fault in checked.faults:
        typer.echo(printable(str(fault)))
    about = checked.about
    if not checked.intact or about is None:
        typer.echo("NOT intact: do not rely on this pack; ask the site for it again")
        return
    typer.echo(printable(f"intact: case {about['case']} of {about['site']}, made {about['made']}"))
    typer.echo(f"{checked.proved} of {checked.facts} facts are proved by the site's ledger")
    if key_given:
        typer.echo(f"Signed by the key that you named: {checked.key}")
    else:
        typer.echo(f"Signed by: {checked.key}\nCompare this with the fingerprint that the site gave you, or use --key.")
