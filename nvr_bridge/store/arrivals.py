"""What arrived since some moment: where a restart has to look again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select

from .database import Database
from .schema import ReferralRow, VisitRow
from .schema_cases import CaseRow, ReviewRow
from .schema_evidence import CorrectedRow, CorrectionRow, StaffRow


@dataclass(frozen=True, slots=True)
class Arrived:
    """Visits that went on, ended or were reviewed; referrals that were filed or withdrawn; visitors who were corrected."""

    visits: frozenset[str]
    referrals: frozenset[str]
    visitors: frozenset[str]


class Arrivals:
    """Reads the store. All presence extends a visit, so the visits say where there was some."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def since(self, at: float) -> Arrived:
        """Everything that was stored at `at` or later."""
        went_on = select(VisitRow.visit_id).where(or_(VisitRow.last_at >= at, VisitRow.ended_at >= at))
        reviewed = select(CaseRow.visit_id).join(ReviewRow, ReviewRow.case_id == CaseRow.case_id)
        claimed = select(ReferralRow.referral_id).where(or_(ReferralRow.filed_at >= at, ReferralRow.withdrawn_at >= at))
        marked = select(StaffRow.visitor_id).where(StaffRow.told_at >= at)
        corrected = select(CorrectedRow.visitor_id).join(
            CorrectionRow, CorrectionRow.correction_id == CorrectedRow.correction_id
        )
        corrected = corrected.where(CorrectionRow.at >= at)
        async with self._db.read() as session:
            visits = {*await session.scalars(went_on), *await session.scalars(reviewed.where(ReviewRow.at >= at))}
            referrals = frozenset(await session.scalars(claimed))
            visitors = {*await session.scalars(marked), *await session.scalars(corrected)}
        return Arrived(frozenset(visits), referrals, frozenset(visitors))
