"""The data directory: what lies where, files that survive a crash, and the lock of the one engine that uses it.

    bridge.db            the store (0600), with -wal and -shm beside it while it is open
    keys/site.key        the master, unless that is a passphrase (0600)
    keys/data.key        the data key, wrapped by the master (0600)
    keys/visitors.json   the visitors' own keys, wrapped by the data key (0600)
    keys/destroyed.json  which keys were destroyed, as hashes: none of them is ever used again (0600)
    keys/signing.key     what signs the ledger's checkpoints and evidence packs, its private half sealed (0600)
    tls/                 a certificate of our own with its private key (0600), where the site gives none
    admin.token          the command line's token (0600)
    lock                 held while an engine runs

All functions block; on the event loop they belong in a thread.
"""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

from ..errors import AskError, ConflictError

DATABASE = "bridge.db"
KEYS = "keys"
ADMIN_TOKEN = "admin.token"  # noqa: S105 - a file's name
LOCK = "lock"
UNFINISHED = ".new"  # the suffix of a file that is still being written


def make_private_directory(path: Path) -> None:
    """Create `path` for this user alone, if it is not there. Raises `AskError` when it cannot be."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as err:
        raise AskError(
            f"data_dir: {path} cannot be made ({err.strerror}); name a folder that this user may write"
        ) from err


def check_private(path: Path) -> None:
    """Raise `AskError` for a file or folder that others than its owner may read or change. None is fine."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if mode & 0o077:
        right = "700" if stat.S_ISDIR(mode) else "600"
        raise AskError(
            f"keys: {path} is open to others ({stat.S_IMODE(mode):03o}); run `chmod {right} {path}`, and if somebody may "
            "have read it, `nvr-bridge keys rotate`"
        )


def write_durably(path: Path, content: bytes) -> None:
    """Replace `path` (0600) by `content`: after a crash the file is the old one or the new one, whole."""
    unfinished = path.with_name(path.name + UNFINISHED)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, 0o600)  # also where it was left by somebody with other ideas
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make renames and removals in the directory durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class DirectoryLock:
    """Held by the one process that uses a data directory. The kernel releases it however the process ends."""

    def __init__(self, data_dir: Path) -> None:
        """Raises `ConflictError` while another process, or this one, holds it."""
        path = data_dir / LOCK
        try:
            self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as err:
            raise AskError(f"data_dir: {path} cannot be opened ({err.strerror}); check who owns the folder") from err
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another process may have removed the file between opening it and locking it.
            held = os.fstat(self._handle).st_ino == path.stat().st_ino
        except (BlockingIOError, FileNotFoundError):
            held = False
        if not held:
            self.release()
            raise ConflictError(f"data_dir: {data_dir} is in use by a running engine; stop it first")

    def release(self) -> None:
        """Let go. Calling it again does nothing."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
