"""Verifying the ledger of a data folder that no engine serves: a copy, a backup, a disk in somebody's hands. Only reads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from ..errors import AskError
from ..evidence.checkpoint import Checkpoint, is_signed
from ..store.files import DATABASE, KEYS
from .signing import public_key
from .walk import CHECKPOINTS, ENTRIES, PAGE, Verdict, Walk


def verify_folder(data_dir: Path, kept: Sequence[Checkpoint] = ()) -> tuple[Verdict, bytes]:
    """Walk the ledger that lies in `data_dir` → (what was found, the public key that its checkpoints were held against).

    `kept` are checkpoints that somebody else kept.

    Blocks. Raises `AskError` for a folder that holds no store of this program's, or one that nothing can be read from.
    """
    path = data_dir / DATABASE
    if not path.is_file():
        raise AskError(f"data_dir: {data_dir} holds no {DATABASE}; name the data folder of an engine")
    public = public_key(data_dir / KEYS)
    try:
        with opened(path) as connection:
            return _walk(connection, public, kept), public
    except sqlite3.DatabaseError as err:
        raise AskError(
            f"store: {path} cannot be read ({err}); copy the folder to a local disk where it may be written"
        ) from err


def _walk(connection: sqlite3.Connection, public: bytes, kept: Sequence[Checkpoint]) -> Verdict:
    (written,) = connection.execute("SELECT value FROM settings WHERE key = 'engine_id'").fetchone() or ("",)
    try:
        engine_id = str(json.loads(written))
    except (ValueError, TypeError):
        raise AskError("store: it does not say which engine's it is; restore it from a backup") from None
    walk = Walk(
        connection.execute(CHECKPOINTS).fetchall(),
        engine_id,
        lambda content, signature: is_signed(content, signature, public),
        kept,
    )
    try:
        while walk.feed(connection.execute(ENTRIES, {"first": walk.first, "limit": PAGE}).fetchall()):
            pass
    except sqlite3.DatabaseError as err:
        walk.unreadable(str(err))
    return walk.verdict()


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """One snapshot. Without a log beside it the store is read as it lies, and nothing is written, not even a lock."""
    log = path.with_name(path.name + "-wal")
    how = "mode=ro" if log.exists() else "immutable=1"
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        yield connection
