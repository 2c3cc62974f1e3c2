"""Who is in view in each zone, and what each zone's state is: fed by the cameras, read by the server.

Every change that a client could show is pushed once, with the receipt time of the frame that decided it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from . import problems
from .approach import Approach, Nearing
from .camera import View
from .config import Config
from .consent.interlock import Interlock
from .events import Bus, State
from .latest import Latest
from .messages import ZoneStatus
from .models import Camera, Track, ZoneKind
from .office.listing import iso
from .recognise import Recogniser
from .today import Today


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a camera sees."""

    people: int = 0
    approaching: int = 0


class Presence:
    """Passes what the cameras see to the recogniser, and keeps the zones' states."""

    def __init__(
        self,
        config: Config,
        interlock: Interlock,
        recogniser: Recogniser,
        today: Today,
        approach: Approach,
        latest: Latest,
        bus: Bus,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._zones = config.zones
        self._interlock = interlock
        self._recogniser = recogniser
        self._today = today
        self._bus = bus
        self._approach = approach
        self._latest = latest
        self._clock = clock
        self._seen: dict[str, dict[str, _Seen]] = {zone_id: {} for zone_id in config.zones}  # by zone, then by camera
        self._nearing: defaultdict[str, Nearing] = defaultdict(Nearing)  # by camera
        self._told: dict[str, ZoneStatus] = {}

    # --- what cameras tell ---

    async def viewed(self, camera: Camera, view: View) -> None:
        """A frame was looked at: say who is present, then who they are."""
        approaching = self._nearing[camera.camera_id].seen(view.live)
        self._seen[camera.zone_id][camera.camera_id] = _Seen(len(view.live), approaching)
        self.push(camera.zone_id, view.at)
        alone = self.people(camera.zone_id) == 1
        if not alone:
            self._recogniser.company(camera.zone_id)
        for track in view.live:
            if track.last_at == view.at:
                await self._recogniser.consider(track, view.shots.get(track.track_id), alone=alone)
        if view.live:
            await self._approach.seen(camera.zone_id, view.at)

    async def ended(self, track: Track) -> None:
        """A track is over: it was one more person."""
        await self._recogniser.ended(track)
        self._today.seen(track)
        self.push(track.zone_id)

    # --- what the server asks ---

    def people(self, zone_id: str) -> int:
        """Faces in view in the zone now."""
        return sum(seen.people for seen in self._seen[zone_id].values())

    def everybody(self) -> int:
        """Faces in view now, wherever."""
        return sum(self.people(zone_id) for zone_id in self._zones)

    def status(self, zone_id: str) -> ZoneStatus:
        """The zone's state now."""
        zone = self._zones[zone_id]
        last = self._latest.of(zone_id)
        now = self._clock()
        reasons = self._interlock.reasons(zone_id, now)
        return {
            "id": zone_id,
            "name": zone.name,
            "kind": zone.kind,
            "armed": not reasons,
            "reasons": [reason.value for reason in reasons],
            "needs_sign": self._interlock.needs_sign(zone_id),
            "needs_act": self._interlock.needs_sign(zone_id) and zone.kind is ZoneKind.OPT_IN_LANE,
            "notice_hash": self._interlock.notice_hash,
            "people_present": self.people(zone_id),
            "people_approaching": sum(seen.approaching for seen in self._seen[zone_id].values()),
            "people_today": self._today.in_zone(zone_id, "people"),
            "visits_today": self._today.in_zone(zone_id, "visits"),
            "returning_today": self._today.in_zone(zone_id, "returning"),
            "recognition": zone_id not in self._interlock.switches.zones_off,
            "last_event": last[0] if last else None,
            "last_event_at": iso(last[1]) if last else None,
            "problems": problems.of_zone(reasons, self._interlock.reported(zone_id, now)),
        }

    def push(self, zone_id: str, frame_at: float | None = None) -> None:
        """Tell the clients the zone's state, if it is another than they were told."""
        status = self.status(zone_id)
        if self._told.get(zone_id) != status:
            self._told[zone_id] = status
            self._bus.publish(State("zone", status, frame_at))

    def push_all(self) -> None:
        """The same of every zone: what changed without anybody in view."""
        for zone_id in self._zones:
            self.push(zone_id)
