"""Channel partners: the companies that may file referrals."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from ..consent.ledger import Ledger
from ..errors import ConflictError, NotFoundError
from .database import Database
from .schema import PartnerRow


@dataclass(frozen=True, slots=True)
class Partner:
    """A company."""

    partner_id: str
    name: str
    added_at: float


class PartnerTable:
    """The partners."""

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def add(self, partner_id: str, name: str, now: float) -> Partner:
        """Keep a partner. Raises `ConflictError` for an id that is taken."""
        async with self._db.write() as session:
            if await session.get(PartnerRow, partner_id) is not None:
                raise ConflictError(f"partner: {partner_id!r} is registered already; choose another id")
            session.add(PartnerRow(partner_id=partner_id, name=name, added_at=now))
            await self._ledger.append(session, "partner_added", at=now, data={"partner": partner_id})
        return Partner(partner_id, name, now)

    async def get(self, partner_id: str) -> Partner:
        """One partner. Raises `NotFoundError`."""
        async with self._db.read() as session:
            row = await session.get(PartnerRow, partner_id)
        if row is None:
            raise NotFoundError(f"partner: {partner_id!r} is not registered; `nvr-bridge partners list` shows them")
        return Partner(row.partner_id, row.name, row.added_at)

    async def all(self) -> list[Partner]:
        """Every partner, by its id."""
        async with self._db.read() as session:
            rows = await session.scalars(select(PartnerRow).order_by(PartnerRow.partner_id))
            return [Partner(row.partner_id, row.name, row.added_at) for row in rows]
