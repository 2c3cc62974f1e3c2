"""The rows that retention looks at and removes, a small transaction at a time: killed anywhere, the next run goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from ..models import RetentionClass
from ..store.database import Database, rows_of
from ..store.schema import (
    CheckInRow,
    ConsentRow,
    Data,
    EventRow,
    PassRow,
    PassScanRow,
    ReferralRow,
    SightingRow,
    VisitorRow,
    VisitRow,
)
from ..store.schema_evidence import SigningRow
from ..store.settled import Settled, settle
from .ledger import Ledger
from .retention_plan import BY_AGE, Holder

BATCH = 200  # rows that one transaction removes


class RetentionRows:
    """Reads what a plan is made from, and removes what it says. Each removal is an act of the ledger."""

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def holders(self) -> list[Holder]:
        """What is kept of each visitor."""
        wanted = select(
            VisitorRow.visitor_id,
            _latest(ConsentRow.granted_at, ConsentRow.visitor_id),
            _latest(PassRow.issued_at, PassRow.visitor_id),
            _latest(VisitRow.last_at, VisitRow.visitor_id),
            _latest(SightingRow.at, SightingRow.visitor_id),
        )
        async with self._db.read() as session:
            return [Holder(*row) async for row in rows_of(session, wanted)]

    async def oldest(self) -> dict[RetentionClass, float | None]:
        """When the oldest of nobody's rows of each class was made."""
        async with self._db.read() as session:
            return {kind: await session.scalar(select(func.min(_AGE[kind])).where(*_NOBODYS[kind])) for kind in BY_AGE}

    async def settle(self, settled: Settled) -> None:
        """Keep these verdicts, for their evidence goes."""
        visits, signings = [*settled.visits.items()], [*settled.signings.items()]
        for first in range(0, max(len(visits), len(signings)), BATCH):
            part = slice(first, first + BATCH)
            async with self._db.write() as session:
                await settle(session, Settled(dict(visits[part]), dict(signings[part])))

    async def drop(self, kind: RetentionClass, before: float, visitor_id: str | None, now: float) -> int:
        """Remove at most a batch of what is from before `before`, the oldest first → how many rows; 0: there are no more.

        The rows are the visitor's, or without one nobody's.
        """
        key, whose = _KEY[kind], _NOBODYS[kind] if visitor_id is None else (_OF_VISITOR[kind] == visitor_id,)
        due = select(key).where(_AGE[kind] < before, *whose).order_by(_FIRST[kind]).limit(BATCH)
        async with self._db.write() as session:
            keys: list[Any] = list(await session.scalars(due))
            removed = len(keys)
            if kind is RetentionClass.VISITS:
                await _drop_visits(session, keys)
                if visitor_id is not None and removed < BATCH:
                    removed += await _drop_passes(session, visitor_id, before)
            else:
                await session.execute(delete(key.class_).where(key.in_(keys)))
            if removed:
                data: Data = {"class": kind.value, "removed": removed}
                named = self._ledger.nameable(visitor_id)
                await self._ledger.append(session, "purged", at=now, visitor_id=named, data=data)
            return removed


_KEY: Mapping[RetentionClass, InstrumentedAttribute[Any]] = {
    RetentionClass.SIGHTINGS: SightingRow.sighting_id,
    RetentionClass.VISITS: VisitRow.visit_id,
    RetentionClass.REFERRALS: ReferralRow.referral_id,
    RetentionClass.EVENTS: EventRow.sequence,
}
# The oldest first, as an index has them.
_FIRST: Mapping[RetentionClass, InstrumentedAttribute[Any]] = {
    RetentionClass.SIGHTINGS: SightingRow.sighting_id,
    RetentionClass.VISITS: VisitRow.started_at,
    RetentionClass.REFERRALS: ReferralRow.filed_at,
    RetentionClass.EVENTS: EventRow.sequence,
}
# What a row of nobody's counts from. A referral can only have been declared before it was filed.
_AGE: Mapping[RetentionClass, InstrumentedAttribute[float]] = {
    RetentionClass.SIGHTINGS: SightingRow.at,
    RetentionClass.VISITS: VisitRow.last_at,
    RetentionClass.REFERRALS: ReferralRow.filed_at,
    RetentionClass.EVENTS: EventRow.occurred_at,
}
_NOBODYS: Mapping[RetentionClass, tuple[ColumnElement[bool], ...]] = {
    RetentionClass.SIGHTINGS: (SightingRow.visitor_id.is_(None),),
    RetentionClass.VISITS: (VisitRow.visitor_id.is_(None), VisitRow.ended_at.is_not(None)),
    RetentionClass.REFERRALS: (),
    RetentionClass.EVENTS: (),
}
_OF_VISITOR: Mapping[RetentionClass, InstrumentedAttribute[str | None]] = {
    RetentionClass.SIGHTINGS: SightingRow.visitor_id,
    RetentionClass.VISITS: VisitRow.visitor_id,
}


def _latest(time: InstrumentedAttribute[float], whose: InstrumentedAttribute[Any]) -> ColumnElement[float | None]:
    return select(func.max(time)).where(whose == VisitorRow.visitor_id).scalar_subquery()


async def _drop_visits(session: AsyncSession, visit_ids: Sequence[str]) -> None:
    """Visits with their cases, passes shown, contacts given and signings; sightings of them are nobody's from now on."""
    nobodys = dict.fromkeys(("visitor_id", "score", "margin", "visit_id", "salt", "ledger"))
    await session.execute(update(SightingRow).where(SightingRow.visit_id.in_(visit_ids)).values(nobodys))
    for table in (PassScanRow, CheckInRow, SigningRow):
        await session.execute(delete(table).where(table.visit_id.in_(visit_ids)))
    await session.execute(delete(VisitRow).where(VisitRow.visit_id.in_(visit_ids)))


async def _drop_passes(session: AsyncSession, visitor_id: str, before: float) -> int:
    theirs = (PassRow.visitor_id == visitor_id, PassRow.issued_at < before)
    codes = list(await session.scalars(select(PassRow.code_tag).where(*theirs)))
    await session.execute(delete(PassRow).where(PassRow.code_tag.in_(codes)))
    return len(codes)
