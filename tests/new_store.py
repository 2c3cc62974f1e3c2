"""An empty store, copied from one that the engine made: making its tables anew takes longer than most tests do."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path

from nvr_bridge.store.database import Database
from nvr_bridge.store.files import DATABASE
from nvr_bridge.store.prepare import ENGINE_ID

_made: list[tempfile.TemporaryDirectory[str]] = []  # one for this process


async def new_store(data_dir: Path) -> None:
    """Put one into `data_dir`, unless there is a store already. It becomes an engine's own when that first opens it."""
    if not (data_dir / DATABASE).exists():
        if not _made:
            folder = tempfile.TemporaryDirectory(prefix="nvr-bridge-store-")
            atexit.register(folder.cleanup)
            await _make(Path(folder.name))
            _made.append(folder)
        await asyncio.to_thread(_copy, Path(_made[0].name), data_dir)


async def _make(folder: Path) -> None:
    await (await Database.open(folder)).close()

    def unname() -> None:
        with contextlib.closing(sqlite3.connect(folder / DATABASE)) as store, store:
            store.execute("DELETE FROM settings WHERE key = ?", [ENGINE_ID])

    await asyncio.to_thread(unname)


def _copy(folder: Path, data_dir: Path) -> None:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(folder / DATABASE, data_dir / DATABASE)
