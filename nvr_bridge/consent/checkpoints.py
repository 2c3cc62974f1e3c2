"""The ledger made provable: signed checkpoints of it, proofs that an entry is in it, and its verification."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import exists, insert, select, text

from ..errors import AskError
from ..evidence.checkpoint import Checkpoint, is_signed
from ..evidence.merkle import BLOCK, Blocks
from ..store.database import Database
from ..store.schema import CheckpointRow
from .signing import SigningKey
from .vault import Vault
from .walk import CHECKPOINTS, ENTRIES, PAGE, UnreadableError, Verdict, Walk, checkpoint_of

# As bytes: what was damaged may be no text any more.
_DIGESTS = "SELECT number, CAST(digest AS BLOB) FROM ledger WHERE number > :after ORDER BY number LIMIT :limit"
_REMEDY = "`nvr-bridge ledger verify` says what was changed; restore the data folder from a backup"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A checkpoint that covers everything so far, and the audit paths of some entries up to it."""

    checkpoint: Checkpoint
    paths: Mapping[int, tuple[bytes, ...]]  # by the entry's number


class Checkpoints:
    """Makes them, and checks the ledger against them. Hashing runs in a thread, reading goes page by page."""

    def __init__(self, db: Database, key: SigningKey, clock: Callable[[], float] = time.time) -> None:
        self._db = db
        self._key = key
        self._clock = clock
        self._newest: Checkpoint | None = None  # while the tree is empty: not known yet
        self._tree = Blocks()  # of every entry that was looked at
        self._making = asyncio.Lock()

    @classmethod
    async def open(cls, db: Database, vault: Vault, keys_dir: Path) -> Checkpoints:
        """Raises `AskError` where something was signed, and the key that signed it is missing."""
        async with db.read() as session:
            fresh = not (await session.execute(select(exists(select(CheckpointRow.number))))).scalar_one()
        return cls(db, await SigningKey.open(keys_dir, vault, fresh))

    @property
    def key(self) -> SigningKey:
        """What signs them."""
        return self._key

    async def make(self) -> Checkpoint | None:
        """Sign the ledger as it is now; None while it is empty. Without new entries the newest one stands.

        Raises `AskError` for a ledger that is not what was signed before: nothing is signed on top of a change.
        """
        async with self._making:
            return await self._make()

    async def prove(self, numbers: Iterable[int]) -> Sealed:
        """A checkpoint that covers everything so far, with the audit path of each of these entries.

        Raises `AskError` as `make` does, and for an entry that is not there.
        """
        blocks: dict[int, list[int]] = {}
        for number in sorted(set(numbers)):
            blocks.setdefault((number - 1) // BLOCK, []).append(number - 1)
        async with self._making:
            checkpoint = await self._make()
            last = checkpoint.entries if checkpoint else 0
            if checkpoint is None or any(not 0 <= leaf < last for leaves in blocks.values() for leaf in leaves):
                raise AskError(f"ledger: an entry that evidence names is missing; {_REMEDY}")
            paths: dict[int, tuple[bytes, ...]] = {}
            for number, leaves in blocks.items():
                page = await self._page(number * BLOCK, min(BLOCK, last - number * BLOCK))
                paths |= await asyncio.to_thread(_paths, self._tree, number, page, leaves)
        return Sealed(checkpoint, paths)

    async def verify(self, kept: Sequence[Checkpoint] = ()) -> Verdict:
        """Walk the whole ledger and every checkpoint, those too that somebody else kept."""
        async with self._db.read() as session:
            checkpoints = [tuple(row) for row in await session.execute(text(CHECKPOINTS))]
        public = self._key.public
        walk = await asyncio.to_thread(
            Walk, checkpoints, self._db.engine_id, lambda signed, signature: is_signed(signed, signature, public), kept
        )
        going = True
        while going:
            async with self._db.read() as session:
                found = await session.execute(text(ENTRIES), {"first": walk.first, "limit": PAGE})
                rows = [tuple(row) for row in found]
            going = await asyncio.to_thread(walk.feed, rows)
        return walk.verdict()

    async def _make(self) -> Checkpoint | None:
        try:
            await self._grow()
        except BaseException:
            self._tree = Blocks()  # half grown; the next time looks at everything again
            raise
        newest = self._newest
        if self._tree.size == 0 or (newest is not None and newest.entries == self._tree.size):
            return newest
        number = newest.number + 1 if newest else 1
        root, at = self._tree.root().hex(), float(self._clock())
        made = Checkpoint(number, self._db.engine_id, self._tree.size, root, at)
        made = replace(made, signature=self._key.sign(made.signed))
        values = {name: getattr(made, name) for name in ("number", "entries", "root", "at", "signature")}
        async with self._db.write() as session:
            await session.execute(insert(CheckpointRow).values(values))
        self._newest = made
        return made

    async def _grow(self) -> None:
        """Add the entries that the tree does not hold yet. At the newest checkpoint it must have that one's root."""
        tree = self._tree
        if tree.size == 0:
            newest = self._newest = await self._read_newest()
            if newest is not None:
                await self._extend(newest.entries)
                if tree.size < newest.entries or tree.root().hex() != newest.root:
                    raise AskError(f"ledger: it is not what checkpoint {newest.number} signed; {_REMEDY}")
        await self._extend()

    async def _read_newest(self) -> Checkpoint | None:
        async with self._db.read() as session:
            rows = [tuple(row) for row in await session.execute(text(CHECKPOINTS))]
        if not rows:
            return None
        try:
            newest = checkpoint_of(rows[-1], self._db.engine_id)
        except UnreadableError:
            newest = None
        if newest is None or not is_signed(newest.signed, newest.signature, self._key.public):
            raise AskError(f"ledger: its newest checkpoint was changed; {_REMEDY}")
        return newest

    async def _extend(self, until: int | None = None) -> None:
        """Add the entries after those that the tree holds, up to number `until`, or all there are."""
        tree = self._tree
        while until is None or tree.size < until:
            page = await self._page(tree.size, BLOCK if until is None else min(BLOCK, until - tree.size))
            if not page:
                return
            await asyncio.to_thread(_add, tree, page)

    async def _page(self, after: int, limit: int) -> Sequence[tuple[int, object]]:
        """(number, digest) of the entries after number `after`."""
        async with self._db.read() as session:
            found = await session.execute(text(_DIGESTS), {"after": after, "limit": limit})
            return [(number, digest) for number, digest in found]


def _add(tree: Blocks, page: Sequence[tuple[int, object]]) -> None:
    """The digests of the next entries, in a thread. Raises `AskError` for what is no whole ledger."""
    for content in _contents(page, tree.size):
        tree.add(content)


def _paths(
    tree: Blocks, number: int, page: Sequence[tuple[int, object]], leaves: Sequence[int]
) -> dict[int, tuple[bytes, ...]]:
    """The audit paths of some entries of a block, by their numbers, in a thread."""
    try:
        found = tree.paths(number, [*_contents(page, number * BLOCK)], leaves)
    except ValueError as err:
        raise AskError(f"ledger: it was changed while the engine ran; {_REMEDY}") from err
    return {leaf + 1: path for leaf, path in found.items()}


def _contents(page: Sequence[tuple[int, object]], after: int) -> Iterator[bytes]:
    for expected, (number, digest) in enumerate(page, after + 1):
        try:
            content = bytes.fromhex(digest.decode()) if isinstance(digest, bytes) else b""
        except ValueError:
            content = b""
        if number != expected or len(content) != 32:
            raise AskError(f"ledger: entry {expected} is missing or damaged; {_REMEDY}")
        yield content
