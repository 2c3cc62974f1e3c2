"""Somebody comes: told once, so that a sign can wake before anyone is in range; and how many do. Says nothing about who."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .events import Bus, EventLog, Told
from .models import EventKind, Track, Zone, ZoneKind
from .store.database import Database

COMES_BY = 1.1  # by which a face is larger than it usually was lately, while somebody comes nearer
LATELY = 1.5  # seconds
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


@dataclass(slots=True)
class _Size:
    """How large a face usually was lately, as a logarithm."""

    at: float
    usual: float


class Nearing:
    """Who comes nearer to one camera: whose face grows. Whoever has just come into view is taken to be coming."""

    def __init__(self) -> None:
        self._sizes: dict[int, _Size] = {}  # by track

    def seen(self, live: Iterable[Track]) -> int:
        """How many of those in view are coming."""
        before, self._sizes = self._sizes, {}
        coming = 0
        for track in live:
            size = math.log(max(1.0, track.box.width))
            held = before.get(track.track_id) or _Size(track.last_at, size - math.log(1.5))
            fades = math.exp(-max(0.0, track.last_at - held.at) / LATELY)
            coming += size - held.usual > math.log(COMES_BY)
            self._sizes[track.track_id] = _Size(track.last_at, held.usual * fades + size * (1.0 - fades))
        return coming
