"""The master: what opens the data key, and so everything. A key file beside the store, or a passphrase.

    master (`site.key`, or a passphrase) → data key (`data.key`) → visitors' keys, seals, tags and keyed hashes

The data key never changes, because tags and keyed hashes made with it must be found again. Another master is therefore a
matter of wrapping it anew, which `rotate` does so that at every moment the old master opens it, or the new one. All
functions block.
"""

from __future__ import annotations

import base64
import json
import secrets
import unicodedata
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ..errors import AskError, InvalidError
from ..store.files import check_private, sync_directory, write_durably
from .sealing import KEY_BYTES, derive, seal, unseal
from .visitor_keys import VISITORS, made_with

SITE_KEY = "site.key"
DATA_KEY = "data.key"
PASSPHRASE_LENGTH = 12  # characters, at least
_SCRYPT = {"n": 2**16, "r": 8, "p": 1}  # 64 MiB, some 0.2 s
_PLACE = b"data key"
_RESTORE = "restore it with `nvr-bridge keys restore`, or wipe the site"


class Kind(StrEnum):
    """What the master is."""

    FILE = "file"
    PASSPHRASE = "passphrase"  # noqa: S105 - a word


@dataclass(frozen=True, slots=True)
class Unlocked:
    """The data key, and the master that opened it."""

    data_key: bytes = field(repr=False)
    by: Kind
    master_id: str  # another one after each rotation


@dataclass(frozen=True, slots=True)
class _Wrap:
    """The data key, wrapped by one master."""

    by: Kind
    master_id: str
    sealed: bytes
    scrypt: dict[str, Any]  # salt and costs; empty for a file


def kind(keys_dir: Path) -> Kind | None:
    """What the master is, without opening anything; None where no data key was made yet."""
    path = keys_dir / DATA_KEY
    if not path.exists():
        return Kind.FILE if (keys_dir / SITE_KEY).exists() else None
    wraps = {wrap.by for wrap in _read(path.read_bytes(), str(path))}  # two of them in the middle of a rotation
    return Kind.FILE if (keys_dir / SITE_KEY).exists() or Kind.PASSPHRASE not in wraps else Kind.PASSPHRASE


def unlock(keys_dir: Path, *, fresh: bool, passphrase: str | None) -> Unlocked:
    """Open the data key, or make it where `fresh` says that nothing needs it yet: under `passphrase`, else a key file.

    Finishes a rotation that was interrupted. Raises `AskError` when keys are missing, damaged, of another site, open to
    others, or locked by a passphrase that was not given or is wrong.
    """
    site, data = keys_dir / SITE_KEY, keys_dir / DATA_KEY
    for path in (keys_dir, site, data):
        check_private(path)
    if not data.exists() or (fresh and not site.exists() and kind(keys_dir) is Kind.FILE):
        _make(keys_dir, fresh, passphrase)
    wraps = _read(data.read_bytes(), str(data))
    if site.exists():
        if passphrase is not None:
            raise AskError(
                f"keys: a passphrase was given, but {site} opens this site; `nvr-bridge keys rotate --to passphrase` "
                "makes it the passphrase's"
            )
        opened = _open_by_file(wraps, site)
    else:
        opened = _open_by_passphrase(wraps, site, passphrase)
    wrap, data_key = opened
    if len(wraps) > 1:  # a rotation that was interrupted: this master it stays
        write_durably(data, _document([wrap]))
    return Unlocked(data_key, wrap.by, wrap.master_id)


def rotate(keys_dir: Path, passphrase: str | None, new_passphrase: str | None) -> Unlocked:
    """Another master: a new key file, or `new_passphrase`. Whoever has the old one opens nothing from here on.

    Killed at any moment it leaves a site that opens with the old master or with the new one.
    """
    now = unlock(keys_dir, fresh=False, passphrase=passphrase)
    site, data = keys_dir / SITE_KEY, keys_dir / DATA_KEY
    (old,) = _read(data.read_bytes(), str(data))
    if new_passphrase is not None:
        new = by_passphrase(now.data_key, new_passphrase)
        if now.by is Kind.FILE:
            write_durably(data, _document([old, new]))
            site.unlink()
            sync_directory(keys_dir)
    else:
        master = secrets.token_bytes(KEY_BYTES)
        new = _by_file(now.data_key, master)
        write_durably(data, _document([old, new]))
        write_durably(site, master)
    write_durably(data, _document([new]))
    return Unlocked(now.data_key, new.by, new.master_id)


def by_passphrase(data_key: bytes, passphrase: str) -> _Wrap:
    """The data key wrapped by a new passphrase. Raises `InvalidError` for one that is too short."""
    if len(passphrase) < PASSPHRASE_LENGTH:
        raise InvalidError(f"passphrase: is too short; give at least {PASSPHRASE_LENGTH} characters")
    scrypt = {"salt": base64.b64encode(secrets.token_bytes(16)).decode(), **_SCRYPT}
    sealed = seal(_stretched(passphrase, scrypt), data_key, _PLACE)
    return _Wrap(Kind.PASSPHRASE, secrets.token_hex(8), sealed, scrypt)


def opened_by_passphrase(content: bytes, passphrase: str, where: str) -> bytes:
    """The data key from a `data.key`'s content. Raises `AskError`."""
    return _open_by_passphrase(_read(content, where), Path(where), passphrase)[1]


def opened_by_file(content: bytes, master: bytes, where: str) -> bytes:
    """The same with a `site.key`'s content."""
    return _opened(_read(content, where), master, where)[1]


def sealed_by_passphrase(data_key: bytes, passphrase: str) -> bytes:
    """A `data.key` that this passphrase alone opens."""
    return _document([by_passphrase(data_key, passphrase)])


# --- helpers ------------------------------------------------------------------------------------------------------


def _make(keys_dir: Path, fresh: bool, passphrase: str | None) -> None:
    site, data, visitors = keys_dir / SITE_KEY, keys_dir / DATA_KEY, keys_dir / VISITORS
    if site.exists():
        master = _master(site)
        # Before there was a data key, the site key was it.
        if visitors.exists() and made_with(visitors.read_bytes(), master):
            write_durably(data, _document([_by_file(master, master)]))
            return
    if not fresh:
        missing = data if site.exists() or (keys_dir / VISITORS).exists() else site
        raise AskError(f"keys: {missing} is missing; {_RESTORE}")
    visitors.unlink(missing_ok=True)  # wrapped by a data key that is gone
    data_key = secrets.token_bytes(KEY_BYTES)
    if passphrase is not None and not site.exists():
        write_durably(data, sealed_by_passphrase(data_key, passphrase))
        return
    if not site.exists():
        write_durably(site, secrets.token_bytes(KEY_BYTES))
    write_durably(data, _document([_by_file(data_key, _master(site))]))


def _open_by_file(wraps: Sequence[_Wrap], site: Path) -> tuple[_Wrap, bytes]:
    return _opened(wraps, _master(site), str(site))


def _opened(wraps: Sequence[_Wrap], master: bytes, where: str) -> tuple[_Wrap, bytes]:
    for wrap in wraps:
        if wrap.by is Kind.FILE:
            try:
                return wrap, unseal(derive(master, "master"), wrap.sealed, _PLACE)
            except AskError:  # the other half of a rotation that was interrupted
                continue
    raise AskError(f"keys: {where} does not open {DATA_KEY}; restore both from the same key backup")


def _open_by_passphrase(wraps: Sequence[_Wrap], site: Path, passphrase: str | None) -> tuple[_Wrap, bytes]:
    locked = [wrap for wrap in wraps if wrap.by is Kind.PASSPHRASE]
    if not locked:
        raise AskError(f"keys: {site} is missing; {_RESTORE}")
    if passphrase is None:
        raise AskError(
            "keys: a passphrase opens this site; give it with --passphrase-file or NVR_BRIDGE_PASSPHRASE, or start it "
            "in a terminal"
        )
    for wrap in locked:
        try:
            return wrap, unseal(_stretched(passphrase, wrap.scrypt), wrap.sealed, _PLACE)
        except AskError:
            continue
    raise AskError("keys: the passphrase is wrong; give the one that this site was locked with")


def _master(site: Path) -> bytes:
    master = site.read_bytes()
    if len(master) != KEY_BYTES:
        raise AskError(f"keys: {site} is damaged; restore it from the key backup")
    return master


def _by_file(data_key: bytes, master: bytes) -> _Wrap:
    return _Wrap(Kind.FILE, secrets.token_hex(8), seal(derive(master, "master"), data_key, _PLACE), {})


def _stretched(passphrase: str, scrypt: dict[str, Any]) -> bytes:
    text = unicodedata.normalize("NFKC", passphrase).encode()
    salt = base64.b64decode(scrypt["salt"], validate=True)
    return Scrypt(salt=salt, length=KEY_BYTES, n=scrypt["n"], r=scrypt["r"], p=scrypt["p"]).derive(text)


def _document(wraps: Sequence[_Wrap]) -> bytes:
    return json.dumps(
        {
            "version": 1,
            "wraps": [
                {
                    "by": wrap.by.value,
                    "master_id": wrap.master_id,
                    "sealed": base64.b64encode(wrap.sealed).decode(),
                    **({"scrypt": wrap.scrypt} if wrap.scrypt else {}),
                }
                for wrap in wraps
            ],
        }
    ).encode()


def _read(content: bytes, where: str) -> list[_Wrap]:
    try:
        wraps = [
            _Wrap(
                Kind(one["by"]),
                str(one["master_id"]),
                base64.b64decode(one["sealed"], validate=True),
                _costs(one["scrypt"]) if one["by"] == Kind.PASSPHRASE else {},
            )
            for one in json.loads(content)["wraps"]
        ]
    except (ValueError, KeyError, TypeError, Base64Error) as err:
        raise AskError(f"keys: {where} is damaged; restore it from the key backup") from err
    if not wraps:
        raise AskError(f"keys: {where} is damaged; restore it from the key backup")
    return wraps


def _costs(scrypt: dict[str, Any]) -> dict[str, Any]:
    """Checked, so that a changed file cannot take all memory."""
    costs = {key: int(scrypt[key]) for key in ("n", "r", "p")}
    if not (
        2 <= costs["n"] <= 2**20 and costs["n"] & (costs["n"] - 1) == 0 and 1 <= costs["r"] <= 32 and costs["p"] == 1
    ):
        raise ValueError("costs out of range")
    return {"salt": str(scrypt["salt"]), **costs}
