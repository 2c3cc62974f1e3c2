"""Moving pictures to serve, and how a client addresses them."""

from __future__ import annotations

import av
import numpy as np

from demo.feed import Recording
from demo.rtsp import RtspServer

USER, PASSWORD = "viewer", "blue-37"
SIZE = (320, 192)
FPS = 15


def filmed(codec: str, seconds: int = 2) -> Recording:
    """A bright square that crosses a grey picture."""
    encoder = av.CodecContext.create("libx264" if codec == "h264" else "libx265", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = SIZE
    encoder.pix_fmt = "yuv420p"
    encoder.framerate = FPS
    encoder.gop_size = FPS
    encoder.max_b_frames = 0
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    if codec == "hevc":
        encoder.options |= {"x265-params": f"log-level=none:pools=1:keyint={FPS}:min-keyint={FPS}:bframes=0"}
    packets = []
    for index in range(seconds * FPS):
        image = np.full((SIZE[1], SIZE[0], 3), (160, 90, 60), np.uint8)
        image[20:60, index * 8 : index * 8 + 40] = 250
        packets += encoder.encode(av.VideoFrame.from_ndarray(image, format="bgr24"))
    packets += encoder.encode(None)
    return Recording.of(codec, SIZE, FPS, [(bytes(packet), packet.is_keyframe) for packet in packets])


def address(camera: RtspServer, path: str, password: str = PASSWORD) -> str:
    """The URL with credentials in it."""
    return camera.url(path).replace("rtsp://", f"rtsp://{USER}:{password}@")
