"""Somebody comes: told once, so that a sign can wake before anyone is in range. Says nothing about who."""

from __future__ import annotations

from collections.abc import Mapping

from .events import Bus, EventLog, Told
from .models import EventKind, Zone, ZoneKind
from .store.database import Database

_ANNOUNCED = frozenset({ZoneKind.OBSERVE, ZoneKind.CONSENT_POINT})  # a lane is walked by who has chosen it already


class Approach:
    """Tells of the first face in a zone that was empty for a while."""

    def __init__(self, zones: Mapping[str, Zone], gap: float, database: Database, log: EventLog, bus: Bus) -> None:
        """`gap` is for how many seconds nobody must have been in view."""
        self._zones = zones
        self._gap = gap
        self._database = database
        self._log = log
        self._bus = bus
        self._seen: dict[str, float] = {}  # by zone: when anybody was last in view

    async def seen(self, zone_id: str, at: float) -> None:
        """Somebody is in view of the zone at `at`. Raises `RetryError` where that cannot be stored."""
        last = self._seen.get(zone_id)
        self._seen[zone_id] = at
        if self._zones[zone_id].kind not in _ANNOUNCED or (last is not None and at - last < self._gap):
            return
        async with self._database.write() as session:
            event = await self._log.append(
                session, kind=EventKind.PERSON_APPROACHING, occurred_at=at, zone_id=zone_id, data={"frame_at": at}
            )
        self._bus.publish(Told(event))
