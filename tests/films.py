"""Short recordings to serve, and how a client addresses what serves them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

import av
import numpy as np

from demo.feed import Recording
from demo.rtsp import RtspServer

USER, PASSWORD = "viewer", "blue-37"
SIZE = (320, 192)
FPS = 15
BLUE = (160, 90, 60)  # BGR


def filmed(
    codec: str, size: tuple[int, int] = SIZE, colours: Sequence[tuple[int, int, int]] = (BLUE, BLUE), fps: int = FPS
) -> Recording:
    """A second of each colour, BGR, each beginning with a key frame; a bright square crosses the top of the picture."""

    def pictures() -> Iterator[np.ndarray]:
        for index in range(len(colours) * fps):
            image = np.full((size[1], size[0], 3), colours[index // fps], np.uint8)
            left = 8 * index % (size[0] - 40)
            image[20:60, left : left + 40] = 250
            yield image

    return recorded(codec, size, pictures(), fps)


def recorded(codec: str, size: tuple[int, int], pictures: Iterable[np.ndarray], fps: int) -> Recording:
    """A film of these pictures, with a key frame every second."""
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
    for image in pictures:
        packets += encoder.encode(av.VideoFrame.from_ndarray(image, format="bgr24"))
    packets += encoder.encode(None)
    return Recording.of(codec, size, fps, [(bytes(packet), packet.is_keyframe) for packet in packets])


def address(camera: RtspServer, path: str, password: str = PASSWORD) -> str:
    """The URL with credentials in it."""
    return camera.url(path).replace("rtsp://", f"rtsp://{USER}:{quote(password, safe='')}@")
