"""Looking at the one person who asks to be remembered: by the zone's cameras, or in a photo that was handed over.

What was seen is shown to that person and kept in memory until they say that it is them, for a minute at most.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from ..camera import View
from ..errors import FaceError, InvalidError, NotFoundError
from ..models import FaceShot, Flaw, Track
from ..sight import Cutter, Detector, Sight
from ..vision.photo import pixel_size

if TYPE_CHECKING:
    from ..models import Image

PHOTO_PIXELS = 50_000_000  # a telephone's largest; what decodes to more would take the memory of the whole engine
LOOKS = 3  # pictures taken of a face in view: three templates identify far better than one
LOOK_SECONDS = 3.0  # time allowed for them; one is enough when it is up
HOLD_SECONDS = 60.0  # that what was seen is kept for the person to say "this is me"


class ConsentPoint(Protocol):
    """What the cameras of a zone see now."""

    def views(self, zone_id: str) -> Sequence[View]:
        """The latest view of every camera in the zone that is online, and not switched off."""


@dataclass(frozen=True, slots=True)
class Capture:
    """One person, seen alone."""

    capture_id: str
    zone_id: str
    shots: tuple[FaceShot, ...] = field(repr=False)  # at least one
    track: Track | None = None  # None for a photo

    @property
    def camera_id(self) -> str | None:
        """Which camera saw them; None for a photo."""
        return self.track.camera_id if self.track else None

    def crop(self) -> bytes:
        """(112×112 JPEG) The face as it would be measured."""
        best = max(self.shots, key=lambda shot: shot.quality)
        return cv2.imencode(".jpg", best.chip, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()

    @property
    def alive(self) -> float | None:
        """0…1, unproven advice; None where the site does not ask for it."""
        told = [shot.alive for shot in self.shots if shot.alive is not None]
        return sum(told) / len(told) if told else None


class Captures:
    """Takes captures, and keeps at most one for each zone."""

    def __init__(self, point: ConsentPoint, sight: Sight, clock: Callable[[], float] = time.time) -> None:
        self._point = point
        self._sight = sight
        self._clock = clock
        self._held: dict[str, tuple[Capture, asyncio.TimerHandle]] = {}  # by zone

    def hold(self, capture: Capture) -> None:
        """Keep it in place of the zone's earlier one, until it is taken or its time is up."""
        self.drop(capture.zone_id)
        timer = asyncio.get_running_loop().call_later(HOLD_SECONDS, self.drop, capture.zone_id)
        self._held[capture.zone_id] = (capture, timer)

    def take(self, zone_id: str, capture_id: str) -> Capture:
        """What is held, once. Raises `NotFoundError` when it is gone."""
        held = self._held.get(zone_id)
        if held is None or held[0].capture_id != capture_id:
            raise NotFoundError("capture: is gone; it is kept for a minute only, so look into the camera again")
        self.drop(zone_id)
        return held[0]

    def drop(self, zone_id: str) -> None:
        """Forget what is held of the zone."""
        held = self._held.pop(zone_id, None)
        if held is not None:
            held[1].cancel()

    def drop_of(self, camera_id: str) -> None:
        """Forget what is held that this camera saw."""
        for zone_id, (capture, _) in list(self._held.items()):
            if capture.camera_id == camera_id:
                self.drop(zone_id)

    async def look(self, zone_id: str) -> Capture:
        """The one face in view of the zone: one track from the first look to the last. Raises `FaceError`."""
        first: Track | None = None
        shots: list[FaceShot] = []
        flaw = Flaw.NOBODY
        asked_at, ends = self._clock(), time.monotonic() + LOOK_SECONDS
        while len(shots) < LOOKS and time.monotonic() < ends:
            live = self._live(zone_id)
            if live:
                view, track = live[0]
                if first is not None and track.key != first.key:
                    raise FaceError(f"zone: the person at {zone_id} changed; start again")
                first = track
                shot, wrong = self._usable(view, track)
                flaw = wrong or flaw
                # A picture from before the person agreed is none that they agreed to.
                if shot is not None and shot.taken_at > (shots[-1].taken_at if shots else asked_at):
                    shots.append(shot)
            await asyncio.sleep(0.05)
        if first is None or not shots:
            raise FaceError(
                f"zone: no usable face at {zone_id}: {_SAID[flaw]}; stand before the camera, alone, and look at it",
                flaw,
            )
        return Capture(uuid.uuid4().hex, zone_id, tuple(shots), first)

    async def photo(self, zone_id: str, raw: bytes) -> Capture:
        """The one face of a JPEG or PNG. Raises `InvalidError` for what is no picture, and `FaceError`."""
        shot = await self._sight.on_models(partial(self._photo, raw))
        return Capture(uuid.uuid4().hex, zone_id, (shot,))

    def _live(self, zone_id: str) -> list[tuple[View, Track]]:
        """Who is in view, with the view: nobody, or one person."""
        views = self._point.views(zone_id)
        if not views:
            raise FaceError(
                f"zone: no camera of {zone_id} is online and switched on; see `nvr-bridge cameras list`, or give a photo"
            )
        live = [(view, track) for view in views for track in view.live]
        if len(live) > 1:
            raise FaceError(
                f"zone: {len(live)} faces are in view of {zone_id}; one person must stand there alone",
                Flaw.MORE_THAN_ONE,
            )
        return live

    def _usable(self, view: View, track: Track) -> tuple[FaceShot | None, Flaw | None]:
        """What this view shows of the person, or what is wrong with it. Neither, where the face is covered for a moment."""
        shot = view.shots.get(track.track_id)
        if (shot.width if shot else track.box.width) < self._sight.min_face:
            return None, Flaw.TOO_SMALL
        if shot is None:
            return None, view.flaws.get(track.track_id)
        return (None, shot.flaw) if shot.flaw else (shot, None)

    def _photo(self, raw: bytes, detector: Detector, cutter: Cutter) -> FaceShot:
        """On the models' thread: the one face of a photo."""
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
            flaw = Flaw.MORE_THAN_ONE if faces else Flaw.NOBODY
            raise FaceError(f"photo: shows {len(faces)} faces; give one with exactly one", flaw)
        width = faces[0].box.width
        if width < self._sight.min_face:
            problem = f"photo: the face is {width:.0f} px wide; at least {self._sight.min_face:g} are needed"
            raise FaceError(problem, Flaw.TOO_SMALL)
        judged = cutter.judge(image, faces[0], self._clock())
        if isinstance(judged, FaceShot) and judged.flaw is None:
            return judged
        wrong = judged if isinstance(judged, Flaw) else judged.flaw or Flaw.NOT_A_FACE
        raise FaceError(f"photo: {_SAID[wrong]}; give a sharp frontal one", wrong)


_SAID = {
    Flaw.NOBODY: "nobody is in view",
    Flaw.MORE_THAN_ONE: "more than one face is in view",
    Flaw.NOT_A_FACE: "it is not a face",
    Flaw.TOO_SMALL: "the face is too small",
    Flaw.TURNED: "the face is turned away",
    Flaw.BLURRED: "the face is blurred",
    Flaw.COVERED: "the face is covered",
}
