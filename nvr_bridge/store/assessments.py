"""Impact assessments: who stands for the one in force, and those before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select, update

from ..consent.ledger import Ledger
from .database import Database
from .schema import AssessmentRow, Data


@dataclass(frozen=True, slots=True)
class StoredAssessment:
    """An acknowledged assessment."""

    by: str
    ground: str
    profile: str | None
    acknowledged_at: float
    expires_at: float
    superseded_at: float | None = None

    def ended_at(self, now: float) -> float | None:
        """When it ceased to hold; None while it does."""
        ends = [at for at in (self.expires_at, self.superseded_at) if at is not None and at <= now]
        return min(ends, default=None)


class AssessmentTable:
    """The assessments."""

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def add(self, made: StoredAssessment) -> None:
        """Keep one, in place of the one before, which stays as a record."""
        now = made.acknowledged_at
        async with self._db.write() as session:
            before = AssessmentRow.superseded_at.is_(None)
            await session.execute(update(AssessmentRow).where(before).values(superseded_at=now))
            session.add(
                AssessmentRow(
                    by_whom=made.by,
                    ground=made.ground,
                    profile=made.profile,
                    acknowledged_at=now,
                    expires_at=made.expires_at,
                    superseded_at=None,
                )
            )
            data: Data = {"profile": made.profile, "expires_at": made.expires_at}
            await self._ledger.append(session, "assessment_acknowledged", at=now, data=data)

    async def all(self) -> Sequence[StoredAssessment]:
        """Every one that is kept, the newest first."""
        async with self._db.read() as session:
            rows = await session.scalars(select(AssessmentRow).order_by(AssessmentRow.assessment_id.desc()))
            return [_stored(row) for row in rows]

    async def current(self, profile: str) -> StoredAssessment | None:
        """The one that took the place of all others, if it was made for this profile, expired or not."""
        wanted = (
            AssessmentRow.superseded_at.is_(None),
            or_(AssessmentRow.profile.is_(None), AssessmentRow.profile == profile),
        )
        async with self._db.read() as session:
            row = await session.scalar(select(AssessmentRow).where(*wanted))
        return None if row is None else _stored(row)

    async def drop_ended(self, before: float, now: float) -> int:
        """Remove those that ended before `before` → how many."""
        ended = func.min(AssessmentRow.expires_at, func.coalesce(AssessmentRow.superseded_at, AssessmentRow.expires_at))
        async with self._db.write() as session:
            old = list(await session.scalars(select(AssessmentRow.assessment_id).where(ended < before)))
            if old:
                await session.execute(delete(AssessmentRow).where(AssessmentRow.assessment_id.in_(old)))
                data: Data = {"class": "assessments", "removed": len(old)}
                await self._ledger.append(session, "purged", at=now, data=data)
        return len(old)


def _stored(row: AssessmentRow) -> StoredAssessment:
    return StoredAssessment(
        by=row.by_whom,
        ground=row.ground,
        profile=row.profile,
        acknowledged_at=row.acknowledged_at,
        expires_at=row.expires_at,
        superseded_at=row.superseded_at,
    )
