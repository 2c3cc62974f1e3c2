"""Permit → embed → match → sighting, shared by all cameras.

A track is embedded only while the gate gives it a permit. A probe lives for one comparison inside `_compare`; what
outlives it is `Known` or the reason for `Unknown`, never the probe or its scores.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .consent.permit import Gate
from .errors import NotFoundError, PermitError
from .gallery import Gallery
from .models import FaceShot, Known, Match, Permit, Runs, Sighting, Track, Unknown, UnknownReason, Zone, ZoneKind
from .sight import Sight
from .store.sightings import SightingTable
from .visits.attendance import Attendance

MAX_ATTEMPTS = 6  # comparisons a track: each more good looks help a little, and each costs a chance of a false match
BETTER = 1.08  # quality by which a face must improve on the one compared last


@dataclass(slots=True)
class _Case:
    """What is known of a live track so far. Held in memory, and only while the track lives."""

    who: Match
    attempts: int = 0
    runs: Runs | None = None  # of the embedder
    tried_quality: float = 0.0
    visit_id: str | None = None


class Recogniser:
    """Decides who each track is. One for the engine; called by the cameras' loops."""

    def __init__(
        self,
        zones: dict[str, Zone],
        gate: Gate,
        gallery: Gallery,
        attendance: Attendance,
        sightings: SightingTable,
        sight: Sight,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._zones = zones
        self._gate = gate
        self._gallery = gallery
        self._attendance = attendance
        self._sightings = sightings
        self._sight = sight
        self._clock = clock
        self._cases: dict[tuple[str, int], _Case] = {}

    async def consider(self, track: Track, newest: FaceShot | None, *, alone: bool) -> Match:
        """The track moved on by a frame: compare it if that is permitted and useful, and say who it is so far.

        `newest` is the face as cut from this very frame, if it could be.
        """
        case = self._cases.setdefault(track.key, _Case(self._unseen(track)))
        if isinstance(case.who, Known):
            # Following somebody needs the zone and the camera as armed as recognising them did.
            if self._gate.armed(track.zone_id, track.camera_id):
                await self._attend(track, case, case.who)
            return case.who
        reason = self._reason_to_wait(track, case)
        permit = reason or self._gate.request(track, alone=alone)
        if isinstance(permit, UnknownReason):
            if not case.attempts:  # what a comparison said is worth more than why there is no second one
                case.who = Unknown(permit)
            return case.who
        # The best look may be from before anybody acted.
        shot = track.best if track.best and track.best.taken_at >= permit.since else newest
        if shot is None or case.attempts >= MAX_ATTEMPTS or shot.quality < case.tried_quality * BETTER:
            return case.who
        if shot.width < self._sight.min_face:  # near enough once, but not since somebody acted
            if not case.attempts:
                case.who = Unknown(UnknownReason.TOO_SMALL)
            return case.who
        case.attempts += 1
        case.tried_quality = shot.quality
        who = await self._compare(case, shot, permit)
        if self._cases.get(track.key) is case and not isinstance(case.who, Known):
            case.who = who
            if isinstance(who, Known):
                await self._attend(track, case, who)
        return case.who

    def company(self, zone_id: str) -> None:
        """More than one face is in view of the zone."""
        self._gate.company(zone_id)

    async def ended(self, track: Track) -> Sighting:
        """The track is over: write down what it amounted to, and drop everything else about it."""
        case = self._cases.pop(track.key, None) or _Case(self._unseen(track))
        self._gate.close_track(track.key)
        sighting = Sighting(
            camera_id=track.camera_id,
            zone_id=track.zone_id,
            track_id=track.track_id,
            started_at=track.started_at,
            at=track.last_at,
            who=case.who,
            ended_at=track.last_at,
        )
        await self._sightings.add(sighting, case.visit_id, runs=case.runs)
        if case.visit_id is not None:
            self._attendance.sighted(case.visit_id)
        return sighting

    def enrolled(self, track: Track, known: Known, visit_id: str) -> None:
        """The person on this track has just agreed, so the track is known from here on."""
        case = self._cases.get(track.key)
        if case is not None:
            case.who = known
            case.visit_id = visit_id

    def who(self, track: tuple[str, int]) -> Match | None:
        """Who a live track is so far; None for one that is not followed."""
        case = self._cases.get(track)
        return case.who if case else None

    def forget(self, visitor_id: str) -> None:
        """The visitor withdrew: a track that was theirs is nobody's, and is not compared again."""
        for case in self._cases.values():
            if isinstance(case.who, Known) and case.who.visitor_id == visitor_id:
                case.who = Unknown(UnknownReason.NO_MATCH)
                case.attempts = MAX_ATTEMPTS
                case.visit_id = None

    def _unseen(self, track: Track) -> Unknown:
        observed = not self._sight.recognises or self._zones[track.zone_id].kind is ZoneKind.OBSERVE
        return Unknown(UnknownReason.OBSERVED_ONLY if observed else UnknownReason.LOW_QUALITY)

    def _reason_to_wait(self, track: Track, case: _Case) -> UnknownReason | None:
        """Why this track cannot be embedded whatever the gate would say."""
        if isinstance(case.who, Unknown) and case.who.reason is UnknownReason.OBSERVED_ONLY:
            return UnknownReason.OBSERVED_ONLY
        if not self._gate.armed(track.zone_id, track.camera_id):
            return UnknownReason.NOT_ARMED
        if track.best is None:
            return UnknownReason.LOW_QUALITY
        return UnknownReason.TOO_SMALL if track.best.width < self._sight.min_face else None

    async def _attend(self, track: Track, case: _Case, known: Known) -> None:
        """Presence of somebody known; unless they withdrew while this was on its way."""
        try:
            case.visit_id = (await self._attendance.present(known, track.zone_id, track.last_at)).visit_id
        except NotFoundError:
            self.forget(known.visitor_id)

    async def _compare(self, case: _Case, shot: FaceShot, permit: Permit) -> Match:
        """Embed and search. The probe is this call's alone."""
        try:
            probe = await self._sight.embed(shot, permit)
        except PermitError:  # the sign went off, or the permit lapsed, between asking the gate and this moment
            return Unknown(UnknownReason.NOT_ARMED)
        now, before = self._clock(), case.runs
        case.runs = Runs(before.count + 1 if before else 1, before.first_at if before else now, now, shot.taken_at)
        return await self._gallery.match(probe)
