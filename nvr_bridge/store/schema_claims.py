"""The table of claims: what decisions made of partners' referrals."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .schema import ID, NUMBER, Base


class ClaimRow(Base):
    """What the latest decision of a case made of one referral: all that a partner is ever told of a visit."""

    __tablename__ = "claims"
    __table_args__ = (UniqueConstraint("referral_id", "case_id"),)

    claim_id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    referral_id: Mapped[str] = mapped_column(ID, ForeignKey("referrals.referral_id", ondelete="CASCADE"))
    # None once the visitor's evidence was erased: the partner keeps its answer, and nothing leads to the visit.
    case_id: Mapped[str | None] = mapped_column(ID, ForeignKey("cases.case_id", ondelete="SET NULL"), index=True)
    outcome: Mapped[str] = mapped_column(ID)  # visits.claims.Decided
    day: Mapped[str] = mapped_column(ID)  # the visit's, local to the site, ISO 8601
    decided_at: Mapped[float]
    appealed_at: Mapped[float | None]  # against this outcome
