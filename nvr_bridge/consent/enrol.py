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
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from ..camera import View
from ..config import Config
from ..errors import ConflictError, FaceError, InvalidError, PermitError
from ..events import Bus, Told
from ..gallery import Gallery
from ..models import FaceShot, Known, Permit, Track, ZoneKind
from ..recognise import Recogniser
from ..sight import Cutter, Detector, Sight
from ..vision.photo import pixel_size
from ..visits.attendance import Attendance
from .permit import Gate
from .policy import Policy
from .records import Granted, Records

if TYPE_CHECKING:
    from ..models import Embedding, Image

PHOTO_PIXELS = 50_000_000  # a telephone's largest; what decodes to more would take the memory of the whole engine
LOOKS = 3  # pictures taken of a face in view: three templates identify far better than one
LOOK_SECONDS = 3.0  # time allowed for them; one is enough when it is up
SAME_PERSON = 0.35  # cosine that the looks of one face must reach among themselves


class ConsentPoint(Protocol):
    """What the cameras of a zone see now."""

    def views(self, zone_id: str) -> Sequence[View]:
        """The latest view of every camera in the zone that is online."""


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
        point: ConsentPoint,
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
        self._point = point
        self._sight = sight
        self._bus = bus
        self._clock = clock
        self._lock = asyncio.Lock()

    async def grant(self, args: dict[str, Any]) -> Granted:
        """`args` as `consent/grant` takes them. Raises an `AskError`, and then has changed nothing."""
        expires_at = self._check(args)
        self._gate.check_consent(args["zone"])  # before anybody is asked to stand still
        async with self._lock:
            if "photo" in args:
                track = None
                shots = [await self._sight.on_models(partial(self._photo, args["photo"]))]
            else:
                track, shots = await self._look(args["zone"])
            permit = self._gate.consent(args["zone"], uuid.uuid4().hex, track)
            try:
                embeddings = await self._embed(shots, permit)
            finally:
                self._gate.close_permit(permit)
            granted = await self._records.grant(
                zone_id=args["zone"],
                notice_hash=args["notice_hash"],
                language=args["language"],
                purpose=args["purpose"],
                expires_at=expires_at,
                guardian=args["guardian"],
                embeddings=embeddings,
                now=self._clock(),
            )
            self._bus.publish(Told(granted.event))  # before anything else is written, so that events go out in order
            await self._gallery.extend(granted.templates)
            if track is not None:
                known = Known(granted.consent.visitor_id, 1.0, 1.0)
                visit = await self._attendance.present(known, args["zone"], shots[-1].taken_at)
                self._recogniser.enrolled(track, known, visit.visit_id)
            return granted

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
        now = self._clock()
        expires_at: float = args["expires_at"] if "expires_at" in args else now + args["expires_in_days"] * 86400
        if not now < expires_at <= now + self._policy.consent_days_limit * 86400:
            limit = self._policy.consent_days_limit
            raise InvalidError(f"expiry: must be in the future and within the profile's limit of {limit} days")
        return expires_at

    def _photo(self, text: str, detector: Detector, cutter: Cutter) -> FaceShot:
        """On the models' thread: the one face of a photo."""
        try:
            raw = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise InvalidError("photo: not base64; encode a JPEG or PNG file") from None
        size = pixel_size(raw)
        if size is not None and size[0] * size[1] > PHOTO_PIXELS:
            raise InvalidError(f"photo: is {size[0]}×{size[1]} pixels; give one of {PHOTO_PIXELS:,} at most")
        image: Image | None = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR) if size else None  # type: ignore[assignment]
        if image is None:
            raise InvalidError("photo: not a picture that can be read; give a JPEG or PNG file")
        faces = detector.detect(image)
        if not faces:  # a face that fills its picture is found once there is something around it
            border = max(image.shape[:2]) // 2
            image = np.pad(image, ((border, border), (border, border), (0, 0)), mode="edge")
            faces = detector.detect(image)
        if len(faces) != 1:
            raise FaceError(f"photo: shows {len(faces)} faces; give one with exactly one")
        shot = cutter.cut(image, faces[0], self._clock())
        if shot is None:
            raise FaceError("photo: the face is turned, covered, blurred or no face; give a sharp frontal one")
        if shot.width < self._sight.min_face:
            raise FaceError(
                f"photo: the face is {shot.width:.0f} px wide; at least {self._sight.min_face:g} are needed"
            )
        return shot

    async def _look(self, zone_id: str) -> tuple[Track, list[FaceShot]]:
        """The one face in view at the consent point: one track from the first look to the last."""
        first: Track | None = None
        shots: list[FaceShot] = []
        reason = ""
        asked_at, ends = self._clock(), time.monotonic() + LOOK_SECONDS
        while len(shots) < LOOKS and time.monotonic() < ends:
            views = self._point.views(zone_id)
            if not views:
                raise FaceError(
                    f"zone: no camera of {zone_id} is online; see `nvr-bridge cameras list`, or give a photo"
                )
            live = [(view, track) for view in views for track in view.live]
            if len(live) > 1:
                raise FaceError(f"zone: {len(live)} faces are in view of {zone_id}; one person must stand there alone")
            if live:
                view, track = live[0]
                if first is not None and track.key != first.key:
                    raise FaceError(f"zone: the person at {zone_id} changed; start again")
                first = track
                shot = view.shots.get(track.track_id)
                reason = self._unusable(shot)
                # A picture from before the person agreed is none that they agreed to.
                if shot is not None and not reason and shot.taken_at > (shots[-1].taken_at if shots else asked_at):
                    shots.append(shot)
            else:
                reason = "nobody is in view"
            await asyncio.sleep(0.05)
        if first is None or not shots:
            raise FaceError(
                f"zone: no usable face at {zone_id}: {reason}; stand before the camera, alone, and look at it"
            )
        return first, shots

    def _unusable(self, shot: FaceShot | None) -> str:
        if shot is None:
            return "the face is turned, covered or blurred"
        return f"the face is too small ({shot.width:.0f} px)" if shot.width < self._sight.min_face else ""

    async def _embed(self, shots: list[FaceShot], permit: Permit) -> list[Embedding]:
        """All looks embedded, and found to be one person whom the gallery does not hold yet."""
        try:
            probes = [await self._sight.embed(shot, permit) for shot in shots]
        except PermitError:
            raise FaceError(
                "zone: the sign went off, or somebody else came into view, before the face was measured; start again"
            ) from None
        if any(float(probe.embedding @ probes[0].embedding) < SAME_PERSON for probe in probes[1:]):
            raise FaceError("face: the looks do not agree with each other; stand still and start again")
        if isinstance(await self._gallery.match(probes[-1]), Known):
            raise ConflictError("face: this person is remembered already; withdraw that consent before giving another")
        return [probe.embedding for probe in probes]
