"""The consent gate: the only maker of permits, and the keeper of the book of what was spent.

Nothing is embedded without a permit, and a permit says nothing by itself: each run of the embedder asks `spend`, which
looks in the gate's own book and at the interlock as it stands at that moment. Runs are counted elsewhere, at the
embedder's session; the two counts differ only if something embedded behind the gate's back.
"""

from __future__ import annotations

import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import NotArmedError, PermitError
from ..models import Ground, Permit, Track, UnknownReason, Zone, ZoneKind
from .interlock import Interlock

ACT_SECONDS = 20.0  # an act in an opt-in lane permits one track for so long
CONSENT_SECONDS = 60.0  # an act at a consent point holds for so long
OFFLINE_SECONDS = 7 * 86400.0


@dataclass(slots=True)
class _Entry:
    """A permit in the book."""

    permit: Permit
    track: tuple[str, int] | None  # the one track it covers; None for a photo or an operator's file
    camera_id: str | None  # whose pictures it covers; None for those that no camera of the site took


@dataclass(slots=True)
class _Act:
    """One passage that the hub reported."""

    act_id: str
    at: float
    taken: bool = False


class PermitBook(ABC):
    """What was minted, and what was spent. `minted` and `spent` only ever grow."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._book: dict[str, _Entry] = {}
        self.minted = 0
        self.spent = 0

    def spend(self, permit: Permit) -> None:
        """Count one run of the embedder on `permit`. Raises `PermitError` unless this book minted it and it holds now."""
        now = self._clock()
        with self._lock:
            entry = self._book.get(permit.permit_id)
            if entry is None or entry.permit is not permit:
                raise PermitError(f"permit {permit.permit_id}: not in the gate's book; only the gate makes permits")
            if now >= permit.expires_at:
                raise PermitError(f"permit {permit.permit_id}: lapsed; ask the gate for another")
            if not self._holds(permit, entry.camera_id, now):
                raise PermitError(f"permit {permit.permit_id}: zone {permit.zone_id} is no longer armed")
            self.spent += 1

    @abstractmethod
    def _holds(self, permit: Permit, camera_id: str | None, now: float) -> bool:
        """Whether what the permit rests on is still so."""

    def _mint(
        self,
        zone_id: str,
        ground: Ground,
        basis: str,
        expires_at: float,
        *,
        since: float = 0.0,
        of: tuple[tuple[str, int] | None, str | None] = (None, None),
    ) -> Permit:
        """`of` is the track and the camera that it covers."""
        permit = Permit(uuid.uuid4().hex, zone_id, ground, basis, expires_at, since)
        self._book[permit.permit_id] = _Entry(permit, *of)
        self.minted += 1
        return permit


class Gate(PermitBook):
    """Mints permits for live tracks and consents. Called from the event loop; `spend` also from the vision thread."""

    def __init__(self, zones: Mapping[str, Zone], interlock: Interlock, clock: Callable[[], float] = time.time) -> None:
        super().__init__(clock)
        self._zones = zones
        self._interlock = interlock
        self._acts: dict[str, list[_Act]] = {}

    def act(self, zone_id: str) -> None:
        """Note that somebody acted for their own passage. Raises `NotArmedError` where that permits nothing."""
        now = self._clock()
        reasons = self._interlock.reasons(zone_id, now)
        if reasons:
            raise NotArmedError(f"zone: {zone_id} is not armed ({', '.join(reasons)}), so the act permits nothing")
        if self._zones[zone_id].kind is not ZoneKind.OPT_IN_LANE:
            raise NotArmedError(f"zone: {zone_id} is a consent point; acts are for opt-in lanes")
        self._note(zone_id, now)

    def back(self, zone_id: str) -> None:
        """Note that somebody said at a tablet that they are back, or showed the pass of who agreed to be recognised.

        Raises `NotArmedError` where nobody is recognised now.
        """
        now = self._clock()
        reasons = self._interlock.reasons(zone_id, now)
        if reasons:
            raise NotArmedError(f"zone: {zone_id} is not armed ({', '.join(reasons)}); nobody is recognised there now")
        self._note(zone_id, now)

    def request(self, track: Track, *, alone: bool) -> Permit | UnknownReason:
        """A permit for this track now, or why there is none. The same track gets the same permit while it holds."""
        zone = self._zones[track.zone_id]
        now = self._clock()
        if zone.kind is ZoneKind.OBSERVE:
            return UnknownReason.OBSERVED_ONLY
        if not self._armed(zone.zone_id, track.camera_id, now):
            return UnknownReason.NOT_ARMED
        with self._lock:
            self._forget_lapsed(now)
            held = next((entry.permit for entry in self._book.values() if entry.track == track.key), None)
            acts = [act for act in self._acts.get(zone.zone_id, []) if not act.taken]
            if held is None and not acts:
                return UnknownReason.NO_ACT
            if not alone:
                # Faces that were in view together may have changed places in the tracker's eyes: what was permitted
                # for one of them must not be spent on another.
                self._void(lambda entry: entry.track == track.key)
                return UnknownReason.NOT_ALONE
            if held is not None:
                return held
            act = acts[0]
            act.taken = True
            point = zone.kind is ZoneKind.CONSENT_POINT
            ground, ends = Ground.CONSENT if point else Ground.OPT_IN_ACT, act.at + self._seconds(zone.zone_id)
            of = (track.key, track.camera_id)
            return self._mint(zone.zone_id, ground, act.act_id, ends, since=act.at, of=of)

    def armed(self, zone_id: str, camera_id: str) -> bool:
        """Whether somebody seen by this camera in this zone may be recognised now, as far as that is for the site to say."""
        return self._armed(zone_id, camera_id, self._clock())

    def watches(self, camera_id: str) -> bool:
        """Whether recognition by this camera is not switched off."""
        return self._interlock.watches(camera_id)

    def consent(self, zone_id: str, basis: str, track: Track | None, camera_id: str | None = None) -> Permit:
        """A permit for the act of agreeing at a consent point: for the one face there, or for pictures taken just before.

        `camera_id` is whose pictures; None for a photo that was handed over. Raises `NotArmedError` as `check_consent` does.
        """
        camera_id = track.camera_id if track else camera_id
        self.check_consent(zone_id, camera_id)
        now = self._clock()
        with self._lock:
            self._forget_lapsed(now)
            of = (track.key if track else None, camera_id)
            return self._mint(zone_id, Ground.CONSENT, basis, now + CONSENT_SECONDS, since=now, of=of)

    def check_consent(self, zone_id: str, camera_id: str | None = None) -> None:
        """Raise `NotArmedError`, with the reasons, unless somebody seen by this camera, if any, could agree in the zone now."""
        reasons = self._interlock.reasons(zone_id, self._clock())
        if reasons:
            raise NotArmedError(
                f"zone: {zone_id} is not armed ({', '.join(reasons)}); nobody can be enrolled there now"
            )
        if self._zones[zone_id].kind is not ZoneKind.CONSENT_POINT:
            raise NotArmedError(f"zone: {zone_id} is not a consent point; consent is given only at one")
        if camera_id is not None and not self._interlock.watches(camera_id):
            raise NotArmedError(
                f"zone: recognition by camera {camera_id} was switched off, so nobody can be enrolled by it; switch it on with "
                f"`nvr-bridge recognition on --camera {camera_id}` or at the hub, or use another camera"
            )

    def revoke_zone(self, zone_id: str) -> None:
        """A zone was disarmed: void its permits and its acts, so that arming again revives nothing."""
        with self._lock:
            self._acts.pop(zone_id, None)
            self._void(lambda entry: entry.permit.zone_id == zone_id)

    def revoke_camera(self, camera_id: str) -> None:
        """A camera was switched off: nothing is permitted any more on what it saw."""
        with self._lock:
            self._void(lambda entry: entry.camera_id == camera_id)

    def revoke_acts(self, zone_id: str) -> None:
        """Whoever acted there thought better of it: nothing is permitted on it any more."""
        with self._lock:
            acts = {act.act_id for act in self._acts.pop(zone_id, [])}
            self._void(lambda entry: entry.permit.zone_id == zone_id and entry.permit.basis in acts)

    def company(self, zone_id: str) -> None:
        """More than one face is in view of the zone: no permit of a track there outlives that, seen or covered just now."""
        with self._lock:
            self._void(lambda entry: entry.track is not None and entry.permit.zone_id == zone_id)

    def close_track(self, track: tuple[str, int]) -> None:
        """A track ended: its permit ends with it."""
        with self._lock:
            self._void(lambda entry: entry.track == track)

    def close_permit(self, permit: Permit) -> None:
        """What the permit was for is done."""
        with self._lock:
            self._book.pop(permit.permit_id, None)

    def _holds(self, permit: Permit, camera_id: str | None, now: float) -> bool:
        return self._armed(permit.zone_id, camera_id, now)

    def _armed(self, zone_id: str, camera_id: str | None, now: float) -> bool:
        return self._interlock.armed(zone_id, now) and (camera_id is None or self._interlock.watches(camera_id))

    def _void(self, which: Callable[[_Entry], bool]) -> None:
        self._book = {key: entry for key, entry in self._book.items() if not which(entry)}

    def _forget_lapsed(self, now: float) -> None:
        self._void(lambda entry: now >= entry.permit.expires_at)
        for zone_id, acts in self._acts.items():
            self._acts[zone_id] = [act for act in acts if now < act.at + self._seconds(zone_id)]

    def _note(self, zone_id: str, now: float) -> None:
        with self._lock:
            self._forget_lapsed(now)
            self._acts.setdefault(zone_id, []).append(_Act(uuid.uuid4().hex, now))

    def _seconds(self, zone_id: str) -> float:
        """How long an act in the zone holds."""
        return CONSENT_SECONDS if self._zones[zone_id].kind is ZoneKind.CONSENT_POINT else ACT_SECONDS


class OfflineGate(PermitBook):
    """For measuring on files that the operator brings, in a process that has no store, camera or server."""

    _online = False

    @classmethod
    def close_for_good(cls) -> None:
        """This process now has a store, a camera or a server: from here on it gets no offline permit."""
        cls._online = True

    def offline(self, basis: str) -> Permit:
        """A permit for the files named by `basis`. Raises `PermitError` in a process that does live work."""
        if OfflineGate._online:
            raise PermitError("an offline permit was asked for in a process that has a store, a camera or a server")
        with self._lock:
            return self._mint("offline", Ground.OFFLINE, basis, self._clock() + OFFLINE_SECONDS)

    def _holds(self, permit: Permit, camera_id: str | None, now: float) -> bool:
        return not OfflineGate._online
