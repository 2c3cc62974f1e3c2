"""One camera's loop: stream → detect → track; its health and its restarts.

`CameraLoop.run` is the whole life of one camera. It never gives up on what may come back by itself, and never tries
again what only a person can mend.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from .devices.credentials import Credentials
from .errors import AskError, BridgeError, CredentialsError, NoVideoError, RetryError
from .meters import Rate
from .models import Camera, CameraState, Face, FaceShot, Flaw, Frame, StreamFacts, Track
from .sight import Cutter, Detector, Sight
from .store.finish import to_the_end
from .video.motion import MotionGate
from .video.source import Source
from .vision.track import Tracks, Update, update, with_best

if TYPE_CHECKING:
    from .devices.device import Device
    from .models import Image

_LOGGER = logging.getLogger(__name__)

FRAME_TIMEOUT = 5.0  # seconds without a frame after which a stream counts as dead
LOOK_ANYWAY = 2.0  # seconds after which a picture without motion is looked at all the same: people also stand still
BACKOFF = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds between attempts
ASK_RETRY = 60.0  # seconds after which a device that only a person can mend is looked at again: they may have mended it


class Codes(Protocol):
    """Whoever waits for a code to be shown to a camera."""

    def wanted(self, zone_id: str) -> bool:
        """Whether the zone's pictures are to be looked at now."""

    async def look(self, zone_id: str, image: Image) -> None:
        """One picture of the zone."""


class Viewer(Protocol):
    """What a camera tells the rest of the engine."""

    async def viewed(self, camera: Camera, view: View) -> None:
        """A frame was looked at."""

    async def ended(self, track: Track) -> None:
        """A track is over."""


@dataclass(frozen=True, slots=True)
class View:
    """What a camera sees as of its last analysed frame."""

    at: float  # that frame's receipt, seconds since the epoch
    live: tuple[Track, ...] = ()
    shots: dict[int, FaceShot] = field(default_factory=dict)  # of this very frame, by track id
    flaws: dict[int, Flaw] = field(default_factory=dict)  # why there is no shot of a track in this frame


@dataclass(frozen=True, slots=True)
class Health:
    """A camera's state, and one line with the remedy if something is wrong."""

    state: CameraState
    reason: str | None = None
    facts: StreamFacts | None = None
    code: str | None = None  # of the error that the reason is of


type CredentialsOf = Callable[[Camera], Awaitable[Credentials | None]]


class Opener(Protocol):
    """Finds out which stream to pull; asks the device, so it is called once per outage and not per frame."""

    async def __call__(self, camera: Camera, credentials: Credentials | None) -> tuple[str, StreamFacts]:
        """(RTSP URL with credentials, what it was measured to deliver)."""


def analyse(
    frame: Frame, tracks: Tracks, camera: Camera, armed: bool, detector: Detector, cutter: Cutter
) -> tuple[Update, View]:
    """On the models' thread: detect and track; and where the zone is armed, cut out the faces of this frame."""
    found = update(tracks, detector.detect(frame.image), frame.received_at, camera)
    shots: dict[int, FaceShot] = {}
    flaws: dict[int, Flaw] = {}
    live = []
    for track in found.live:
        shot: FaceShot | None = None
        if not armed:
            # Boxed and counted, and nothing more; what was cut out before the zone was disarmed goes too.
            live.append(replace(track, best=None))
            continue
        if track.last_at == frame.received_at:
            judged = cutter.judge(frame.image, Face(track.box, 1.0), frame.received_at)
            if isinstance(judged, FaceShot):
                shot = shots[track.track_id] = judged
            else:
                flaws[track.track_id] = judged
        live.append(
            with_best(track, shot) if shot and (track.best is None or shot.quality > track.best.quality) else track
        )
    view = View(frame.received_at, tuple(live), shots, flaws)
    return replace(found, live=view.live, state=found.state.replacing(live)), view


class CameraLoop:
    """Pulls one channel and follows the faces in it."""

    def __init__(
        self,
        camera: Camera,
        open_stream: Opener,
        credentials: CredentialsOf,
        health_changed: Callable[[Camera], None],
        *,
        sight: Sight,
        viewer: Viewer,
        codes: Codes,
        armed: Callable[[str, str], bool],
        analysis_fps: float,
    ) -> None:
        """`analysis_fps` pictures per second are looked at while something moves; `health_changed` is told of every change.

        `armed` says of a zone and a camera whether faces may be cut out there now.
        """
        self.camera = camera
        self.health = Health(CameraState.CONNECTING)
        self.view = View(0.0)
        self.decoded = 0
        self.analysed = 0
        self.analyses = Rate()
        self.dropped = 0
        self.tracks_seen = 0
        self.device: Device | None = None  # what it said of itself when it was last asked
        self._open_stream = open_stream
        self._credentials = credentials
        self._sight = sight
        self._viewer = viewer
        self._codes = codes
        self._armed = armed
        self._health_changed = health_changed
        self._analysis_fps = analysis_fps
        self._next_track = 1
        self._changed = asyncio.Event()
        self._gone_by_source = (0, 0)

    def credentials_changed(self) -> None:
        """A person gave other credentials: try again now."""
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        failures = 0
        while True:
            self._changed.clear()
            try:
                await self._session()
                failures = 0
            except RetryError as err:
                failures = 1 if self.health.state is CameraState.ONLINE else failures + 1
                self._down(CameraState.OFFLINE, err)
                await self._wait(BACKOFF[min(failures, len(BACKOFF)) - 1] * random.uniform(0.8, 1.2))
            except CredentialsError as err:
                self._down(CameraState.NEEDS_CREDENTIALS, err)
                await self._wait(None)
            except NoVideoError as err:
                self._down(CameraState.NO_VIDEO, err)
                await self._wait(ASK_RETRY)
            except AskError as err:
                self._down(CameraState.OFFLINE, err)
                await self._wait(ASK_RETRY)

    async def _session(self) -> None:
        """From asking the device for its stream to that stream's end, which is an error."""
        url, facts = await self._open_stream(self.camera, await self._credentials(self.camera))
        source = Source(self.camera.camera_id, url, analysis_fps=self._analysis_fps)
        await source.start()
        try:
            await self._watch(source, facts)
        finally:
            await source.stop()
            self.decoded += source.decoded - self._gone_by_source[0]
            self.dropped += source.dropped - self._gone_by_source[1]
            self._gone_by_source = (0, 0)

    async def _watch(self, source: Source, facts: StreamFacts) -> None:
        gate = MotionGate()
        tracks = Tracks(next_id=self._next_track)
        looked_at = 0.0
        try:
            while True:
                frame = await source.frame(FRAME_TIMEOUT)
                self._count(source)
                if self.health.state is not CameraState.ONLINE:
                    self._set_health(Health(CameraState.ONLINE, None, facts))
                if self._codes.wanted(self.camera.zone_id):
                    await self._codes.look(self.camera.zone_id, frame.image)
                moved = gate.moved(frame.image)
                if not (moved or tracks.live or frame.received_at - looked_at >= LOOK_ANYWAY):
                    continue
                looked_at = frame.received_at
                found, view = await self._look(frame, tracks)
                tracks = found.state  # before it is told, which may fail: what ended has ended, and is told once
                await self._show(view, found.ended)
        finally:
            # Forced ends: nobody is still present on a camera that sees nothing.
            self._next_track = tracks.next_id  # a number names one track for as long as the process lives
            await self._show(View(self.view.at), update(tracks, (), float("inf"), self.camera).ended)

    async def _look(self, frame: Frame, tracks: Tracks) -> tuple[Update, View]:
        found, view = await self._sight.on_models(
            partial(analyse, frame, tracks, self.camera, self._armed(self.camera.zone_id, self.camera.camera_id))
        )
        self.analysed += 1
        self.analyses.note()
        return found, view

    async def _show(self, view: View, ended: tuple[Track, ...]) -> None:
        # What a frame decided is stored whole, also when the camera is stopped in the middle of it.
        await to_the_end(self._tell(view, ended))

    async def _tell(self, view: View, ended: tuple[Track, ...]) -> None:
        self.view = view
        failed: RetryError | None = None
        try:
            await self._viewer.viewed(self.camera, view)
        except RetryError as err:  # the store cannot be written: that keeps no permit and no face alive
            failed = err
        for track in ended:
            self.tracks_seen += 1
            try:
                await self._viewer.ended(track)
            except RetryError as err:
                failed = err
        if failed is not None:
            raise failed

    def _count(self, source: Source) -> None:
        decoded, dropped = self._gone_by_source
        self.decoded += source.decoded - decoded
        self.dropped += source.dropped - dropped
        self._gone_by_source = (source.decoded, source.dropped)

    def _down(self, state: CameraState, err: BridgeError) -> None:
        self._set_health(Health(state, str(err), code=err.code))

    def _set_health(self, health: Health) -> None:
        if (health.state, health.reason) == (self.health.state, self.health.reason):
            return
        if health.state is CameraState.ONLINE:
            _LOGGER.info("camera %s: online (%s)", self.camera.camera_id, health.facts)
        elif health.state is not self.health.state:
            _LOGGER.warning("camera %s: %s: %s", self.camera.camera_id, health.state, health.reason)
        self.health = health
        self._health_changed(self.camera)

    async def _wait(self, seconds: float | None) -> None:
        """Until the credentials change, and for `seconds` at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass
