"""The table of changes of a site's attribution settings."""

from __future__ import annotations

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from .schema import ID, NUMBER, WORDS, Base


class ChangeRow(Base):
    """Something was set to another value. Rows are only added: which visits are judged by what follows from them."""

    __tablename__ = "setting_changes"
    __table_args__ = ({"sqlite_autoincrement": True},)

    change_id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    at: Mapped[float]  # it holds for visits that begin after this
    key: Mapped[str] = mapped_column(ID)
    old: Mapped[float | str | None] = mapped_column(JSON(none_as_null=True))  # None: what the site began with
    new: Mapped[float | str] = mapped_column(JSON)
    source: Mapped[str] = mapped_column(ID)  # by whose word: "bridge.yaml" or "set"
    token_id: Mapped[str | None] = mapped_column(ID)  # who: None for whoever wrote bridge.yaml
    user_id: Mapped[str | None] = mapped_column(WORDS)  # the hub's own, opaque
