"""Small values under a key, such as who acknowledged the impact assessment."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from .database import Database
from .schema import SettingRow


class SettingsTable:
    """The values, as JSON."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, key: str) -> Any:
        """The value, or None if there is none."""
        async with self._db.read() as session:
            row = await session.get(SettingRow, key)
            return row.value if row else None

    async def set(self, key: str, value: Any) -> None:
        """Keep a JSON-able value; None removes it."""
        async with self._db.write() as session:
            await self.put(session, key, value)

    async def put(self, session: AsyncSession, key: str, value: Any) -> None:
        """The same in the caller's write transaction."""
        if value is not None:
            await session.merge(SettingRow(key=key, value=value))
        elif row := await session.get(SettingRow, key):
            await session.delete(row)
