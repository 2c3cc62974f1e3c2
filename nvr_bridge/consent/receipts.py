"""Receipts for erasures, from the erasure's own transaction until somebody takes them: each is given once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..errors import NotFoundError
from ..evidence.chain import Entry
from ..evidence.receipt import Receipt, cause, digest_of
from ..store.database import Database
from ..store.schema import (
    CheckInRow,
    ConsentRow,
    Data,
    EventRow,
    LedgerRow,
    PassRow,
    PassScanRow,
    SightingRow,
    TemplateRow,
    VisitRow,
)
from ..store.schema_evidence import SigningRow
from ..store.schema_links import LinkRow
from ..store.schema_receipts import ReceiptRow
from .checkpoints import Checkpoints
from .ledger import Ledger

_COUNTED = (
    TemplateRow,
    ConsentRow,
    PassRow,
    PassScanRow,
    CheckInRow,
    LinkRow,
    SigningRow,
    SightingRow,
    VisitRow,
    EventRow,
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A receipt that nobody has taken."""

    number: int  # of the ledger's entry
    at: float
    cause: str


class Receipts:
    """Gives them."""

    def __init__(self, db: Database, ledger: Ledger, checkpoints: Checkpoints) -> None:
        self._db = db
        self._ledger = ledger
        self._checkpoints = checkpoints

    async def waiting(self) -> list[Waiting]:
        """Those that nobody has taken, oldest first: of consents that ran out, and of what a crash interrupted."""
        wanted = select(LedgerRow.number, LedgerRow.at, LedgerRow.data).join(
            ReceiptRow, ReceiptRow.number == LedgerRow.number
        )
        async with self._db.read() as session:
            rows = await session.execute(wanted.order_by(LedgerRow.number))
            return [Waiting(number, at, cause(data)) for number, at, data in rows]

    async def take(self, number: int) -> Receipt:
        """The receipt for the erasure that is this entry of the ledger, and its end here.

        Raises `NotFoundError` for one that was taken or never was, `AskError` for a ledger that was changed: it stays then.
        """
        sealed = None
        async with self._db.read() as session:
            there = await session.get(ReceiptRow, number)
        if there is not None:
            sealed = await self._checkpoints.prove([number])
        async with self._db.write() as session:
            row = await session.get(ReceiptRow, number)
            if row is None or sealed is None:
                raise NotFoundError(f"receipt: none waits for entry {number}; each is given once")
            await session.execute(delete(ReceiptRow).where(ReceiptRow.number == number))
        [entry] = await self._ledger.entries([number])
        key, path = self._checkpoints.key, sealed.paths[number]
        made = Receipt(entry, row.erased, row.salt, row.digest, sealed.checkpoint, path, key.public, b"")
        return made.signed(key.sign)


async def counted(session: AsyncSession, visitor_id: str) -> Data:
    """How many rows name the visitor, by table: what an erasure is about to erase, or to make nobody's."""
    found: Data = {}
    for table in _COUNTED:
        wanted = select(func.count()).select_from(table).where(table.visitor_id == visitor_id)
        found[table.__tablename__] = (await session.execute(wanted)).scalar_one()
    return found


def promise(session: AsyncSession, entry: Entry, visitor_id: str, erased: Data) -> None:
    """In the erasure's transaction: a receipt for it will wait."""
    salt = secrets.token_hex(32)
    session.add(
        ReceiptRow(number=entry.number, salt=salt, digest=digest_of(salt, visitor_id), erased=erased),
    )
