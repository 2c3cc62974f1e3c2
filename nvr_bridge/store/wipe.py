"""Decommissioning a site: the keys first, so that whatever is left behind can never be read again."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import AskError, InvalidError
from .files import ADMIN_TOKEN, DATABASE, KEYS, LOCK, DirectoryLock, sync_directory

_DATA = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal", ADMIN_TOKEN)


def wipe(data_dir: Path) -> tuple[str, ...]:
    """Remove a site's keys, then its data, then the folder if that leaves it empty → the names of what is not ours.

    A wipe that was interrupted can be repeated. Files are unlinked and not overwritten: on flash that reaches other
    cells, and what they held was sealed with the keys. Blocks. Raises `ConflictError` while an engine uses the folder,
    `InvalidError` for one that is no data folder.
    """
    if not data_dir.is_dir() or not any((data_dir / name).is_file() for name in (DATABASE, LOCK)):
        raise InvalidError(f"data_dir: {data_dir} is not the data folder of an engine; nothing was removed")
    lock = DirectoryLock(data_dir)
    try:
        _remove_keys(data_dir)
        for name in _DATA:
            (data_dir / name).unlink(missing_ok=True)
        sync_directory(data_dir)
        (data_dir / LOCK).unlink()
        left = tuple(sorted(path.name for path in data_dir.iterdir()))
        if not left:
            data_dir.rmdir()
            sync_directory(data_dir.parent)
    except OSError as err:
        raise AskError(f"data_dir: {err.filename} cannot be removed ({err.strerror}); wipe again as its owner") from err
    finally:
        lock.release()
    return left


def _remove_keys(data_dir: Path) -> None:
    """On return no key is there, also after a power failure."""
    keys = data_dir / KEYS
    if keys.is_symlink():
        raise InvalidError(f"data_dir: {keys} is a link; remove what it leads to, then the link, and wipe again")
    if not keys.is_dir():
        return
    for folder, folders, files in os.walk(keys, topdown=False):
        for name in files:
            (Path(folder) / name).unlink()
        for name in folders:
            (Path(folder) / name).rmdir()
        sync_directory(Path(folder))
    keys.rmdir()
    sync_directory(data_dir)
