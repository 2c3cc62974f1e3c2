"""Visitors who belong to the staff, and for how long. Nothing is changed: an end is one more row, and the earliest holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ..consent.ledger import Ledger
from ..errors import ConflictError, InvalidError, NotFoundError
from .database import Database, rows_of
from .schema import VisitorRow
from .schema_evidence import StaffRow


@dataclass(frozen=True, slots=True)
class StoredMark:
    """What was told of a visitor: staff from the local day of `from_at` on, before `until_at`."""

    mark_id: int
    visitor_id: str
    from_at: float
    until_at: float | None
    told_at: float


MARKS = select(StaffRow.mark_id, StaffRow.visitor_id, StaffRow.from_at, StaffRow.until_at, StaffRow.told_at)


class StaffTable:
    """The staff marks."""

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def mark(self, visitor_id: str, from_at: float, until_at: float | None, now: float) -> StoredMark:
        """The visitor is staff.

        Raises `NotFoundError` for a visitor who has withdrawn, `ConflictError` where they are staff then already.
        """
        async with self._db.write() as session:
            if await session.get(VisitorRow, visitor_id) is None:
                raise NotFoundError("alias: no visitor has it any more")
            for mark in in_force(await self._of(session, visitor_id)):
                if mark.from_at < _end(until_at) and from_at < _end(mark.until_at):
                    raise ConflictError("alias: is staff then already; end that with `nvr-bridge staff end` first")
            return await self._add(session, "staff_marked", visitor_id, from_at, until_at, now)

    async def end(self, visitor_id: str, until: float, now: float, day_start: Callable[[float], float]) -> StoredMark:
        """The visitor is staff only before `until`, which may have passed: for all of it, where it is the first day's start.

        Raises `NotFoundError` where no mark holds beyond that, `InvalidError` where the only ones begin later.
        """
        async with self._db.write() as session:
            marks = [mark for mark in in_force(await self._of(session, visitor_id)) if _end(mark.until_at) > until]
            if not marks:
                raise NotFoundError("alias: is not staff then; `nvr-bridge staff list` shows who is")
            begun = [mark for mark in marks if day_start(mark.from_at) <= until]
            if not begun:
                raise InvalidError("until: is before the day on which they became staff; give that day or a later time")
            return await self._add(session, "staff_ended", visitor_id, begun[-1].from_at, until, now)

    async def all(self) -> Sequence[StoredMark]:
        """Everything that was told, the oldest first."""
        wanted = MARKS.order_by(StaffRow.mark_id)
        async with self._db.read() as session:
            return [StoredMark(*row) async for row in rows_of(session, wanted)]

    # --- helpers ---

    async def _of(self, session: AsyncSession, visitor_id: str) -> list[StoredMark]:
        wanted = MARKS.where(StaffRow.visitor_id == visitor_id).order_by(StaffRow.mark_id)
        return [StoredMark(*row) for row in await session.execute(wanted)]

    async def _add(
        self, session: AsyncSession, act: str, visitor_id: str, from_at: float, until_at: float | None, now: float
    ) -> StoredMark:
        data = {"from": from_at, "until": until_at}
        entry = await self._ledger.append(session, act, at=now, visitor_id=visitor_id, data={**data})
        row = StaffRow(visitor_id=visitor_id, from_at=from_at, until_at=until_at, told_at=now, ledger=entry.number)
        session.add(row)
        await session.flush()
        return StoredMark(row.mark_id, visitor_id, from_at, until_at, now)


def in_force(told: Sequence[StoredMark]) -> list[StoredMark]:
    """The marks as they hold now, with their earliest ends; the earliest first."""
    found: dict[tuple[str, float], StoredMark] = {}
    for mark in told:
        key = (mark.visitor_id, mark.from_at)
        if key not in found or _end(mark.until_at) < _end(found[key].until_at):
            found[key] = mark
    return sorted(found.values(), key=lambda mark: (mark.from_at, mark.mark_id))


def _end(until: float | None) -> float:
    return float("inf") if until is None else until
