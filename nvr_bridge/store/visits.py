"""Visits: one row a stay, and the events that tell of it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import batched
from typing import Any

from sqlalchemy import Select, func, insert, or_, select, union
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ..errors import ConflictError, NotFoundError
from ..events import EventLog
from ..models import Event, EventKind, Visit
from .cases import open_case
from .database import PAGE, Database, rows_of, within
from .schema import CheckInRow, Data, VisitRow
from .schema_evidence import SigningRow
from .settled import Alone, told_alone

# What is written in the same transaction as the visit that it belongs to.
type Also = Callable[[AsyncSession, Visit], Awaitable[None]]


VISITS = select(
    *(VisitRow.visit_id, VisitRow.visitor_id, VisitRow.zone_id, VisitRow.started_at, VisitRow.last_at),
    *(VisitRow.ended_at, VisitRow.earlier, VisitRow.settled),
)


class VisitTable:
    """The visits. An event is in the same transaction as what it tells of; the caller publishes it."""

    def __init__(self, db: Database, log: EventLog) -> None:
        self._db = db
        self._log = log

    async def open_visits(self) -> Sequence[Visit]:
        """Those that nothing has ended, the longest first."""
        async with self._db.read() as session:
            wanted = select(VisitRow).where(VisitRow.ended_at.is_(None)).order_by(VisitRow.started_at)
            return [_visit(row) for row in await session.scalars(wanted)]

    async def open_unnamed(self) -> dict[str, list[str]]:
        """The open visits of people who gave no name → the keyed hashes of the documents and contacts that stand for them."""
        still = (VisitRow.ended_at.is_(None), VisitRow.visitor_id.is_(None))
        checked_in = (
            select(VisitRow.visit_id, CheckInRow.contact_full)
            .join(CheckInRow, CheckInRow.visit_id == VisitRow.visit_id)
            .where(*still, CheckInRow.visitor_id.is_(None))
        )
        signed = (
            select(VisitRow.visit_id, SigningRow.document, SigningRow.contact_full)
            .join(SigningRow, SigningRow.visit_id == VisitRow.visit_id)
            .where(*still, SigningRow.visitor_id.is_(None))
        )
        found: dict[str, list[str]] = defaultdict(list)
        async with self._db.read() as session:
            for wanted in (checked_in, signed):
                for visit_id, *names in await session.execute(wanted):
                    found[visit_id] += [name for name in names if name is not None]
        return found

    async def begin(
        self,
        visitor_id: str | None,
        zone_id: str,
        at: float,
        data: Data | None = None,
        *,
        visit_id: str | None = None,
        names: Sequence[str] = (),
        also: Also | None = None,
    ) -> tuple[Visit, Event]:
        """Open a visit, and its case: `first_visit`, or `returning_visit` if the visitor made others before.

        Without a visitor the visit is that of whoever gave `names`, the keyed hashes of a document or a contact.
        Raises `NotFoundError` for a visitor who has withdrawn, `ConflictError` for a `visit_id` that is taken.
        """
        visit_id = visit_id or uuid.uuid4().hex
        try:
            async with self._db.write() as session:
                earlier = (await session.execute(_made(visitor_id, names))).scalar_one()
                visit = Visit(visit_id, visitor_id, zone_id, at, at, None, earlier)
                await session.execute(
                    insert(VisitRow).values(
                        visit_id=visit_id,
                        visitor_id=visitor_id,
                        zone_id=zone_id,
                        started_at=at,
                        last_at=at,
                        ended_at=None,
                        earlier=earlier,
                    )
                )
                kind = EventKind.RETURNING_VISIT if visit.returning else EventKind.FIRST_VISIT
                event = await self._tell(session, visit, kind, at, data)
                await open_case(session, visit_id, at)
                if also is not None:
                    await also(session, visit)
        except IntegrityError as err:
            if "FOREIGN KEY" in str(err.orig).upper():
                raise NotFoundError(f"visitor {visitor_id}: has withdrawn, so no visit can be theirs") from err
            raise ConflictError(f"visit {visit_id}: exists already") from err
        return visit, event

    async def extend(self, visit_id: str, at: float, also: Also | None = None) -> Visit:
        """The visitor was still there at `at`. Raises `NotFoundError`."""
        async with self._db.write() as session:
            row = await _row(session, visit_id)
            row.last_at = max(row.last_at, at)
            visit = _visit(row)
            if also is not None:
                await also(session, visit)
            return visit

    async def end(self, visit_id: str, at: float, data: Data | None = None) -> tuple[Visit, Event]:
        """Close a visit at `at`. Raises `NotFoundError`, and `ConflictError` if it is closed already."""
        async with self._db.write() as session:
            row = await _row(session, visit_id)
            if row.ended_at is not None:
                raise ConflictError(f"visit {visit_id}: has ended already")
            row.ended_at = at
            visit = _visit(row)
            event = await self._tell(session, visit, EventKind.VISIT_ENDED, at, data)
        return visit, event

    async def count(self) -> int:
        """How many there are."""
        async with self._db.read() as session:
            return await session.scalar(select(func.count()).select_from(VisitRow)) or 0

    async def all(self) -> Sequence[Visit]:
        """Every visit, the oldest first."""
        wanted = VISITS.order_by(VisitRow.started_at, VisitRow.visit_id)
        async with self._db.read() as session:
            return [Visit(*row) async for row in rows_of(session, wanted)]

    async def of(self, visitor_id: str) -> Sequence[Visit]:
        """The visitor's visits, the oldest first."""
        wanted = select(VisitRow).where(VisitRow.visitor_id == visitor_id).order_by(VisitRow.started_at)
        async with self._db.read() as session:
            return [_visit(row) for row in await session.scalars(wanted)]

    async def get(self, visit_id: str) -> Visit:
        """A visit. Raises `NotFoundError`."""
        async with self._db.read() as session:
            return _visit(await _row(session, visit_id))

    async def some(self, visit_ids: Iterable[str]) -> Sequence[Visit]:
        """Those of these visits that there are, the oldest first."""
        found: list[Visit] = []
        async with self._db.read() as session:
            for part in batched(visit_ids, PAGE, strict=False):
                rows = await session.scalars(select(VisitRow).where(VisitRow.visit_id.in_(part)))
                found += [_visit(row) for row in rows]
        return sorted(found, key=lambda visit: (visit.started_at, visit.visit_id))

    async def correct(self, session: AsyncSession, visit: Visit, earlier: int) -> int | None:
        """In the caller's write transaction, say how many visits the same person had made before → how many it said.

        None, and nothing done, for a visit whose visitor withdrew since it was read.
        """
        row = await session.get(VisitRow, visit.visit_id)
        if row is None or row.visitor_id != visit.visitor_id or row.settled != visit.settled:
            return None
        before, row.earlier = row.earlier, earlier
        return before

    async def told_alone(self, visitor_id: str) -> Alone:
        """The evidence that does not name the visitor, and will be erased with them."""
        async with self._db.read() as session:
            return await told_alone(session, visitor_id)

    async def list(
        self, since: float | None, until: float | None, zone_id: str | None, limit: int | None
    ) -> Sequence[Visit]:
        """The newest `limit` visits that began in [since, until), the newest first."""
        where = within(VisitRow.started_at, since, until, VisitRow.zone_id, zone_id)
        wanted = VISITS.where(*where).order_by(VisitRow.started_at.desc(), VisitRow.visit_id).limit(limit)
        async with self._db.read() as session:
            return [Visit(*row) async for row in rows_of(session, wanted)]

    async def _tell(self, session: AsyncSession, visit: Visit, kind: EventKind, at: float, data: Data | None) -> Event:
        return await self._log.append(
            session,
            kind=kind,
            occurred_at=at,
            zone_id=visit.zone_id,
            visit_id=visit.visit_id,
            visitor_id=visit.visitor_id,
            data=data,
        )


def _made(visitor_id: str | None, names: Sequence[str]) -> Select[Any]:
    """How many visits were made before."""
    if visitor_id is not None:
        return select(func.count()).select_from(VisitRow).where(VisitRow.visitor_id == visitor_id)
    checked_in = select(CheckInRow.visit_id).where(CheckInRow.visitor_id.is_(None), CheckInRow.contact_full.in_(names))
    signed = select(SigningRow.visit_id).where(
        SigningRow.visitor_id.is_(None), or_(SigningRow.document.in_(names), SigningRow.contact_full.in_(names))
    )
    return select(func.count()).select_from(union(checked_in, signed).subquery())


async def _row(session: AsyncSession, visit_id: str) -> VisitRow:
    row = await session.get(VisitRow, visit_id)
    if row is None:
        raise NotFoundError(f"visit {visit_id}: does not exist")
    return row


def _visit(row: VisitRow) -> Visit:
    return Visit(
        visit_id=row.visit_id,
        visitor_id=row.visitor_id,
        zone_id=row.zone_id,
        started_at=row.started_at,
        last_at=row.last_at,
        ended_at=row.ended_at,
        earlier=row.earlier,
        settled=row.settled,
    )
