"""What commands share: where the site's settings are, how the running engine is asked, and how answers are shown."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..client import Client
from ..config import load_config
from ..errors import AskError, InvalidError, UnauthorizedError, UnreachableError
from ..store.files import ADMIN_TOKEN

if TYPE_CHECKING:
    from ..config import Config

CONFIG_VARIABLE = "NVR_BRIDGE_CONFIG"
PASSWORD_VARIABLE = "NVR_BRIDGE_PASSWORD"  # noqa: S105 - a variable's name
DEFAULT_CONFIG = Path("bridge.yaml")
WIDE = 1000  # characters of a line that no terminal shows: nothing is broken where a file or a pipe takes it

ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", envvar=CONFIG_VARIABLE, help="The site's bridge.yaml.", show_default=True),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]


def ask(config_path: Path, command: str, **arguments: Any) -> Any:
    """One command to the engine that serves `config_path`'s site, as its administrator."""
    return with_engine(config_path, lambda client: client.call(command, **arguments))


def with_engine[T](config_path: Path, work: Callable[[Client], Awaitable[T]]) -> T:
    """Run `work` with a connection to the engine that serves `config_path`'s site."""
    config = load_config(config_path)
    return asyncio.run(_connected(config, config_path, work))


def given(**arguments: Any) -> dict[str, Any]:
    """Those arguments that were given."""
    return {key: value for key, value in arguments.items() if value is not None}


def password(username: str | None, from_stdin: bool) -> str | None:
    """The password that belongs to `username`: from stdin, the environment, or a prompt. None without a user name."""
    if username is None:
        if from_stdin:
            raise InvalidError("--password-stdin: a password needs a user name; give --username too")
        return None
    if from_stdin:
        return typer.get_text_stream("stdin").readline().rstrip("\r\n")
    return os.environ.get(PASSWORD_VARIABLE) or str(typer.prompt("Password", hide_input=True, err=True))


def private(prompt: str, from_stdin: bool) -> str:
    """What no process list and no shell history may show, such as a telephone number: from stdin, or a prompt."""
    if from_stdin:
        return typer.get_text_stream("stdin").readline().strip()
    return str(typer.prompt(prompt, err=True))


def moment(text: str | None) -> str | None:
    """A time as a person writes it, with this machine's offset where it has none, for the wire."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except ValueError:
        raise InvalidError(f"{text!r} is not a time; write ISO 8601, such as 2026-03-02T09:00") from None


def print_json(value: Any) -> None:
    """For a script."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def show(value: Any, as_json: bool, lines: Callable[[], None]) -> None:
    """JSON for a script, or what `lines` prints for a person."""
    if as_json:
        print_json(value)
    else:
        lines()


def printable(text: str) -> str:
    """`text` on one line and without control characters: devices name themselves, and a terminal obeys some names."""
    return "".join(character if character.isprintable() else " " for character in text)


def print_table(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]], empty: str) -> None:
    """A table of `rows`, with a heading for each key; `empty` says what it means that there are none.

    The first column is what other commands take, so it is always whole; the others go over several lines where they must.
    """
    from rich import box  # noqa: PLC0415 - a script that asks for JSON never waits for it
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    shown = list(rows)
    if not shown:
        typer.echo(empty)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for number, (key, heading) in enumerate(columns.items()):
        whole = 0 if number else max(len(_cell(row.get(key))) for row in shown)
        table.add_column(heading, overflow="fold", min_width=max(whole, len(heading)))
    for row in shown:
        table.add_row(*(Text(_cell(row.get(key))) for key in columns))
    console = Console()
    (console if console.is_terminal else Console(width=WIDE)).print(table)


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3f}"
        case list():
            return "\n".join(printable(str(item)) for item in value)
        case _:
            return printable(str(value))


async def _connected[T](config: Config, config_path: Path, work: Callable[[Client], Awaitable[T]]) -> T:
    path = config.data_dir / ADMIN_TOKEN
    start = f"start it with `nvr-bridge serve --config {config_path}`"
    try:
        token = await asyncio.to_thread(path.read_text)
    except FileNotFoundError:
        raise UnreachableError(f"no engine runs for {config_path}; {start}") from None
    except OSError as err:
        raise AskError(
            f"{path}: cannot be read ({err.strerror}); run this as the user that the engine runs as"
        ) from err
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104 - read, not listened on
    host = f"[{host}]" if ":" in host else host
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(Client.connect(f"{host}:{config.port}", token=token))
        except UnreachableError as err:
            raise UnreachableError(f"{host}:{config.port}: no engine answers; {start}") from err
        except UnauthorizedError as err:
            raise UnauthorizedError(
                f"{host}:{config.port}: another engine than that of {config_path} answers; check --config"
            ) from err
        return await work(client)
