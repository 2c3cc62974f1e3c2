"""Short recordings to serve: a bright square that moves over a grey picture."""

from __future__ import annotations

from collections.abc import Callable

import av
import numpy as np
import pytest

from demo.feed import Recording

SIZE = (320, 192)


def record(codec: str, seconds: float = 3.0, fps: int = 15) -> Recording:
    """A recording with a key frame every second; each second's picture is 40 levels brighter than the last."""
    encoder = av.CodecContext.create("libx264" if codec == "h264" else "libx265", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = SIZE
    encoder.pix_fmt = "yuv420p"
    encoder.framerate = fps
    encoder.gop_size = fps
    encoder.max_b_frames = 0
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    if codec == "hevc":
        encoder.options |= {"x265-params": f"log-level=none:pools=1:keyint={fps}:min-keyint={fps}:scenecut=0:bframes=0"}
    packets = []
    for index in range(int(seconds * fps)):
        image = np.full((SIZE[1], SIZE[0], 3), 40 + 40 * (index // fps), np.uint8)
        image[20:60, index % 200 : index % 200 + 40] = 250
        packets += encoder.encode(av.VideoFrame.from_ndarray(image, format="bgr24"))
    packets += encoder.encode(None)
    return Recording.of(codec, SIZE, fps, [(bytes(packet), packet.is_keyframe) for packet in packets])


@pytest.fixture(scope="session")
def recordings() -> dict[str, Recording]:
    """One recording of each codec, 3 s long."""
    return {codec: record(codec) for codec in ("h264", "hevc")}


@pytest.fixture
def recorder() -> Callable[..., Recording]:
    """Makes other recordings."""
    return record
