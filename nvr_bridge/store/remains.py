"""What a store still holds of those who were erased, and how it goes: the log, and what SQLite leaves in its pages.

`secure_delete` overwrites what is deleted, but not the copies of cells that stay behind in the unused part of a page when
SQLite spreads a tree over its pages anew. They hold no more than an index does, and still say which events were one
person's. Only writing the whole store anew removes them, so it is done where something is found.
"""

from __future__ import annotations

import mmap
import os
import sqlite3
from collections.abc import Collection
from pathlib import Path

MARK = "PRAGMA user_version = 1"  # in a transaction that erases somebody: not yet looked at what is left of them
_UNMARK = "PRAGMA user_version = 0"


def clean(path: Path, seconds: float, gone: Collection[str], *, unknown: bool) -> bool:
    """Cut the log, and see that nothing is left of those who are `gone` → False if something was in the way.

    `unknown`: there may be others, of whom only the mark tells, as after a crash.
    """
    if not empty_log(path, seconds):
        return False
    connection = sqlite3.connect(path, timeout=seconds, isolation_level=None)
    try:
        marked = connection.execute("PRAGMA user_version").fetchone()[0]
        if not marked and not gone:
            return True
        if (unknown and marked) or stands(path, gone):
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute("VACUUM")
        connection.execute(_UNMARK)
    except sqlite3.OperationalError:  # locked by another program, or the disk is full
        return False
    finally:
        connection.close()
    return empty_log(path, seconds)


def stands(path: Path, words: Collection[str]) -> bool:
    """Whether any of these is to be read in a file that is not empty, wherever."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(word.encode()) >= 0 for word in words)


def empty_log(path: Path, seconds: float) -> bool:
    """Copy the write-ahead log into the store and cut it to nothing. False: something was reading it all that time."""
    connection = sqlite3.connect(path, timeout=seconds, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=FULL")
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:  # locked by another program's checkpoint
        return False
    finally:
        connection.close()
    log = path.with_name(path.name + "-wal")
    if busy or (log.exists() and log.stat().st_size):
        return False
    if log.exists():
        handle = os.open(log, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.fsync(handle)  # the cut itself must survive a power failure
        finally:
            os.close(handle)
    return True
