"""The append-only, hash-chained record of every processing act. It holds no personal data and links nothing.

Each entry names its subject only as an HMAC of the entry's own number under the visitor's key: who holds the key finds
their entries, and with the key gone no entry joins to a person or to another entry.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..evidence.chain import GENESIS, Entry, digest_of
from ..store.database import Database
from ..store.schema import Data, LedgerRow
from .vault import Vault

_PAGE = 1000  # entries held in memory
_SOME = 500  # numbers asked for at once
_USER: ContextVar[str | None] = ContextVar("user", default=None)


@contextmanager
def on_behalf_of(user: str | None) -> Iterator[None]:
    """Whatever is added to the ledger inside says that it was for this user of a hub, by the hub's own opaque id."""
    token = _USER.set(user)
    try:
        yield
    finally:
        _USER.reset(token)


class Ledger:
    """The record. It can be added to and read, nothing else."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault

    async def append(
        self,
        session: AsyncSession,
        act: str,
        *,
        at: float,
        zone_id: str | None = None,
        visitor_id: str | None = None,
        subject: Callable[[int], str] | None = None,
        data: Data | None = None,
    ) -> Entry:
        """Add an entry to the caller's write transaction. `data` must hold nothing personal.

        The subject is a visitor with a key, or what `Vault.subject` gave before the key was destroyed.
        """
        if visitor_id is not None:
            subject = self._vault.subject(visitor_id)
        (entry,) = await self._chain(session, act, at, zone_id, subject, [data or {}])
        return entry

    async def append_all(self, session: AsyncSession, act: str, at: float, data: Sequence[Data]) -> list[Entry]:
        """Add an entry for each of `data`, of one moment and of no visitor, as `append` does, only faster."""
        return await self._chain(session, act, at, None, None, data)

    async def record(self, act: str, zone_id: str | None = None, data: Data | None = None) -> Entry:
        """Add an entry that stands alone, in a transaction of its own, as of now."""
        async with self._db.write() as session:
            return await self.append(session, act, at=time.time(), zone_id=zone_id, data=data)

    def nameable(self, visitor_id: str | None) -> str | None:
        """The visitor, if an entry made now can have them as its subject; None once their key is gone.

        For what the engine does by itself, which must not fail because somebody withdraws at that moment.
        """
        return visitor_id if visitor_id is not None and self._vault.has_key(visitor_id) else None

    async def about(self, visitor_id: str) -> list[Entry]:
        """The visitor's own entries, oldest first. Raises `NotFoundError` once the key is gone."""
        name = self._vault.subject(visitor_id)
        found: list[Entry] = []
        after = 0
        while rows := await self._page(after):
            found += [_entry(row) for row in rows if row.subject and hmac.compare_digest(row.subject, name(row.number))]
            after = rows[-1].number
        return found

    async def since(self, number: int, limit: int = _PAGE) -> list[Entry]:
        """The entries after `number`, oldest first, at most `limit`."""
        return [_entry(row) for row in await self._page(number, limit)]

    async def entries(self, numbers: Iterable[int]) -> list[Entry]:
        """Those entries of these numbers that there are, in their order."""
        wanted = sorted(set(numbers))
        found: list[Entry] = []
        async with self._db.read() as session:
            for first in range(0, len(wanted), _SOME):
                some = select(LedgerRow).where(LedgerRow.number.in_(wanted[first : first + _SOME]))
                found += [_entry(row) for row in await session.scalars(some.order_by(LedgerRow.number))]
        return found

    async def _chain(
        self,
        session: AsyncSession,
        act: str,
        at: float,
        zone_id: str | None,
        subject: Callable[[int], str] | None,
        contents: Sequence[Data],
    ) -> list[Entry]:
        newest = select(LedgerRow.number, LedgerRow.digest).order_by(LedgerRow.number.desc()).limit(1)
        last = (await session.execute(newest)).one_or_none()
        number, previous = (last.number, last.digest) if last else (0, GENESIS)
        at = float(at)  # as the store gives it back
        entries, user = [], _USER.get()
        for data in contents:
            number += 1
            named = subject(number) if subject else None
            content = dict(data) if user is None else {**data, "user": user}
            digest = digest_of(number, at, act, zone_id, named, content, previous)
            entries.append(Entry(number, at, act, zone_id, named, content, previous, digest))
            previous = digest
        if entries:
            await session.execute(insert(LedgerRow), [asdict(entry) for entry in entries])
        return entries

    async def _page(self, after: int, limit: int = _PAGE) -> list[LedgerRow]:
        async with self._db.read() as session:
            wanted = select(LedgerRow).where(LedgerRow.number > after).order_by(LedgerRow.number).limit(limit)
            return list(await session.scalars(wanted))


def _entry(row: LedgerRow) -> Entry:
    return Entry(row.number, row.at, row.act, row.zone_id, row.subject, row.data, row.previous, row.digest)
