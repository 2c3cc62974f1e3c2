"""The table of visitors' links to their own page."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from .schema import ID, Base


class LinkRow(Base):
    """A token that opens a visitor's own page. Whoever reads this cannot make the token."""

    __tablename__ = "links"

    token_tag: Mapped[str] = mapped_column(ID, primary_key=True)  # keyed hash
    visitor_id: Mapped[str] = mapped_column(ID, ForeignKey("visitors.visitor_id", ondelete="CASCADE"), index=True)
    issued_at: Mapped[float]
    expires_at: Mapped[float | None]  # None: as long as the visitor is remembered
