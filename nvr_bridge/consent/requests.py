"""Erasures that were asked for: each is written down before it begins, so that no crash and no full disk forgets it."""

from __future__ import annotations

from sqlalchemy import select

from ..store.database import Database
from ..store.schema import VisitorRow
from ..store.schema_erasures import ErasureRow


class Requests:
    """Those that are not finished. One goes with its visitor, in the erasure's own transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, visitor_id: str, now: float) -> None:
        """Somebody asks to be erased; who asked before, or is not remembered, is left as they are. Raises `RetryError`."""
        async with self._db.write() as session:
            if await session.get(VisitorRow, visitor_id) and not await session.get(ErasureRow, visitor_id):
                session.add(ErasureRow(visitor_id=visitor_id, asked_at=now))

    async def all(self) -> frozenset[str]:
        """Who asked, and is still there."""
        async with self._db.read() as session:
            return frozenset(await session.scalars(select(ErasureRow.visitor_id)))
