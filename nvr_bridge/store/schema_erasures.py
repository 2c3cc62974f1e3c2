"""The table of erasures that were asked for and are not finished."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from .schema import ID, Base


class ErasureRow(Base):
    """Somebody asked to be erased. Goes with the visitor, in the erasure's own transaction."""

    __tablename__ = "erasures"

    visitor_id: Mapped[str] = mapped_column(ID, ForeignKey("visitors.visitor_id", ondelete="CASCADE"), primary_key=True)
    asked_at: Mapped[float]
