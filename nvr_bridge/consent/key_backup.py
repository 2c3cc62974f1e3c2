"""The key backup: one file with everything that `keys/` holds, and always only its newest state.

A destroyed key must be gone from the backup too, so there is one generation: making a backup replaces the one before, and a
backup that the engine keeps itself (`key_backup` in bridge.yaml) is made anew within a minute. That a key was destroyed is
never forgotten on the way: the list of those only grows. All functions block.
"""

from __future__ import annotations

import base64
import json
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..errors import AskError, ConflictError, InvalidError
from ..store.files import make_private_directory, write_durably
from . import destroyed
from .destroyed import DESTROYED
from .master import (
    DATA_KEY,
    SITE_KEY,
    Kind,
    kind,
    opened_by_file,
    opened_by_passphrase,
    sealed_by_passphrase,
    unlock,
)
from .signing import SIGNING_KEY, public_key
from .visitor_keys import VISITORS, made_with, read

# In the order in which they are restored: what opens the others comes last, so that a restore can be repeated.
_FILES = (DESTROYED, VISITORS, SIGNING_KEY, DATA_KEY, SITE_KEY)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A key backup, as read."""

    made_at: str
    files: Mapping[str, bytes]

    @property
    def by(self) -> Kind:
        """What opens it: itself, for a site with a key file, or a passphrase."""
        return Kind.FILE if SITE_KEY in self.files else Kind.PASSPHRASE

    @property
    def destroyed(self) -> frozenset[str]:
        """The list of keys that were destroyed. Raises `AskError` for a damaged one."""
        return destroyed.read(self.files[DESTROYED], DESTROYED) if DESTROYED in self.files else frozenset()


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    files: tuple[str, ...]  # that were missing or damaged; the key file and what it opens go together
    made_at: str  # of the backup


def back_up(keys_dir: Path, target: Path, *, lock_with: str | None = None) -> None:
    """Replace `target` (0600) by a backup of the keys as they are, checked as far as that needs no passphrase.

    With `lock_with` that passphrase opens the backup, instead of a key file that lies in it. An engine may be running.
    Raises `AskError` for keys that are damaged or missing, and where `target` knows of keys here that were destroyed;
    `InvalidError` for a target beside the store.
    """
    if target.resolve().is_relative_to(keys_dir.resolve().parent):
        raise InvalidError(f"key_backup: {target} is in the data folder; name a place that no backup of the data takes")
    files = {name: (keys_dir / name).read_bytes() for name in _FILES if (keys_dir / name).exists()}
    for name in (VISITORS, DATA_KEY):
        if name not in files:
            raise AskError(f"keys: {keys_dir / name} is missing; nothing was backed up")
    files |= _longer_list(keys_dir, target, files[VISITORS])
    if SITE_KEY in files:
        data_key = opened_by_file(files[DATA_KEY], files[SITE_KEY], str(keys_dir / SITE_KEY))
        read(files[VISITORS], data_key, str(keys_dir / VISITORS))
        if lock_with is not None:
            files = {**files, DATA_KEY: sealed_by_passphrase(data_key, lock_with)}
            del files[SITE_KEY]
    elif lock_with is not None:
        raise InvalidError("passphrase: this site has one already, which opens the backup too; give none")
    encoded = {name: base64.b64encode(content).decode() for name, content in files.items()}
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        write_durably(target, json.dumps({"version": 1, "made_at": made_at, "files": encoded}).encode())
    except OSError as err:
        raise AskError(f"key_backup: {target} cannot be written ({err.strerror}); name another place") from err


def known_destroyed(target: Path | None) -> frozenset[str]:
    """What a backup knows of destroyed keys; nothing where there is none yet. Raises `AskError` for one that cannot be read."""
    try:
        return read_bundle(target).destroyed if target is not None and target.exists() else frozenset()
    except (InvalidError, OSError) as err:
        raise AskError(
            f"key_backup: {err}; whether this data was restored from before an erasure is not known without it"
        ) from err


def read_bundle(source: Path) -> Bundle:
    """A backup. Raises `InvalidError` for what is none."""
    try:
        document = json.loads(source.read_bytes())
        files = {name: base64.b64decode(content, validate=True) for name, content in document["files"].items()}
        made_at = str(document["made_at"])
    except OSError as err:
        raise InvalidError(f"{source}: cannot be read ({err.strerror})") from err
    except (ValueError, KeyError, TypeError, AttributeError, Base64Error):
        raise InvalidError(f"{source}: is not a key backup, or is damaged") from None
    if not files.keys() <= set(_FILES) or not {VISITORS, DATA_KEY} <= files.keys():
        raise InvalidError(f"{source}: is not a key backup of this program")
    return Bundle(made_at, files)


def restore(keys_dir: Path, bundle: Bundle, passphrase: str | None) -> Restored:
    """Put back what is missing or damaged, and nothing else: what is whole may have lost keys since, for good.

    Raises `ConflictError` where nothing is missing, `AskError` for a backup of another site or a wrong passphrase.
    """
    make_private_directory(keys_dir)
    data_key = _opened(bundle, passphrase)
    read(bundle.files[VISITORS], data_key, VISITORS)
    wanted = [
        name for name in _FILES if name in bundle.files and not _whole(keys_dir, name, bundle, data_key, passphrase)
    ]
    if not wanted:
        raise ConflictError(f"keys: all keys are in {keys_dir}; nothing was restored")
    if SITE_KEY not in bundle.files and DATA_KEY in wanted:
        (keys_dir / SITE_KEY).unlink(missing_ok=True)  # it opens nothing, and would hide that a passphrase does
    for name in wanted:
        content = bundle.files[name]
        if name == DESTROYED:
            content = destroyed.document(bundle.destroyed | _readable_list(keys_dir))
        write_durably(keys_dir / name, content)
    return Restored(tuple(wanted), bundle.made_at)


# --- helpers ------------------------------------------------------------------------------------------------------


def _longer_list(keys_dir: Path, target: Path, visitors: bytes) -> dict[str, bytes]:
    """The list of destroyed keys, with what `target` has of it."""
    ours = destroyed.held(keys_dir)
    try:
        theirs = read_bundle(target).destroyed
    except (InvalidError, AskError):  # there is none, or nothing that could be kept of it
        theirs = frozenset()
    if destroyed.returned(_parsed(visitors), theirs - ours):
        raise AskError(
            f"key_backup: {target} knows of keys here that were destroyed, so this data was restored from before an erasure; "
            f"stop the engine, run `nvr-bridge erasure reapply --from {target}`, and start it again"
        )
    return {DESTROYED: destroyed.document(ours | theirs)} if ours | theirs else {}


def _parsed(visitors: bytes) -> dict[str, str]:
    try:
        return dict(json.loads(visitors)["keys"])
    except (ValueError, KeyError, TypeError):  # is said by whoever opens it
        return {}


def _readable_list(keys_dir: Path) -> frozenset[str]:
    try:
        return destroyed.held(keys_dir)
    except AskError:
        return frozenset()


def _opened(bundle: Bundle, passphrase: str | None) -> bytes:
    if bundle.by is Kind.FILE:
        return opened_by_file(bundle.files[DATA_KEY], bundle.files[SITE_KEY], SITE_KEY)
    if passphrase is None:
        raise AskError("keys: a passphrase opens this backup; give it with --passphrase-file or NVR_BRIDGE_PASSPHRASE")
    return opened_by_passphrase(bundle.files[DATA_KEY], passphrase, DATA_KEY)


def _whole(keys_dir: Path, name: str, bundle: Bundle, data_key: bytes, passphrase: str | None) -> bool:
    """Whether the file there is good. Raises `ConflictError` for one that is good and another site's."""
    path = keys_dir / name
    if not path.exists():
        return False
    if name in {DATA_KEY, SITE_KEY}:
        return _opens(keys_dir, data_key, passphrase)
    try:
        if name == DESTROYED:
            return bundle.destroyed <= destroyed.held(keys_dir)
        if name == SIGNING_KEY:
            public_key(keys_dir)
            return True
        if made_with(path.read_bytes(), data_key):
            read(path.read_bytes(), data_key, str(path))
            return True
        json.loads(path.read_bytes())["check"]
    except (AskError, ValueError, KeyError, TypeError):
        return False
    raise _another(path)


def _opens(keys_dir: Path, data_key: bytes, passphrase: str | None) -> bool:
    try:
        given = passphrase if kind(keys_dir) is Kind.PASSPHRASE else None
        found = unlock(keys_dir, fresh=False, passphrase=given).data_key
    except AskError:
        return False
    if found != data_key:
        raise _another(keys_dir)
    return True


def _another(path: Path) -> ConflictError:
    return ConflictError(f"keys: {path} is another site's than the backup; nothing was restored")
