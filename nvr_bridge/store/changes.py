"""Changes of a site's attribution settings, as they were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from .database import Database
from .schema_changes import ChangeRow


@dataclass(frozen=True, slots=True)
class StoredChange:
    """One setting was set to another value, for visits that begin after `at`."""

    at: float
    key: str
    old: float | str | None  # None: what the site began with
    new: float | str
    source: str  # "bridge.yaml" or "set"
    token_id: str | None = None
    user_id: str | None = None


class ChangeTable:
    """The changes."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def all(self) -> Sequence[StoredChange]:
        """Every one, in the order in which they were made."""
        async with self._db.read() as session:
            rows = await session.scalars(select(ChangeRow).order_by(ChangeRow.change_id))
            return [_stored(row) for row in rows]

    async def add(self, session: AsyncSession, changes: Sequence[StoredChange]) -> None:
        """Keep some more, in the caller's write transaction."""
        session.add_all([ChangeRow(**asdict(change)) for change in changes])
        await session.flush()


def _stored(row: ChangeRow) -> StoredChange:
    return StoredChange(row.at, row.key, _value(row.old), _value(row.new), row.source, row.token_id, row.user_id)


def _value[T: str | None](value: float | T) -> float | T:
    """SQLite gives a whole number back as one, whatever it was."""
    return float(value) if isinstance(value, int) else value
