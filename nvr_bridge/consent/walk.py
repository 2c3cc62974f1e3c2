"""Walking the ledger: is every entry as it was written, does it follow the one before, do the checkpoints still hold?

Pure. The rows are taken as the database holds them, with the kind of each value, because a value that was changed may be
no text, no number and no JSON any more: that must be found and said like any other change.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..evidence.chain import GENESIS, Data, digest_of
from ..evidence.checkpoint import Checkpoint
from ..evidence.merkle import Frontier

FIRST = -(2**63)  # the least number that a row can have; an entry's are from 1 on
PAGE = 500  # rows held in memory
# Texts are read as the bytes they are: what is no UTF-8 could not be read otherwise.
ENTRIES = """
SELECT number, typeof(at), at, typeof(act), CAST(act AS BLOB), typeof(zone_id), CAST(zone_id AS BLOB),
       typeof(subject), CAST(subject AS BLOB), typeof(data), CAST(data AS BLOB),
       typeof(previous), CAST(previous AS BLOB), typeof(digest), CAST(digest AS BLOB)
FROM ledger WHERE number >= :first ORDER BY number LIMIT :limit
"""
CHECKPOINTS = """
SELECT number, typeof(entries), entries, typeof(root), CAST(root AS BLOB), typeof(at), at,
       typeof(signature), CAST(signature AS BLOB)
FROM checkpoints ORDER BY number
"""

type Raw = Sequence[object]  # a row of one of the two
type IsSigned = Callable[[bytes, bytes], bool]  # (content, signature)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was written."""

    what: str  # "entry" or "checkpoint"
    number: int
    problem: str

    def __str__(self) -> str:
        return f"{self.what} {self.number}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk found."""

    entries: int  # that are as they were written, before the first that is not
    checkpoints: int  # that hold
    sealed: int  # entries up to here are covered by a checkpoint that holds
    faults: tuple[Fault, ...] = ()  # the first of the entries, and every checkpoint's

    @property
    def intact(self) -> bool:
        """Whether the whole record holds."""
        return not self.faults

    @property
    def broken_at(self) -> int | None:
        """The first entry that was changed, moved, removed or cut off."""
        return next((fault.number for fault in self.faults if fault.what == "entry"), None)


class UnreadableError(ValueError):
    """A value that this program did not write."""


class Walk:
    """One walk. Give it the entries from the first to the last, a page at a time, then ask for the verdict."""

    def __init__(
        self, checkpoints: Iterable[Raw], engine_id: str, is_signed: IsSigned, kept: Iterable[Checkpoint] = ()
    ) -> None:
        """`kept` are checkpoints from elsewhere, such as a pack: they must be the store's own."""
        self._faults: list[Fault] = []
        self._to_come: deque[Checkpoint] = deque()
        self._tree = Frontier()
        self._previous = GENESIS
        self._held = 0
        self._sealed = 0
        self._broken: Fault | None = None
        expected = 1
        for row in checkpoints:
            number = row[0] if isinstance(row[0], int) else 0
            if number > expected:
                missing = "is missing: it was removed, or given another number"
                self._faults.append(Fault("checkpoint", expected, missing))
            expected = max(number, 0) + 1
            self._take(number, row, engine_id, is_signed)
        for checkpoint in kept:
            self._compare(checkpoint, engine_id, is_signed)

    @property
    def first(self) -> int:
        """From which number on the next page is to be read."""
        return self._tree.size + 1 if self._tree.size else FIRST

    def feed(self, rows: Sequence[Raw]) -> bool:
        """The next page. False: there is nothing more to learn from further ones."""
        for row in rows:
            problem = self._check(row)
            if problem is not None:
                self._broken = problem
                return False
            self._look_back()
            if self._broken is not None:
                return False
        return len(rows) > 0

    def unreadable(self, why: str) -> None:
        """The store gives no more rows: it is damaged."""
        self._broken = Fault("entry", self._tree.size + 1, f"cannot be read from the store ({why})")

    def verdict(self) -> Verdict:
        """What was found. Without a break, every entry must have been fed."""
        entries = self._tree.size
        if self._broken is None and self._to_come:
            last = self._to_come[-1]
            self._broken = Fault(
                "entry",
                entries + 1,
                f"was cut off: checkpoint {last.number} covers {last.entries} entries, and {entries} are left",
            )
        faults = (*([self._broken] if self._broken else []), *self._faults)
        if self._broken is not None:
            entries = min(entries, self._broken.number - 1)
        return Verdict(max(entries, 0), self._held, self._sealed, faults)

    # --- helpers ---

    def _take(self, number: int, row: Raw, engine_id: str, is_signed: IsSigned) -> None:
        """Keep a checkpoint to be compared, or say what is wrong with it."""
        try:
            checkpoint = checkpoint_of(row, engine_id)
        except UnreadableError as err:
            self._faults.append(Fault("checkpoint", number, str(err)))
            return
        if not is_signed(checkpoint.signed, checkpoint.signature):
            changed = "was changed, or is another engine's: its signature does not fit"
            self._faults.append(Fault("checkpoint", number, changed))
        elif self._to_come and checkpoint.entries < self._to_come[-1].entries:
            self._faults.append(Fault("checkpoint", number, "covers fewer entries than the one before"))
        else:
            self._to_come.append(checkpoint)

    def _compare(self, kept: Checkpoint, engine_id: str, is_signed: IsSigned) -> None:
        """A checkpoint that somebody kept: if the store has another, or none, its entries are compared with it all the same."""
        if kept.engine_id != engine_id or not is_signed(kept.signed, kept.signature):
            self._faults.append(
                Fault("checkpoint", kept.number, "the one given is another engine's, or of another key")
            )
            return
        if kept in self._to_come:
            return
        known = {checkpoint.number for checkpoint in self._to_come}
        problem = (
            "is not the one given"
            if kept.number in known
            else "is missing: it was removed, and the one given is genuine"
        )
        self._faults.append(Fault("checkpoint", kept.number, problem))
        self._to_come = deque(sorted((*self._to_come, kept), key=lambda checkpoint: checkpoint.entries))

    def _check(self, row: Raw) -> Fault | None:
        """What is wrong with the next entry; without a fault it is in the tree afterwards."""
        number, expected = row[0], self._tree.size + 1
        if not isinstance(number, int) or number < 1:
            return Fault("entry", number if isinstance(number, int) else 0, "has a number that no entry has")
        if number != expected:
            return Fault("entry", expected, "is missing: it was removed, or given another number")
        try:
            _, at, act, zone_id, subject, data, previous, digest = _entry(row)
            right = digest_of(number, at, act, zone_id, subject, data, previous)
            leaf = bytes.fromhex(right)
        except (ValueError, TypeError, RecursionError) as err:
            return Fault("entry", number, str(err) if isinstance(err, UnreadableError) else "its data cannot be read")
        if digest != right:
            return Fault("entry", number, "was changed: its content and its digest do not fit")
        if previous != self._previous:
            return Fault("entry", number, f"does not follow entry {number - 1}: one of the two was replaced")
        self._previous = digest
        self._tree.add(leaf)
        return None

    def _look_back(self) -> None:
        """Compare with the checkpoints that end here."""
        while self._to_come and self._to_come[0].entries <= self._tree.size:
            checkpoint = self._to_come.popleft()
            if checkpoint.root != self._tree.root().hex():
                first = self._sealed + 1
                self._broken = Fault(
                    "entry",
                    first,
                    f"it, or one of those up to {checkpoint.entries}, was replaced and chained anew: "
                    f"checkpoint {checkpoint.number} signed others",
                )
                return
            self._held += 1
            self._sealed = checkpoint.entries


def checkpoint_of(row: Raw, engine_id: str) -> Checkpoint:
    """A row as a checkpoint. Raises `UnreadableError` for one that this program did not write."""
    number, entries_kind, entries, root_kind, root, at_kind, at, signature_kind, signature = row
    if not isinstance(number, int) or entries_kind != "integer" or not isinstance(entries, int) or entries < 1:
        raise UnreadableError("entries: is not a number of entries")
    if at_kind != "real" or not isinstance(at, float):
        raise UnreadableError("at: is not a time")
    if signature_kind != "blob" or not isinstance(signature, bytes):
        raise UnreadableError("signature: is not one")
    return Checkpoint(number, engine_id, entries, _text("root", root_kind, root), at, signature)


# --- helpers ------------------------------------------------------------------------------------------------------


def _entry(row: Raw) -> tuple[object, float, str, str | None, str | None, Data, str, str]:
    """An entry's columns. Raises `UnreadableError` naming the one that is not as this program writes it."""
    number, at_kind, at = row[:3]
    texts = {name: (row[3 + 2 * place], row[4 + 2 * place]) for place, name in enumerate(_TEXTS)}
    if at_kind != "real" or not isinstance(at, float):
        raise UnreadableError("at: is not a time")
    act, previous, digest = [_text(name, *texts[name]) for name in ("act", "previous", "digest")]
    zone_id, subject = [
        None if texts[name][0] == "null" else _text(name, *texts[name]) for name in ("zone_id", "subject")
    ]
    data = _data(_text("data", *texts["data"]))
    return number, at, act, zone_id, subject, data, previous, digest


_TEXTS = ("act", "zone_id", "subject", "data", "previous", "digest")


def _text(name: str, kind: object, content: object) -> str:
    if kind != "text" or not isinstance(content, bytes):
        raise UnreadableError(f"{name}: is no text")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise UnreadableError(f"{name}: is no text: it is not UTF-8") from None


def _data(text: str) -> Data:
    """The JSON of an entry, which must be written exactly as this program writes it."""
    try:
        data = json.loads(text)
        same = json.dumps(data) == text
    except (ValueError, RecursionError):
        raise UnreadableError("data: is not JSON") from None
    if not same or not isinstance(data, dict):
        raise UnreadableError("data: is not written as this program writes it")
    return data
