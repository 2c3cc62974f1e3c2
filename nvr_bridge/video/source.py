"""A camera's stream: a thread decodes, a coroutine receives, and the end of a stream is one error of ours.

The thread is owned by its `Source`, which joins it off the event loop. What it shares with the loop is a slot of one
picture: a newer one replaces it, and what was replaced is counted.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..errors import BridgeError, CredentialsError, NoVideoError, StreamEndedError, UnreachableError
from ..models import Frame, StreamFacts

if TYPE_CHECKING:
    from ..models import Image

TIMEOUTS = (6.0, 4.0)  # seconds: to connect and read the stream's description; without a packet in a running stream

_OPTIONS = {
    "rtsp_transport": "tcp",
    "fflags": "nobuffer",
    "flags": "low_delay",
    "analyzeduration": "500000",  # microseconds: a live stream's description says what it is
    "fpsprobesize": "0",
}


class Source:
    """One stream, decoded whole, of which `analysis_fps` pictures per second are converted and offered.

    `decoded` counts pictures decoded, `dropped` those converted and replaced before anybody took them, and `facts` says
    what the stream really delivers (None before its first picture).
    """

    def __init__(
        self, camera_id: str, url: str, *, analysis_fps: float = 5.0, timeouts: tuple[float, float] = TIMEOUTS
    ) -> None:
        """Connects to nothing yet. `url` may hold credentials; errors never show them."""
        self.camera_id = camera_id
        self.decoded = 0
        self.dropped = 0
        self.facts: StreamFacts | None = None
        self._url = url
        self._timeouts = timeouts
        self._period = 1.0 / analysis_fps
        self._stop = threading.Event()
        self._lock = threading.Lock()  # guards the slot only
        self._slot: Frame | None = None
        self._ended: BridgeError | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = asyncio.Event()

    async def start(self) -> None:
        """Start the thread. Whether the stream opens is told by `frame`."""
        if self._thread is not None:
            raise RuntimeError("a source is started once; make a new one to connect again")
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name=f"video {self.camera_id}", daemon=True)
        self._thread.start()

    async def frame(self, timeout: float) -> Frame:  # noqa: ASYNC109 - the wait is this method's job
        """The newest picture that nobody has taken, waiting up to `timeout` seconds for one.

        Raises `CredentialsError` if the device refused the login, `NoVideoError` if the stream carries no picture this
        program can decode, and `StreamEndedError` for all else, also when no picture came in time.
        """
        try:
            async with asyncio.timeout(timeout):
                while True:
                    with self._lock:
                        taken, self._slot = self._slot, None
                        ended = self._ended
                        self._ready.clear()
                    if taken is not None:
                        return taken
                    if ended is not None:
                        raise ended
                    await self._ready.wait()
        except TimeoutError:
            raise StreamEndedError(f"{shown(self._url)}: no picture for {timeout:g} s; check the camera") from None

    async def stop(self) -> None:
        """End the thread and wait for it: at most a timeout, where the camera is silent. May be called twice."""
        self._stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    # --- the thread ---

    def _run(self) -> None:
        ended: BridgeError = StreamEndedError(f"{shown(self._url)}: the decoder failed; this is a bug")
        try:
            with _opened(self._url, self._timeouts) as container:
                self._decode(container)
            ended = StreamEndedError(f"{shown(self._url)}: the stream ended; the camera closed it")
        except av.FFmpegError as err:
            ended = _explain(err, self._url)
        except BridgeError as err:
            ended = err
        finally:
            self._finish(ended)

    def _decode(self, container: InputContainer) -> None:
        due = 0.0
        rate = _Rate()
        for picture, received_at in _pictures(container, self._url, self._stop):
            self.decoded += 1
            rate.add(picture, received_at)
            if self.facts is None or self.decoded % 30 == 0:
                self.facts = rate.facts(self.camera_id, container, picture)
            if received_at < due - self._period / 5:  # pictures come a little early as often as late
                continue
            following = due + self._period  # keeps to the grid, but never catches up after a gap
            due = following if following > received_at else received_at + self._period
            self._offer(Frame(self.camera_id, self.decoded, received_at, _image(picture)))

    def _offer(self, frame: Frame) -> None:
        with self._lock:
            waiting, self._slot = self._slot, frame
            if waiting is not None:
                self.dropped += 1
        if waiting is None:
            self._wake()

    def _finish(self, ended: BridgeError) -> None:
        with self._lock:
            self._ended = ended
        self._wake()

    def _wake(self) -> None:
        # After `stop` nobody waits, and the loop may be on its way out.
        if self._loop is not None and not self._stop.is_set():
            self._loop.call_soon_threadsafe(self._ready.set)


async def measure(
    url: str, seconds: float = 1.5, *, name: str = "", timeouts: tuple[float, float] = TIMEOUTS
) -> StreamFacts:
    """Decode `seconds` of a stream and say what it delivers.

    Raises `CredentialsError` (refused login), `UnreachableError` (no connection), `NoVideoError` (no stream there, or
    none this program can decode) or `StreamEndedError`. The answer's `name` is the `name` given.
    """
    return await asyncio.to_thread(_measure, url, seconds, name, timeouts)


def shown(url: str) -> str:
    """The address without user name and password, as errors and logs may show it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


# --- helpers ------------------------------------------------------------------------------------------------------


def _opened(url: str, timeouts: tuple[float, float]) -> InputContainer:
    return av.open(url, mode="r", options=dict(_OPTIONS), timeout=timeouts)


def _pictures(container: InputContainer, url: str, stop: threading.Event) -> Iterator[tuple[VideoFrame, float]]:
    """Decoded pictures with the wall-clock time at which the packet that completed each was received."""
    if not container.streams.video:
        raise NoVideoError(f"{shown(url)}: the stream carries no video; choose another profile on the camera")
    stream: VideoStream = container.streams.video[0]
    stream.thread_count = 1  # frame threads would hold pictures back
    if stop.is_set():
        return
    for packet in container.demux(stream):
        received_at = time.time()
        if stop.is_set():
            return
        try:
            pictures = packet.decode()
        except av.InvalidDataError:
            continue  # a lost or damaged packet: the next key frame repairs it
        for picture in pictures:
            if isinstance(picture, VideoFrame) and not picture.is_corrupt:
                yield picture, received_at


def _image(picture: VideoFrame) -> Image:
    return picture.to_ndarray(format="bgr24").astype(np.uint8, copy=False)


@dataclass(frozen=True, slots=True)
class _Seen:
    pts: float | None  # seconds on the stream's clock
    received_at: float


class _Rate:
    """How many pictures per second arrived lately."""

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque(maxlen=60)

    def add(self, picture: VideoFrame, received_at: float) -> None:
        self._seen.append(_Seen(picture.time, received_at))

    def facts(self, name: str, container: InputContainer, picture: VideoFrame) -> StreamFacts:
        codec = container.streams.video[0].codec_context.codec.canonical_name
        return StreamFacts(name, codec, picture.width, picture.height, round(self._fps(), 2))

    def _fps(self) -> float:
        first, last = self._seen[0], self._seen[-1]
        # A device may send its last seconds at once when a client joins, so its own clock is the better one.
        if first.pts is not None and last.pts is not None and last.pts > first.pts:
            return (len(self._seen) - 1) / (last.pts - first.pts)
        span = last.received_at - first.received_at
        return (len(self._seen) - 1) / span if span > 0 else 0.0


def _measure(url: str, seconds: float, name: str, timeouts: tuple[float, float]) -> StreamFacts:
    rate = _Rate()
    latest: VideoFrame | None = None
    started: float | None = None
    stop = threading.Event()
    try:
        with _opened(url, timeouts) as container:
            for picture, received_at in _pictures(container, url, stop):
                latest = picture
                rate.add(picture, received_at)
                started = started or received_at
                if received_at - started >= seconds:
                    break
            if latest is not None:
                return rate.facts(name, container, latest)
    except av.FFmpegError as err:
        raise _explain(err, url, opening=latest is None) from None
    raise NoVideoError(f"{shown(url)}: nothing in it can be decoded; switch encryption off, or choose another profile")


def _explain(err: av.FFmpegError, url: str, *, opening: bool = False) -> BridgeError:
    """One line of ours. FFmpeg's own text is left out where it would repeat the address with its password."""
    where = shown(url)
    if isinstance(err, (av.HTTPUnauthorizedError, av.HTTPForbiddenError)):
        return CredentialsError(f"{where}: the camera refused the user name or password; correct them")
    if isinstance(err, (av.HTTPNotFoundError, av.DecoderNotFoundError)):
        return NoVideoError(f"{where}: no stream there that can be decoded ({err.strerror}); choose another profile")
    if isinstance(err, (av.ExitError, av.TimeoutError, av.InvalidDataError)):
        # A device that hangs in the middle of RTSP's handshake is told as invalid data too.
        reason, remedy = "no valid answer in time", "check the address and the network"
    else:
        reason, remedy = str(err.strerror), "check the camera"
    kind = UnreachableError if opening else StreamEndedError
    return kind(f"{where}: {reason}; {remedy}")
