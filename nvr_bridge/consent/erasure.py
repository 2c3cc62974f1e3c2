"""Erasing a visitor's rows, once their key is gone.

A withdrawal destroys the key first: from then on nothing of the visitor can be read, whatever a crash leaves behind, and
the rows without a key tell the next start what is left to erase.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import batched

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ..models import Event
from ..store.database import PAGE, Database
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
from ..store.schema_claims import ClaimRow
from ..store.schema_evidence import CorrectedRow, CorrectionRow, CoSignerRow, SigningRow, StaffRow
from ..store.schema_links import LinkRow
from ..store.settled import Alone, Settled, settle, told_alone


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What is to be told of a withdrawal: the hub has to forget this alias and these visits."""

    alias: str
    visit_ids: tuple[str, ...]
    event: Event
    receipt: int  # the ledger's number of it: a receipt waits under that


async def ids_of(db: Database, *visitor_ids: str, lapsing: Collection[str] = ()) -> frozenset[str]:
    """What the store's file must not say any more once these visitors are erased, and the consents of those `lapsing` ended."""
    theirs = ConsentRow.visitor_id.in_({*visitor_ids, *lapsing})
    async with db.read() as session:
        return frozenset({*visitor_ids, *await session.scalars(select(ConsentRow.consent_id).where(theirs))})


async def erase_rows(session: AsyncSession, visitor_id: str, settled: Settled) -> tuple[str, tuple[str, ...]]:
    """Erase the visitor in the caller's transaction → (the zone of their last consent, their visits).

    Visits, signings, events and sightings stay for the counts, as nobody's; of the first two their verdicts too.
    """
    latest = (
        select(ConsentRow.zone_id).where(ConsentRow.visitor_id == visitor_id).order_by(ConsentRow.granted_at.desc())
    )
    zone_id = await session.scalar(latest.limit(1)) or ""
    visits = await session.scalars(select(VisitRow.visit_id).where(VisitRow.visitor_id == visitor_id))
    visit_ids = tuple(visits)
    await settle(session, settled)
    alone = await told_alone(session, visitor_id)
    await _erase_evidence(session, visitor_id, alone)
    await _erase_reasons(session, [*visit_ids, *alone.visits])
    await session.execute(
        update(SightingRow).where(SightingRow.visitor_id == visitor_id).values(dict.fromkeys(_OF_SIGHTING))
    )
    await session.execute(update(EventRow).where(EventRow.visitor_id == visitor_id).values(visitor_id=None))
    # Nobody extends or ends an open visit that is nobody's, so it ends here.
    unnamed = and_(VisitRow.visitor_id.is_(None), VisitRow.visit_id.in_(alone.visits))
    theirs_open = (or_(VisitRow.visitor_id == visitor_id, unnamed), VisitRow.ended_at.is_(None))
    await session.execute(update(VisitRow).where(*theirs_open).values(ended_at=VisitRow.last_at))
    await session.execute(update(VisitRow).where(VisitRow.visitor_id == visitor_id).values(visitor_id=None))
    for table in (LinkRow, TemplateRow, ConsentRow, VisitorRow):
        await session.execute(delete(table).where(table.visitor_id == visitor_id))
    return zone_id, (*visit_ids, *sorted(alone.visits.difference(visit_ids)))


# --- helpers ------------------------------------------------------------------------------------------------------

_OF_SIGHTING = ("visitor_id", "score", "margin", "salt", "ledger")  # what says whose it was


async def _erase_evidence(session: AsyncSession, visitor_id: str, alone: Alone) -> None:
    """Of signings nothing stays but when and where, and the verdict; of staff marks and corrections nothing at all."""
    await session.execute(delete(CheckInRow).where(CheckInRow.check_in_id.in_(alone.check_ins)))
    theirs = or_(SigningRow.visitor_id == visitor_id, SigningRow.signing_id.in_(alone.signings))
    nobodys = dict.fromkeys(("visitor_id", "document", "contact_full", "contact_mask", "salt", "ledger"))
    await session.execute(update(SigningRow).where(theirs).values(nobodys))
    for table in (PassScanRow, PassRow, CheckInRow, CoSignerRow, StaffRow, CorrectedRow):
        await session.execute(delete(table).where(table.visitor_id == visitor_id))
    still = select(CorrectedRow.correction_id).group_by(CorrectedRow.correction_id).having(func.count() > 1)
    await session.execute(delete(CorrectionRow).where(CorrectionRow.correction_id.not_in(still)))


async def _erase_reasons(session: AsyncSession, visit_ids: Sequence[str]) -> None:
    """Of what people said about these visits stay the verdicts; no entry of the ledger joins to them any more.

    A partner keeps the answer that it was given, and from its referral nothing leads to the visit.
    """
    gone = {"reason_sealed": None, "salt": None, "ledger": None, "referral_id": None}
    for part in batched(visit_ids, PAGE, strict=False):
        cases = select(CaseRow.case_id).where(CaseRow.visit_id.in_(part))
        await session.execute(update(ReviewRow).where(ReviewRow.case_id.in_(cases)).values(**gone))
        await session.execute(update(CaseRow).where(CaseRow.visit_id.in_(part)).values(salt=None, ledger=None))
        await session.execute(update(ClaimRow).where(ClaimRow.case_id.in_(cases)).values(case_id=None))
