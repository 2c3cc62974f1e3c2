"""The tables of cases: what people make of a visit's verdict."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from .schema import ID, NUMBER, WORDS, Base


class CaseRow(Base):
    """A visit's case. Written with the visit."""

    __tablename__ = "cases"

    case_id: Mapped[str] = mapped_column(ID, primary_key=True)  # random, so that nobody learns how many there are
    visit_id: Mapped[str] = mapped_column(ID, ForeignKey("visits.visit_id", ondelete="CASCADE"), unique=True)
    state: Mapped[str] = mapped_column(ID, index=True)  # models.CaseState, after the last review
    told: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # the verdict as it was last told
    told_at: Mapped[float | None]  # since when its verdict is that one
    salt: Mapped[str | None] = mapped_column(ID)  # with these columns it gives the proof that the ledger holds
    ledger: Mapped[int | None]  # the number of that entry
    opened_at: Mapped[float]


class ReviewRow(Base):
    """Something that happened to a case. Rows are only added; an erasure takes out what points at the visitor."""

    __tablename__ = "reviews"
    __table_args__ = ({"sqlite_autoincrement": True},)

    review_id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    case_id: Mapped[str] = mapped_column(ID, ForeignKey("cases.case_id", ondelete="CASCADE"), index=True)
    act: Mapped[str] = mapped_column(ID)  # models.ReviewAct
    state: Mapped[str] = mapped_column(ID)  # of the case, from here on
    at: Mapped[float] = mapped_column(index=True)
    attribution: Mapped[str | None] = mapped_column(ID)  # what was confirmed, or what it is to be
    partner: Mapped[str | None] = mapped_column(ID)
    seen: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # the verdict as it was then
    token_id: Mapped[str | None] = mapped_column(ID)  # who: None for the engine itself
    token_name: Mapped[str | None] = mapped_column(WORDS)
    user_id: Mapped[str | None] = mapped_column(WORDS)  # the hub's own, opaque
    referral_id: Mapped[str | None] = mapped_column(ID, index=True)  # that an appeal is about
    reason_sealed: Mapped[bytes | None]  # under the visitor's key if the visit is a visitor's, else the site's
    salt: Mapped[str | None] = mapped_column(ID)  # with the columns above it gives the proof that the ledger holds
    ledger: Mapped[int | None]  # the number of that entry
