"""Erasing a visitor's rows, once their key is gone.

A withdrawal destroys the key first: from then on nothing of the visitor can be read, whatever a crash leaves behind, and
the rows without a key tell the next start what is left to erase.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ..models import Event
from ..store.cases import SOME
from ..store.schema import (
    CheckInRow,
    ConsentRow,
    EventRow,
    PassRow,
    PassScanRow,
    SightingRow,
    TemplateRow,
    VisitorRow,
    VisitRow,
)
from ..store.schema_cases import CaseRow, ReviewRow


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What is to be told of a withdrawal: the hub has to forget this alias and these visits."""

    alias: str
    visit_ids: tuple[str, ...]
    event: Event


async def erase_rows(
    session: AsyncSession, visitor_id: str, settled: Mapping[str, dict[str, Any]]
) -> tuple[str, tuple[str, ...]]:
    """Erase the visitor in the caller's transaction → (the zone of their last consent, their visits).

    Visits, events and sightings stay for the counts, as nobody's; of a visit its verdict too, from `settled`.
    """
    latest = (
        select(ConsentRow.zone_id).where(ConsentRow.visitor_id == visitor_id).order_by(ConsentRow.granted_at.desc())
    )
    zone_id = await session.scalar(latest.limit(1)) or ""
    visits = await session.scalars(select(VisitRow.visit_id).where(VisitRow.visitor_id == visitor_id))
    visit_ids = tuple(visits)
    for visit_id, verdict in settled.items():
        await session.execute(update(VisitRow).where(VisitRow.visit_id == visit_id).values(settled=verdict))
    alone = await _erase_contacts(session, visitor_id)
    await _erase_reasons(session, [*visit_ids, *alone])
    await session.execute(
        update(SightingRow).where(SightingRow.visitor_id == visitor_id).values(visitor_id=None, score=None, margin=None)
    )
    await session.execute(update(EventRow).where(EventRow.visitor_id == visitor_id).values(visitor_id=None))
    # Nobody extends or ends an open visit that is nobody's, so it ends here.
    theirs_open = (VisitRow.visitor_id == visitor_id, VisitRow.ended_at.is_(None))
    await session.execute(update(VisitRow).where(*theirs_open).values(ended_at=VisitRow.last_at))
    await session.execute(update(VisitRow).where(VisitRow.visitor_id == visitor_id).values(visitor_id=None))
    for table in (PassScanRow, PassRow, CheckInRow):
        await session.execute(delete(table).where(table.visitor_id == visitor_id))
    await session.execute(delete(TemplateRow).where(TemplateRow.visitor_id == visitor_id))
    await session.execute(delete(ConsentRow).where(ConsentRow.visitor_id == visitor_id))
    await session.execute(delete(VisitorRow).where(VisitorRow.visitor_id == visitor_id))
    return zone_id, visit_ids


async def _erase_contacts(session: AsyncSession, visitor_id: str) -> list[str]:
    """Erase what was told under the visitor's contacts alone, unless somebody else gave the same contact → its visits."""
    theirs = select(CheckInRow.contact_full).where(CheckInRow.visitor_id == visitor_id)
    others = select(CheckInRow.contact_full).where(
        CheckInRow.visitor_id.is_not(None), CheckInRow.visitor_id != visitor_id
    )
    alone = CheckInRow.visitor_id.is_(None), CheckInRow.contact_full.in_(theirs), CheckInRow.contact_full.not_in(others)
    visits = await session.scalars(select(CheckInRow.visit_id).where(*alone).distinct())
    visit_ids = [*visits]
    await session.execute(delete(CheckInRow).where(*alone))
    return visit_ids


async def _erase_reasons(session: AsyncSession, visit_ids: Sequence[str]) -> None:
    """Of what people said about these visits stay the verdicts; no entry of the ledger joins to them any more."""
    gone = {"reason_sealed": None, "salt": None, "ledger": None}
    for first in range(0, len(visit_ids), SOME):
        cases = select(CaseRow.case_id).where(CaseRow.visit_id.in_(visit_ids[first : first + SOME]))
        await session.execute(update(ReviewRow).where(ReviewRow.case_id.in_(cases)).values(**gone))
