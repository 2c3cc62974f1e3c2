"""Proving an erasure where no engine runs: that nothing of the visitor can be read in a data folder, nor in an older copy.

Whoever looks for nothing finds nothing. So the visitor is found first: in a copy of the data from before the erasure, with
the keys of that time. That gives what to look for. Only reads; everything blocks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import AskError
from ..evidence.receipt import Receipt
from ..store.files import DATABASE, KEYS
from .alias import plain
from .folder import opened
from .loose_keys import LooseKeys, open_keys
from .sealed_rows import Sealed, sealed_rows
from .signing import public_key
from .traces import Traces, files_below
from .vault import consent_key


@dataclass(frozen=True, slots=True)
class Found:
    """Something of the visitor that is still there."""

    where: str  # a file, or what was opened
    what: str


@dataclass(slots=True)
class Outcome:
    """What was looked at, and what was found."""

    problems: list[str]  # why the receipt proves nothing
    found: list[Found] = field(default_factory=list)
    in_copy: dict[str, int] | None = None  # what the copy had of the visitor; None: no copy was given
    files: int = 0
    attempts: int = 0  # to decrypt something with some key

    @property
    def proved(self) -> bool:
        """Whether the receipt holds and nothing was found."""
        return not self.problems and not self.found


@dataclass(frozen=True, slots=True)
class Copy:
    """A data folder from before the erasure, and the keys of that time."""

    data_dir: Path
    keys_dir: Path
    contacts: Sequence[str] = ()  # as the visitor gave them: the store has only keyed hashes


def verify(
    receipt: Receipt, data_dir: Path, copy: Copy | None, also: Sequence[Path] = (), passphrase: str | None = None
) -> Outcome:
    """Look for the receipt's visitor in `data_dir`, in what is in `also` (logs, exports), and in the copy with today's keys.

    Raises `AskError` for a folder that is none, and for a copy in which the visitor cannot be found.
    """
    outcome = Outcome(receipt.problems())
    keys = open_keys(data_dir / KEYS, passphrase)
    with opened(_database(data_dir)) as live:
        _check_record(receipt, live, public_key(data_dir / KEYS), outcome)
        _check_names(receipt, live, keys, outcome)
        if copy is None:
            return outcome
        readable, traces, theirs = _find(receipt, copy, passphrase, outcome)
        _open_everything(DATABASE, sealed_rows(live), keys, readable, outcome)
    for path in files_below([data_dir, *also]):
        _scan(path, traces, outcome)
    # What a backup holds is sealed, and opens with no key of today.
    for path in files_below([copy.data_dir]):
        if not path.is_relative_to(copy.keys_dir):
            _scan(path, readable, outcome)
    with opened(_database(copy.data_dir)) as older:
        others = (each for each in sealed_rows(older) if each not in theirs)
        _open_everything(str(copy.data_dir), others, keys, readable, outcome)
    for each in theirs:
        outcome.attempts += len(keys.wrapped) + 2
        if any(True for _ in keys.try_all(each.content, each.aad)):
            outcome.found.append(Found(str(copy.data_dir), f"{each.what}, opened with a key of today"))
    return outcome


# --- helpers ------------------------------------------------------------------------------------------------------


def _database(data_dir: Path) -> Path:
    path = data_dir / DATABASE
    if not path.is_file():
        raise AskError(f"data_dir: {data_dir} holds no {DATABASE}; name the data folder of an engine")
    return path


def _check_record(receipt: Receipt, live: sqlite3.Connection, public: bytes, outcome: Outcome) -> None:
    if receipt.public != public:
        outcome.problems.append("public_key: is not this site's; the receipt is another site's")
    row = live.execute("SELECT digest FROM ledger WHERE number = ?", [receipt.entry.number]).fetchone()
    if row is None or row[0] != receipt.entry.digest:
        outcome.problems.append("entry: this site's ledger does not have it")


def _check_names(receipt: Receipt, live: sqlite3.Connection, keys: LooseKeys, outcome: Outcome) -> None:
    """Needs no copy: the receipt itself knows its visitor."""
    kept = [visitor_id for (visitor_id,) in live.execute("SELECT visitor_id FROM visitors")]
    outcome.found += [Found(DATABASE, "visitor") for each in kept if receipt.is_about(each)]
    outcome.found += [Found(KEYS, "key") for each in keys.wrapped if receipt.is_about(each)]


def _find(
    receipt: Receipt, copy: Copy, passphrase: str | None, outcome: Outcome
) -> tuple[Traces, Traces, list[Sealed]]:
    """(what nobody may read anywhere, that and what the store itself must not hold any more, what was encrypted)."""
    keys = open_keys(copy.keys_dir, passphrase)
    readable, traces = Traces(), Traces()
    with opened(_database(copy.data_dir)) as connection:
        ids = [each for (each,) in connection.execute("SELECT visitor_id FROM visitors") if receipt.is_about(each)]
        if not ids:
            raise AskError(
                f"copy: {copy.data_dir} does not have the receipt's visitor; give one from before the erasure"
            )
        [visitor_id] = ids
        theirs = [each for each in sealed_rows(connection) if each.visitor_id == visitor_id]
        consents = [each for (each,) in connection.execute(_CONSENTS, [visitor_id])]
    names = (visitor_id, *map(consent_key, consents))
    for each in theirs:
        content = keys.opens(each.key, each.content, each.aad)
        if content is None:
            raise AskError(f"copy: its {each.what} does not open; give the keys of the same time with --copy-keys")
        for looked_for in (readable, traces):
            _look_for(looked_for, each.what, content)
        traces.sealed(f"encrypted {each.what}", each.content)
    for contact in copy.contacts:
        for looked_for in (readable, traces):
            looked_for.text("contact", contact, "".join(character for character in contact if character.isdigit()))
    traces.text("visitor's id", visitor_id)
    traces.text("consent's id", *consents)
    for name in names:
        if name in keys.wrapped:
            traces.text("key", keys.wrapped[name])
    if "visitor's id" not in {what for path in files_below([copy.data_dir]) for what in traces.found_in_file(path)}:
        raise AskError(f"copy: {copy.data_dir} has the visitor, but no file in which that is seen; copy it again")
    outcome.in_copy = {what: sum(each.what == what for each in theirs) for what in ("template", "alias", "reason")}
    return readable, traces, theirs


_CONSENTS = "SELECT consent_id FROM consents WHERE visitor_id = ?"


def _look_for(traces: Traces, what: str, content: bytes) -> None:
    if what == "template":
        traces.template(np.frombuffer(content, "<f4").astype(np.float32))
        return
    text = content.decode()
    words = plain(text).split()
    traces.text(what, text, *(["-".join(words), "_".join(words), "".join(words)] if what == "alias" else []))


def _open_everything(where: str, rows: Iterable[Sealed], keys: LooseKeys, readable: Traces, outcome: Outcome) -> None:
    """Whatever today's keys open is somebody else's, and says nothing of the visitor."""
    for each in rows:
        outcome.attempts += 1
        content = keys.opens(each.key, each.content, each.aad)
        if content is not None and each.what != "alias":  # which may have been given to somebody else since
            outcome.found += [Found(f"{where}, decrypted {each.what}", what) for what in readable.found_in(content)]


def _scan(path: Path, traces: Traces, outcome: Outcome) -> None:
    try:
        found = traces.found_in_file(path)
    except FileNotFoundError:  # an engine that runs has removed it meanwhile
        return
    except OSError as err:
        raise AskError(
            f"{path}: cannot be read ({err.strerror}); run this as the user that the engine runs as"
        ) from err
    outcome.files += 1
    outcome.found += [Found(str(path), what) for what in sorted(found)]
