"""Commands that work without an engine, and how all of them fail."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from command import Shell
from small_engine import Site

from nvr_bridge import __version__
from nvr_bridge.cli.shared import printable
from nvr_bridge.config import load_config
from nvr_bridge.consent.vault import Vault
from nvr_bridge.store.database import Database

ENGINE_ONLY = (
    *("aiosqlite", "alembic", "av", "cryptography", "cv2", "numpy", "onnx", "onnxruntime", "onvif"),
    *("prometheus_client", "sqlalchemy", "usearch", "zeep", "zeroconf"),
)


async def test_the_version(shell: Shell) -> None:
    assert (await shell("--version")).out == f"nvr-bridge {__version__}\n"


async def test_every_command_explains_itself(shell: Shell) -> None:
    shown = (await shell("--help")).out
    for command in (
        *("serve", "discover", "pair", "status", "cameras", "visits", "sightings", "consent", "tokens"),
        *("assessment", "models", "evaluate", "wipe"),
    ):
        assert f"\n  {command} " in shown


@pytest.mark.parametrize("arguments", [["sevre"], ["visits", "list", "--limit", "many"], ["pair", "--role", "owner"]])
async def test_wrong_usage_is_exit_code_2(shell: Shell, arguments: list[str]) -> None:
    assert (await shell(*arguments)).code == 2


@pytest.mark.parametrize("command", ["serve", "status", "pair", "wipe"])
async def test_an_unknown_key_in_the_settings_is_one_line(shell: Shell, command: str) -> None:
    path = shell.folder / "bridge.yaml"
    path.write_text(path.read_text() + "visitgap: 30m\n")
    complaint = (await shell(command)).complaint
    assert "bridge.yaml: visitgap: unknown key; known here:" in complaint


async def test_settings_that_are_not_there_are_one_line(shell: Shell) -> None:
    assert "other.yaml: no such file" in (await shell("serve", "--config", "other.yaml")).complaint


async def test_the_client_side_works_where_the_engine_is_not_installed(shell: Shell, site: Site) -> None:
    absent = f"import sys; sys.modules.update(dict.fromkeys({ENGINE_ONLY!r}))"
    assert (await shell.process("status", "--json", before=absent)).json == site.engine.snapshot()
    assert "install nvr-bridge[engine]" in (await shell.process("serve", before=absent)).complaint


async def test_a_site_is_wiped(shell: Shell) -> None:
    data = load_config(shell.folder / "bridge.yaml").data_dir
    await _live(data)
    (data / "notes.txt").write_text("the operator's own")
    ran = await shell("wipe", stdin="n\n")
    assert ran.code == 1
    assert (data / "bridge.db").exists()
    assert (await shell("wipe", "--yes", "--json")).json == {"wiped": True, "left": ["notes.txt"]}
    assert [path.name for path in data.iterdir()] == ["notes.txt"]
    assert (shell.folder / "bridge.yaml").exists()


async def test_a_running_site_is_not_wiped(shell: Shell, site: Site) -> None:
    assert "in use by a running engine; stop it first" in (await shell("wipe", "--yes")).complaint
    with contextlib.closing(sqlite3.connect(site.engine.config.data_dir / "bridge.db")) as db:
        assert db.execute("select count(*) from tokens").fetchone() == (0,)


async def test_a_wipe_says_when_there_is_nothing(shell: Shell) -> None:
    assert "nothing was removed" in (await shell("wipe", "--yes")).complaint


def test_what_a_device_calls_itself_cannot_drive_the_terminal() -> None:
    assert printable("Front\x1b[2J\n门\x9b\u202e") == "Front [2J 门  "


async def _live(data: Path) -> None:
    """A site that has been in use."""
    db = await Database.open(data)
    await Vault.open(data / "keys", fresh=True)
    await db.close()
