"""What a simulated camera sends: a pre-encoded recording, and where in it the camera is now."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

_TO_ANNEX_B = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
_H264_PARAMETERS = frozenset({7, 8})  # SPS, PPS
_HEVC_PARAMETERS = frozenset({32, 33, 34})  # VPS, SPS, PPS
_EDGE = 1e-6  # seconds of grace when a moment is compared to a frame's time, for rounding


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded frame: its NAL units without start codes or lengths."""

    key: bool
    nals: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Recording:
    """An elementary stream at a constant frame rate, without B-frames, that begins with a key frame."""

    codec: str  # "h264" or "hevc"
    width: int
    height: int
    fps: int
    parameters: tuple[bytes, ...] = field(repr=False)  # the parameter sets, in the order they are sent
    units: tuple[AccessUnit, ...] = field(repr=False)

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.units) / self.fps

    @classmethod
    def of(cls, codec: str, size: tuple[int, int], fps: int, packets: Iterable[tuple[bytes, bool]]) -> Recording:
        """Take an encoder's Annex B packets, each with whether it is a key frame.

        Raises `ValueError` for a codec that RTSP is not served in here, or packets that do not begin with a key frame
        and its parameter sets.
        """
        if codec not in _TO_ANNEX_B:
            raise ValueError(f"codec: {codec} is not served; use h264 or hevc")
        parameters: dict[int, bytes] = {}
        units = []
        for data, key in packets:
            nals = tuple(split_annex_b(data))
            if key and not parameters:
                parameters = {kind: nal for nal in nals if (kind := nal_kind(codec, nal)) in _parameter_kinds(codec)}
            units.append(AccessUnit(key, nals))
        if not units or not units[0].key or len(parameters) < len(_parameter_kinds(codec)):
            raise ValueError("packets: the first one is not a key frame with its parameter sets")
        return cls(codec, size[0], size[1], fps, tuple(parameters[kind] for kind in sorted(parameters)), tuple(units))

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read the video stream of an MP4 file. Blocks; raises `av.FFmpegError` or `ValueError` for other files."""
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            codec = stream.codec_context.name
            if codec not in _TO_ANNEX_B:
                raise ValueError(f"{path.name}: {codec} is not served; use h264 or hevc")
            to_annex_b = BitStreamFilterContext(_TO_ANNEX_B[codec], stream)
            packets = [
                (bytes(out), out.is_keyframe)
                for packet in container.demux(stream)
                for out in to_annex_b.filter(packet if packet.size else None)
            ]
            fps = round(float(stream.average_rate or 15))
            return cls.of(codec, (stream.width, stream.height), fps, packets)


class StoryClock:
    """When the story began; shared by all cameras of a site. Until then every camera shows its empty place."""

    def __init__(self) -> None:
        self.origin = time.monotonic()  # the frame grid before the story
        self.began: float | None = None

    def begin(self, at: float | None = None) -> None:
        """Begin the story now, or at a moment of `time.monotonic()`."""
        self.began = time.monotonic() if at is None else at

    def position(self) -> float | None:
        """Seconds into the story, None before it."""
        return None if self.began is None else time.monotonic() - self.began


class Feed:
    """One stream of a camera that is always on: whoever comes sees what is there now.

    Before the story and after it the recording's first and last group of pictures repeat (the place is empty then);
    with `loop` the whole recording repeats instead. Moments are seconds of `time.monotonic()`.
    """

    def __init__(self, recording: Recording, clock: StoryClock, *, loop: bool = False) -> None:
        self.recording = recording
        self._clock = clock
        self._loop = loop
        keys = [index for index, unit in enumerate(recording.units) if unit.key]
        self._first_group = keys[1] if len(keys) > 1 else len(recording.units)
        self._last_group = keys[-1]

    def join(self, moment: float) -> float:
        """The moment of the newest key frame that is not later than `moment`: where a newcomer begins."""
        origin, count = self._grid(moment)
        while count > 0 and not self._at(origin, count).key:
            count -= 1
        return origin + count / self.recording.fps

    def after(self, moment: float) -> float:
        """The moment of the first frame later than `moment`."""
        origin, count = self._grid(moment)
        following = origin + (count + 1) / self.recording.fps
        began = self._clock.began
        return began if began is not None and moment + _EDGE < began < following else following

    def unit(self, moment: float) -> AccessUnit:
        """The newest frame that is not later than `moment`."""
        return self._at(*self._grid(moment))

    def _grid(self, moment: float) -> tuple[float, int]:
        """The frame grid in force at a moment: where it began, and frames since then."""
        began = self._clock.began
        origin = began if began is not None and moment + _EDGE >= began else self._clock.origin
        return origin, max(0, math.floor((moment - origin + _EDGE) * self.recording.fps))

    def _at(self, origin: float, count: int) -> AccessUnit:
        units = self.recording.units
        if origin != self._clock.began:
            return units[count % self._first_group]
        if count < len(units):
            return units[count]
        if self._loop:
            return units[count % len(units)]
        return units[self._last_group + (count - len(units)) % (len(units) - self._last_group)]


def split_annex_b(data: bytes) -> Iterable[bytes]:
    """The NAL units between start codes."""
    for part in data.split(b"\x00\x00\x01"):
        nal = part.rstrip(b"\x00")  # a NAL unit never ends in a zero byte: these belong to the next start code
        if nal:
            yield nal


def nal_kind(codec: str, nal: bytes) -> int:
    """The NAL unit type."""
    return nal[0] & 0x1F if codec == "h264" else nal[0] >> 1 & 0x3F


def _parameter_kinds(codec: str) -> frozenset[int]:
    return _H264_PARAMETERS if codec == "h264" else _HEVC_PARAMETERS
