"""Simulated devices with short recordings, and the logins that open them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import av
import numpy as np
import pytest

from demo.camera import HikvisionNvr, NvrInput, OnvifCamera, Stream
from demo.feed import Feed, Recording, StoryClock
from nvr_bridge.devices.credentials import Credentials, LoginBook, UnsavedRefusals

LOGIN = ("viewer", "p@ss:w/rd 1")  # every character that an address must not take literally


def record(codec: str, size: tuple[int, int], fps: int = 10) -> Recording:
    """Two seconds of a moving square."""
    encoder = av.CodecContext.create("libx264" if codec == "h264" else "libx265", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuv420p"
    encoder.framerate = fps
    encoder.gop_size = fps
    encoder.max_b_frames = 0
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    if codec == "hevc":
        encoder.options |= {"x265-params": f"log-level=none:pools=1:keyint={fps}:min-keyint={fps}:scenecut=0:bframes=0"}
    packets = []
    for index in range(2 * fps):
        image = np.full((size[1], size[0], 3), 90, np.uint8)
        image[10:60, 8 * index : 8 * index + 40] = 250
        packets += encoder.encode(av.VideoFrame.from_ndarray(image, format="bgr24"))
    packets += encoder.encode(None)
    return Recording.of(codec, size, fps, [(bytes(packet), packet.is_keyframe) for packet in packets])


@pytest.fixture(scope="session")
def recordings() -> dict[str, Recording]:
    """What profiles send: a main stream, two sub streams, and one too small to recognise anybody in."""
    return {
        "main": record("h264", (1280, 720)),
        "sub": record("h264", (640, 360)),
        "sub265": record("hevc", (640, 360)),
        "tiny": record("h264", (352, 192)),
    }


@pytest.fixture
def stream(recordings: dict[str, Recording]) -> Callable[..., Stream]:
    """`stream(name, claims=None)`: a profile that sends one of the recordings over and over."""
    clock = StoryClock()

    def make(name: str, claims: tuple[int, int] | None = None) -> Stream:
        return Stream(Feed(recordings[name], clock, loop=True), claims)

    return make


@pytest.fixture
def right() -> Credentials:
    """The login that every simulated device here takes."""
    return Credentials(*LOGIN)


@pytest.fixture
def wrong() -> Credentials:
    """A login that none takes."""
    return Credentials(LOGIN[0], "not this one")


@pytest.fixture
def book() -> LoginBook:
    """A book in which nothing is refused yet."""
    return LoginBook(UnsavedRefusals())


@pytest.fixture
async def camera(stream: Callable[..., Stream]) -> AsyncIterator[OnvifCamera]:
    """An ONVIF camera whose sub stream is H.265, and whose clock is ninety days ahead."""
    async with OnvifCamera("Lane", [stream("main"), stream("sub265")], LOGIN, clock_skew=90 * 86400) as device:
        yield device


@pytest.fixture
async def nvr(stream: Callable[..., Stream]) -> AsyncIterator[HikvisionNvr]:
    """A recorder with two cameras and an input that nothing is connected to."""
    inputs = [NvrInput("Desk", (stream("main"), stream("sub"))), NvrInput("Lobby", (stream("main"), stream("sub")))]
    async with HikvisionNvr("Recorder", [*inputs, NvrInput("Spare")], LOGIN, clock_skew=-3600) as device:
        yield device
