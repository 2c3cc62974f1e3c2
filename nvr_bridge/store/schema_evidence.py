"""More tables that attribution rests on: signings, who belongs to the staff, and corrections of who is who.

Each row has the number of its entry in the ledger; with its `salt` it gives the proof that the entry holds (`proof.py`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from .schema import ID, NUMBER, Base

_VISITOR = "visitors.visitor_id"


class SigningRow(Base):
    """A contract was signed. Nobody's, and without document and contact, once the visitor withdrew."""

    __tablename__ = "signings"

    signing_id: Mapped[str] = mapped_column(ID, primary_key=True)
    visitor_id: Mapped[str | None] = mapped_column(ID, ForeignKey(_VISITOR, ondelete="SET NULL"), index=True)
    document: Mapped[str | None] = mapped_column(ID, index=True)  # keyed hash
    contact_full: Mapped[str | None] = mapped_column(ID, index=True)
    contact_mask: Mapped[str | None] = mapped_column(ID, index=True)
    zone_id: Mapped[str] = mapped_column(ID)
    at: Mapped[float] = mapped_column(index=True)
    visit_id: Mapped[str] = mapped_column(ID, index=True)
    salt: Mapped[str | None] = mapped_column(ID)
    ledger: Mapped[int | None]
    # The verdict as it was when its evidence was erased.
    settled: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class CoSignerRow(Base):
    """Somebody signed too."""

    __tablename__ = "co_signers"

    signing_id: Mapped[str] = mapped_column(ID, ForeignKey("signings.signing_id", ondelete="CASCADE"), primary_key=True)
    visitor_id: Mapped[str] = mapped_column(ID, ForeignKey(_VISITOR, ondelete="CASCADE"), primary_key=True, index=True)
    salt: Mapped[str] = mapped_column(ID)
    ledger: Mapped[int]


class StaffRow(Base):
    """A visitor was said to belong to the staff; or, with the same `from_at`, only until an earlier end."""

    __tablename__ = "staff_marks"
    __table_args__ = ({"sqlite_autoincrement": True},)

    mark_id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    visitor_id: Mapped[str] = mapped_column(ID, ForeignKey(_VISITOR, ondelete="CASCADE"), index=True)
    from_at: Mapped[float]  # it holds from the local day of this
    until_at: Mapped[float | None]
    told_at: Mapped[float]
    ledger: Mapped[int]


class CorrectionRow(Base):
    """A person said that some visitors are one, or that they are not."""

    __tablename__ = "corrections"
    __table_args__ = ({"sqlite_autoincrement": True},)

    correction_id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    kind: Mapped[str] = mapped_column(ID)  # "split" or "merge"
    at: Mapped[float]


class CorrectedRow(Base):
    """A visitor whom a correction is about."""

    __tablename__ = "corrected"

    correction_id: Mapped[int] = mapped_column(
        NUMBER, ForeignKey("corrections.correction_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    visitor_id: Mapped[str] = mapped_column(ID, ForeignKey(_VISITOR, ondelete="CASCADE"), primary_key=True, index=True)
    salt: Mapped[str] = mapped_column(ID)
    ledger: Mapped[int]
