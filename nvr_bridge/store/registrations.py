"""Registered presence: passes shown and contacts given, each written with the visit that it opens or extends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ..consent.ledger import Ledger
from ..models import Visit
from . import proof
from .database import Database, rows_of
from .schema import CheckInRow, PassScanRow
from .schema_evidence import SigningRow
from .visits import Also


@dataclass(frozen=True, slots=True)
class Scan:
    """A pass was shown."""

    visitor_id: str
    zone_id: str
    at: float
    visit_id: str


@dataclass(frozen=True, slots=True)
class StoredCheckIn:
    """A contact was given. `full` and `mask` are its keyed hashes."""

    check_in_id: int
    visitor_id: str | None  # None: the contact stands for the person
    full: str
    mask: str
    source: str | None
    zone_id: str
    at: float
    visit_id: str


SCANS = select(PassScanRow.visitor_id, PassScanRow.zone_id, PassScanRow.at, PassScanRow.visit_id)
CHECK_INS = select(
    *(CheckInRow.check_in_id, CheckInRow.visitor_id, CheckInRow.contact_full, CheckInRow.contact_mask),
    *(CheckInRow.source, CheckInRow.zone_id, CheckInRow.at, CheckInRow.visit_id),
)


class RegistrationTable:
    """The passes shown and the contacts given."""

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    def scan(self, visitor_id: str, zone_id: str, at: float) -> Also:
        """What writes that the visitor's pass was shown."""

        async def write(session: AsyncSession, visit: Visit) -> None:
            row = PassScanRow(
                visitor_id=visitor_id, zone_id=zone_id, at=at, visit_id=visit.visit_id, salt=proof.new_salt()
            )
            act = {"proof": proof.of(proof.scan(row), row.salt)}
            entry = await self._ledger.append(
                session, "pass_scanned", at=at, zone_id=zone_id, visitor_id=visitor_id, data={**act}
            )
            row.ledger = entry.number
            session.add(row)
            await session.flush()

        return write

    def check_in(
        self, visitor_id: str | None, full: str, mask: str, source: str | None, zone_id: str, at: float
    ) -> Also:
        """What writes that a contact was given."""

        async def write(session: AsyncSession, visit: Visit) -> None:
            row = CheckInRow(
                visitor_id=visitor_id,
                contact_full=full,
                contact_mask=mask,
                source=source,
                zone_id=zone_id,
                at=at,
                visit_id=visit.visit_id,
                salt=proof.new_salt(),
            )
            act = {"proof": proof.of(proof.check_in(row), row.salt)}
            entry = await self._ledger.append(
                session, "checked_in", at=at, zone_id=zone_id, visitor_id=visitor_id, data={**act}
            )
            row.ledger = entry.number
            session.add(row)
            await session.flush()

        return write

    async def owner(self, full: str) -> str | None:
        """The one visitor whose first contact this is, at the desk or when signing; None where there is none, or several."""
        tables = (CheckInRow, SigningRow)
        givers: set[str | None] = set()
        given: list[tuple[float, str | None, str | None]] = []
        async with self._db.read() as session:
            for table in tables:
                wanted = select(table.visitor_id).where(table.contact_full == full, table.visitor_id.is_not(None))
                givers |= set(await session.scalars(wanted))
            for table in tables:
                theirs = (table.visitor_id.in_(givers), table.contact_full.is_not(None))
                rows = await session.execute(select(table.at, table.visitor_id, table.contact_full).where(*theirs))
                given += [(at, visitor_id, contact) for at, visitor_id, contact in rows]
        first: dict[str | None, str | None] = {}
        for _, visitor_id, contact in sorted(given, key=itemgetter(0)):
            first.setdefault(visitor_id, contact)
        owners = [visitor_id for visitor_id, contact in first.items() if contact == full]
        return owners[0] if len(owners) == 1 else None

    async def scans(self) -> Sequence[Scan]:
        """Every pass shown, the oldest first."""
        wanted = SCANS.order_by(PassScanRow.at, PassScanRow.scan_id)
        async with self._db.read() as session:
            return [Scan(*row) async for row in rows_of(session, wanted)]

    async def check_ins(self) -> Sequence[StoredCheckIn]:
        """Every contact given, the oldest first."""
        wanted = CHECK_INS.order_by(CheckInRow.at, CheckInRow.check_in_id)
        async with self._db.read() as session:
            return [StoredCheckIn(*row) async for row in rows_of(session, wanted)]
