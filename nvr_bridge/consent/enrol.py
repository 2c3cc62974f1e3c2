"""Enrolment: from a person's agreement at a consent point to their template in the gallery.

The order is fixed: the gate permits, the face is embedded, the store commits consent and template together, and only
then can anybody be recognised by it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..config import Config
from ..errors import AskError, ConflictError, FaceError, InvalidError, PermitError
from ..events import Bus, Told
from ..gallery import Gallery
from ..models import Channel, FaceShot, Known, Permit, Probe, Track, ZoneKind
from ..recognise import Recogniser
from ..sight import Sight
from ..visits.attendance import Attendance
from .capture import Capture, Captures
from .permit import Gate
from .policy import Policy
from .records import Granted, Records

if TYPE_CHECKING:
    from ..models import Embedding

SAME_PERSON = 0.35  # cosine that the looks of one face must reach among themselves


class Enrolment:
    """Grants consents. One at a time, so that no two can claim the same face."""

    def __init__(
        self,
        config: Config,
        policy: Policy,
        gate: Gate,
        records: Records,
        gallery: Gallery,
        recogniser: Recogniser,
        attendance: Attendance,
        captures: Captures,
        sight: Sight,
        bus: Bus,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._policy = policy
        self._gate = gate
        self._records = records
        self._gallery = gallery
        self._recogniser = recogniser
        self._attendance = attendance
        self._captures = captures
        self._sight = sight
        self._bus = bus
        self._clock = clock
        self._lock = asyncio.Lock()

    async def grant(self, args: dict[str, Any], renewing: str | None = None) -> Granted:
        """`args` as `consent/grant` takes them; `renewing` is the visitor whom the person says to be.

        Raises an `AskError`, and then has changed nothing.
        """
        expires_at = self._check(args)
        self._gate.check_consent(args["zone"])  # before anybody is asked to stand still
        async with self._lock:
            if "photo" in args:
                capture = await self._captures.photo(args["zone"], _bytes(args["photo"]))
            else:
                capture = await self._captures.look(args["zone"])
            return await self._commit(capture, capture.track, args, expires_at, renewing)

    async def renew(self, visitor_id: str, args: dict[str, Any]) -> Granted:
        """A visitor agrees again, by what they were measured before. `args` as for `grant`. Raises as that does."""
        expires_at = self._check(args)
        async with self._lock:
            self._gate.check_consent(args["zone"])  # the sign may have gone off while somebody else stood still
            granted = await self._records.renew(visitor_id, **self._about(args, expires_at))
            await self._tell(granted)
            return granted

    async def capture(self, args: dict[str, Any], photo: bytes | None = None) -> Capture:
        """Look at somebody who is about to agree, and hold what was seen until `confirm`. `args` as for `grant`.

        Raises an `AskError`, and then holds nothing.
        """
        self._check(args)
        self._gate.check_consent(args["zone"])
        self._captures.drop(args["zone"])
        async with self._lock:
            if photo is not None:
                capture = await self._captures.photo(args["zone"], photo)
            else:
                capture = await self._captures.look(args["zone"])
        # The sign may have gone off while somebody stood still, or the camera.
        self._gate.check_consent(args["zone"], capture.camera_id)
        self._captures.hold(capture)
        return capture

    def drop(self, zone_id: str) -> None:
        """Forget what is held of the zone: the person left, declined, or the sign went off."""
        self._captures.drop(zone_id)

    def drop_of(self, camera_id: str) -> None:
        """Forget what is held that this camera saw: it was switched off."""
        self._captures.drop_of(camera_id)

    async def confirm(self, capture_id: str, args: dict[str, Any]) -> Granted:
        """The person says that what is held is them: remember them by it. Raises as `grant` does."""
        expires_at = self._check(args)
        async with self._lock:
            capture = self._captures.take(args["zone"], capture_id)
            # They stood there alone when it was taken; whoever came near since changes nothing about that.
            if capture.track is None:
                args = {**args, "channel": Channel.TABLET}
            return await self._commit(capture, None, args, expires_at, None)

    async def _commit(
        self,
        capture: Capture,
        track: Track | None,
        args: dict[str, Any],
        expires_at: float,
        renewing: str | None,
    ) -> Granted:
        """Permit, embed, store, and only then let anybody be recognised. `track` is what the permit is for."""
        permit = self._gate.consent(args["zone"], uuid.uuid4().hex, track, capture.camera_id)
        try:
            embeddings = await self._embed(capture.shots, permit, renewing)
        finally:
            self._gate.close_permit(permit)
        about = self._about(args, expires_at)
        if renewing is None:
            granted = await self._records.grant(embeddings=embeddings, **about)
        else:
            granted = await self._records.renew(renewing, embeddings=embeddings, **about)
        await self._tell(granted)
        if capture.track is not None:
            known = Known(granted.consent.visitor_id, 1.0, 1.0)
            visit = await self._attendance.present(known, args["zone"], capture.shots[-1].taken_at)
            self._recogniser.enrolled(capture.track, known, visit.visit_id)
        return granted

    async def _tell(self, granted: Granted) -> None:
        self._bus.publish(Told(granted.event))  # before anything else is written, so that events go out in order
        await self._gallery.replace(granted.consent.visitor_id, granted.templates)

    def _about(self, args: dict[str, Any], expires_at: float) -> dict[str, Any]:
        """What is kept of the agreement, whoever gave it."""
        return {
            "zone_id": args["zone"],
            "notice_hash": args["notice_hash"],
            "language": args["language"],
            "purpose": args["purpose"],
            "expires_at": expires_at,
            "guardian": args["guardian"],
            "zones": args.get("zones") or self._recognising(),
            "channel": Channel(args.get("channel", Channel.DESK)),
            "now": self._clock(),
        }

    def _recognising(self) -> list[str]:
        """The zones in which anybody may be recognised at all."""
        return [key for key, zone in self._config.zones.items() if zone.kind in self._policy.recognition]

    def _check(self, args: dict[str, Any]) -> float:
        """The arguments against the site's policy; the moment of expiry."""
        zone = self._config.zones.get(args["zone"])
        points = [key for key, each in self._config.zones.items() if each.kind is ZoneKind.CONSENT_POINT]
        if zone is None or zone.zone_id not in points:
            raise InvalidError(
                f"zone: {args['zone']!r} is not a consent point; this site has {', '.join(points) or 'none'}"
            )
        if not self._sight.recognises:
            raise InvalidError(f"profile: {self._policy.name} allows no recognition, so there is nothing to consent to")
        if args["notice_hash"] != self._config.notice_hash:
            raise InvalidError(
                "notice_hash: not the notice in force; show the visitor the one that the zone's state names"
            )
        if args["language"] not in self._config.notices:
            raise InvalidError(
                f"language: there is no notice in {args['language']!r}; choose {', '.join(self._config.notices)}"
            )
        for zone_id in args.get("zones", ()):
            if zone_id not in self._recognising():
                raise InvalidError(
                    f"zones: nobody is recognised in {zone_id!r}; choose among {', '.join(self._recognising())}"
                )
        now = self._clock()
        expires_at: float = args["expires_at"] if "expires_at" in args else now + args["expires_in_days"] * 86400
        if not now < expires_at <= now + self._policy.consent_days_limit * 86400:
            limit = self._policy.consent_days_limit
            raise InvalidError(f"expiry: must be in the future and within the profile's limit of {limit:g} days")
        return expires_at

    async def _embed(self, shots: Sequence[FaceShot], permit: Permit, renewing: str | None) -> list[Embedding]:
        """All looks embedded, and found to be one person: one whom the gallery does not hold yet, or who is renewing."""
        probes: list[Probe] = []
        try:
            for shot in shots:
                probes.append(await self._sight.embed(shot, permit))  # noqa: PERF401 - those before a refusal count
            await self._check_probes(probes, renewing)
        except PermitError:
            await self._records.compared(permit.zone_id, len(probes))
            raise FaceError(
                "zone: the sign went off, or somebody else came into view, before the face was measured; start again"
            ) from None
        except AskError:
            await self._records.compared(permit.zone_id, len(probes))
            raise
        return [probe.embedding for probe in probes]

    async def _check_probes(self, probes: list[Probe], renewing: str | None) -> None:
        if any(float(probe.embedding @ probes[0].embedding) < SAME_PERSON for probe in probes[1:]):
            raise FaceError("face: the looks do not agree with each other; stand still and start again")
        found = await self._gallery.match(probes[-1])
        known = found.visitor_id if isinstance(found, Known) else None
        if renewing is None and known is not None:
            raise ConflictError(
                "face: this person is remembered already; give their alias to renew, or withdraw that first"
            )
        if known != renewing:
            raise ConflictError(
                "face: is not known to be that of this alias; renew without a face (consent/renew), or leave the alias out"
            )


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise InvalidError("photo: not base64; encode a JPEG or PNG file") from None
