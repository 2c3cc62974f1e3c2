"""Sightings: what each track amounted to. Of somebody unknown: when, where and why, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..consent.ledger import Ledger
from ..models import Known, Runs, Sighting
from . import proof
from .database import Database, rows_of, within
from .schema import Data, SightingRow, VisitorRow


@dataclass(frozen=True, slots=True)
class StoredSighting:
    """A sighting as it is kept. Known to have been somebody, but nobody's, once the visitor withdrew."""

    camera_id: str
    zone_id: str
    track_id: int
    started_at: float
    at: float
    ended_at: float | None
    reason: str | None  # models.UnknownReason; None: somebody was recognised
    visitor_id: str | None
    score: float | None
    margin: float | None
    visit_id: str | None


@dataclass(frozen=True, slots=True)
class KnownSighting:
    """A sighting of somebody who was recognised and has not withdrawn."""

    visitor_id: str
    zone_id: str
    started_at: float
    at: float
    score: float
    margin: float
    visit_id: str | None


KNOWN = select(
    *(SightingRow.visitor_id, SightingRow.zone_id, SightingRow.started_at, SightingRow.at),
    *(SightingRow.score, SightingRow.margin, SightingRow.visit_id),
).where(SightingRow.visitor_id.is_not(None), SightingRow.score.is_not(None))


class SightingTable:
    """The sightings, one row a track."""

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def add(self, sighting: Sighting, visit_id: str | None = None, *, runs: Runs | None = None) -> None:
        """Keep what a track amounts to, instead of what was kept of it before. `runs`, if it was embedded.

        A visitor who has withdrawn meanwhile is left out.
        """
        async with self._db.write() as session:
            found = select(SightingRow).where(
                SightingRow.camera_id == sighting.camera_id,
                SightingRow.started_at == sighting.started_at,
                SightingRow.track_id == sighting.track_id,
            )
            row = await session.scalar(found)
            if row is None:
                row = SightingRow(
                    camera_id=sighting.camera_id,
                    zone_id=sighting.zone_id,
                    track_id=sighting.track_id,
                    started_at=sighting.started_at,
                )
                session.add(row)
            row.at = sighting.at
            row.ended_at = sighting.ended_at
            await _fill(session, row, sighting, visit_id)
            await self._record(session, row, sighting.at, runs)

    async def people(self, zone_id: str, since: float) -> int:
        """Tracks that began in the zone at `since` or later, recognised or not."""
        where = (SightingRow.zone_id == zone_id, SightingRow.started_at >= since)
        async with self._db.read() as session:
            return (await session.execute(select(func.count()).select_from(SightingRow).where(*where))).scalar_one()

    async def known(self) -> Sequence[KnownSighting]:
        """Every sighting of somebody, in the order in which they were written."""
        async with self._db.read() as session:
            return [KnownSighting(*row) async for row in rows_of(session, KNOWN.order_by(SightingRow.sighting_id))]

    async def list(self, since: float | None, zone_id: str | None, limit: int) -> Sequence[StoredSighting]:
        """The newest `limit` sightings that began at `since` or later, the newest first."""
        where = within(SightingRow.started_at, since, None, SightingRow.zone_id, zone_id)
        newest = (SightingRow.started_at.desc(), SightingRow.sighting_id.desc())
        async with self._db.read() as session:
            wanted = select(SightingRow).where(*where).order_by(*newest).limit(limit)
            return [_stored(row) async for (row,) in rows_of(session, wanted)]

    async def _record(self, session: AsyncSession, row: SightingRow, at: float, runs: Runs | None) -> None:
        """Embedding a face is an act, whoever's it was, and when: so it shows that none was while the zone was not armed.

        Somebody recognised is named, if they did not withdraw meanwhile.
        """
        visitor_id = self._ledger.nameable(row.visitor_id)
        data: Data = {"runs": runs.count if runs else 0}
        if runs is not None:
            data |= {key: round(getattr(runs, key), 3) for key in ("first_at", "last_at", "frame_at")}
        if visitor_id is not None:
            row.salt = proof.new_salt()
            data["proof"] = proof.of(proof.sighting(row), row.salt)
        if visitor_id is not None or runs:
            act = "recognised" if visitor_id else "compared"
            entry = await self._ledger.append(
                session, act, at=at, zone_id=row.zone_id, visitor_id=visitor_id, data=data
            )
            row.ledger = entry.number if visitor_id else None


async def _fill(session: AsyncSession, row: SightingRow, sighting: Sighting, visit_id: str | None) -> None:
    """Set who it was: everything of a known visitor, only the reason for an unknown one."""
    row.visitor_id = row.score = row.margin = row.visit_id = row.salt = row.ledger = None
    if not isinstance(sighting.who, Known):
        row.reason = sighting.who.reason.value
        return
    row.reason = None
    here = select(exists().where(VisitorRow.visitor_id == sighting.who.visitor_id))
    if (await session.execute(here)).scalar_one():
        row.visitor_id = sighting.who.visitor_id
        row.score = float(sighting.who.score)
        row.margin = float(sighting.who.margin)
        row.visit_id = visit_id


def _stored(row: SightingRow) -> StoredSighting:
    return StoredSighting(
        camera_id=row.camera_id,
        zone_id=row.zone_id,
        track_id=row.track_id,
        started_at=row.started_at,
        at=row.at,
        ended_at=row.ended_at,
        reason=row.reason,
        visitor_id=row.visitor_id,
        score=row.score,
        margin=row.margin,
        visit_id=row.visit_id,
    )
