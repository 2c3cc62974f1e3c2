"""Erasing again whom an old backup brought back, from what was kept elsewhere. No engine runs; all of it blocks.

What tells: receipts, lists of destroyed keys (every key backup has one), and a newer copy of the store, in which whoever was
erased is missing. The keys are destroyed here; the rows that are left without keys are erased by the next start.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from ..errors import AskError, ConflictError, InvalidError
from ..evidence.receipt import Receipt
from ..store.files import DATABASE, KEYS, write_durably
from . import destroyed
from .destroyed import DESTROYED
from .folder import opened
from .key_backup import read_bundle
from .signing import public_key
from .vault import consent_key
from .visitor_keys import VISITORS, without


def reapply(data_dir: Path, receipts: Sequence[Receipt], newer: Sequence[Path]) -> int:
    """Destroy the keys in `data_dir` of all of whom `receipts` and `newer` say that they were erased → how many visitors.

    `newer` are key backups, lists, and data folders or stores of this site. Raises `InvalidError` or `ConflictError` for
    one that is another site's or no newer than `data_dir`; nothing is destroyed then.
    """
    keys_dir = data_dir / KEYS
    content, keys = _keys(keys_dir / VISITORS)
    lists, leaving = destroyed.held(keys_dir), set[str]()
    with opened(_store(data_dir)) as store:
        there = _column(store, "SELECT visitor_id FROM visitors")
        for receipt in receipts:
            _check(receipt, public_key(keys_dir))
            leaving |= {each for each in there if receipt.is_about(each)}
        for path in newer:
            if (path / DATABASE).is_file():
                leaving |= there - _still_there(store, path / DATABASE)
                lists |= destroyed.held(path / KEYS)
            elif path.suffix == Path(DATABASE).suffix:
                leaving |= there - _still_there(store, path)
            else:
                lists |= _list(path)
        consents = set[str]()
        for visitor_id in leaving:
            consents |= _column(store, "SELECT consent_id FROM consents WHERE visitor_id = ?", visitor_id)
    gone = (leaving | {*map(consent_key, consents)} | destroyed.returned(keys, lists)) & keys.keys()
    if gone:
        write_durably(keys_dir / DESTROYED, destroyed.document(lists | {destroyed.tag(keys[name]) for name in gone}))
        write_durably(keys_dir / VISITORS, without(content, gone))
    return len(gone & there)


# --- helpers ------------------------------------------------------------------------------------------------------


def _check(receipt: Receipt, public: bytes) -> None:
    if receipt.public != public:
        raise InvalidError("receipt: is another site's; give those of the site that the data folder is of")
    if problems := receipt.problems():
        raise InvalidError(f"receipt: proves nothing ({'; '.join(problems)}); give the file as the engine made it")


def _store(data_dir: Path) -> Path:
    path = data_dir / DATABASE
    if not path.is_file():
        raise AskError(f"data_dir: {data_dir} holds no {DATABASE}; name the data folder of an engine")
    return path


def _keys(path: Path) -> tuple[bytes, dict[str, str]]:
    try:
        content = path.read_bytes()
        return content, dict(json.loads(content)["keys"])
    except OSError as err:
        raise AskError(f"keys: {path} cannot be read ({err.strerror}); restore the keys first") from err
    except (ValueError, KeyError, TypeError):
        raise AskError(f"keys: {path} is damaged; restore it from the key backup") from None


def _list(path: Path) -> frozenset[str]:
    """Of a key backup, or of a list by itself."""
    if path.name == DESTROYED:
        try:
            return destroyed.read(path.read_bytes(), str(path))
        except OSError as err:
            raise InvalidError(f"{path}: cannot be read ({err.strerror})") from err
    return read_bundle(path).destroyed


def _still_there(store: sqlite3.Connection, newer: Path) -> frozenset[str]:
    """The visitors of a newer store of the same site: its ledger goes on where this one's ends."""
    try:
        with opened(newer) as other:
            if _one(other, _ENGINE) != _one(store, _ENGINE):
                raise InvalidError(f"{newer}: is another site's store")
            last = store.execute(_LAST).fetchone()
            if last is not None and other.execute(_ENTRY, [last[0]]).fetchone() != last:
                raise ConflictError(
                    f"{newer}: its ledger does not go on where this one ends; give a newer one, and restore the data again if an "
                    "engine ran on it since"
                )
            return _column(other, "SELECT visitor_id FROM visitors")
    except sqlite3.DatabaseError as err:
        raise InvalidError(f"{newer}: cannot be read ({err}); give a whole copy of a store") from err


_ENGINE = "SELECT value FROM settings WHERE key = 'engine_id'"
_LAST = "SELECT number, digest FROM ledger ORDER BY number DESC LIMIT 1"
_ENTRY = "SELECT number, digest FROM ledger WHERE number = ?"


def _one(store: sqlite3.Connection, wanted: str) -> str | None:
    row = store.execute(wanted).fetchone()
    return None if row is None else str(row[0])


def _column(store: sqlite3.Connection, wanted: str, *values: str) -> frozenset[str]:
    return frozenset(str(value) for (value,) in store.execute(wanted, values))
