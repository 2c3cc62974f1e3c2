"""A substream as cameras send it, drawn and encoded here, so that decoding can be measured without a camera."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np

WIDTH, HEIGHT, FPS = 640, 360, 15


def write(path: Path, codec: Literal["libx264", "libx265"], seconds: int) -> None:
    """Encode `seconds` of a textured room with something moving through it. `codec` is libx264 or libx265."""
    rng = np.random.default_rng(3)
    room = np.repeat(np.repeat(rng.integers(60, 200, (HEIGHT // 8, WIDTH // 8, 3)), 8, axis=0), 8, axis=1).astype(
        np.uint8
    )
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, FPS)
        stream.gop_size = FPS * 2
        quiet = {"x265-params": "log-level=none:bframes=0:pools=1"} if codec == "libx265" else {}
        stream.options = {"preset": "veryfast", "crf": "26", "bf": "0", **quiet}
        for index in range(seconds * FPS):
            picture = room + rng.integers(0, 6, room.shape, dtype=np.uint8)  # a sensor's noise
            left = index * 5 % (WIDTH - 90)
            picture[120:300, left : left + 90] = room[120:300, :90][::-1]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
