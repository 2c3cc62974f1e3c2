"""Everything that the store keeps of one visitor, table by table."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select

from .database import Database
from .schema import (
    Base,
    CheckInRow,
    ConsentRow,
    EventRow,
    PassRow,
    PassScanRow,
    SightingRow,
    TemplateRow,
    VisitorRow,
    VisitRow,
)
from .schema_erasures import ErasureRow
from .schema_evidence import CorrectedRow, CoSignerRow, SigningRow, StaffRow
from .schema_links import LinkRow

type Rows = list[dict[str, Any]]

# What is told of a row. What is left out only this engine can make anything of: keyed hashes, sealed bytes, what proves a
# row to the ledger, and the numbers by which rows name each other.
TOLD: Final[dict[type[Base], tuple[str, ...]]] = {
    VisitorRow: (),  # the alias, which is told apart
    ConsentRow: (
        "zone_id",
        "notice_hash",
        "language",
        "purpose",
        "granted_at",
        "expires_at",
        "guardian",
        "zones",
        "channel",
        "superseded_at",
    ),
    TemplateRow: ("template_id", "pack"),
    VisitRow: ("visit_id", "zone_id", "started_at", "last_at", "ended_at"),
    SightingRow: ("camera_id", "zone_id", "started_at", "at", "ended_at", "score", "margin"),
    EventRow: ("kind", "occurred_at", "zone_id"),
    PassRow: ("issued_at",),
    PassScanRow: ("zone_id", "at"),
    CheckInRow: ("zone_id", "at", "source"),
    ErasureRow: ("asked_at",),
    LinkRow: ("issued_at", "expires_at"),
    SigningRow: ("zone_id", "at"),
    CoSignerRow: (),
    StaffRow: ("from_at", "until_at", "told_at"),
    CorrectedRow: (),
}


class SubjectTable:
    """Reads, and changes nothing."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def read(self, visitor_id: str) -> dict[str, Rows]:
        """The visitor's rows by table, of one moment; tables without one are left out."""
        found: dict[str, Rows] = {}
        async with self._db.read() as session:
            for table, columns in TOLD.items():
                wanted = select(table).where(table.visitor_id == visitor_id)  # type: ignore[attr-defined]
                rows = [{name: getattr(row, name) for name in columns} for row in await session.scalars(wanted)]
                if rows and table is not VisitorRow:
                    found[table.__tablename__] = rows
        return found
