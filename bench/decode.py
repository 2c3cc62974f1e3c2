"""decode: a stream through `Source`, beside a plain PyAV loop over the same stream."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import av

from nvr_bridge.errors import StreamEndedError
from nvr_bridge.video.source import Source

from . import clip
from .measure import Figure, once

CLIP_SECONDS = 20


def run(seconds: float) -> Iterator[Figure]:
    """Frames per CPU-second, for both codecs that cameras send."""
    with tempfile.TemporaryDirectory() as folder:
        codecs: list[tuple[str, Literal["libx264", "libx265"]]] = [("H.264", "libx264"), ("H.265", "libx265")]
        for name, codec in codecs:
            path = Path(folder) / f"{codec}.mp4"
            clip.write(path, codec, CLIP_SECONDS)
            rounds = max(2, round(seconds))
            mine = max(_through_source(path) for _ in range(rounds))
            plain = max(_plainly(path) for _ in range(rounds))
            yield Figure(
                "decode",
                f"640×360 {name}, decoded and offered",
                mine,
                "frames per CPU-second",
                "plain PyAV loop",
                plain,
            )


def _through_source(path: Path) -> float:
    async def whole() -> int:
        source = Source("bench", str(path))
        await source.start()
        try:
            while True:
                await source.frame(10.0)
        except StreamEndedError:
            return source.decoded
        finally:
            await source.stop()

    decoded = 0

    def work() -> None:
        nonlocal decoded
        decoded = asyncio.run(whole())

    spent = once(work)
    if decoded < CLIP_SECONDS * clip.FPS * 0.8:  # what is read while opening is not shown
        raise AssertionError(f"{decoded} frames were decoded of {CLIP_SECONDS * clip.FPS}")
    return decoded / spent.cpu


def _plainly(path: Path) -> float:
    decoded = 0

    def work() -> None:
        nonlocal decoded
        with av.open(str(path)) as container:
            container.streams.video[0].thread_count = 1
            decoded = sum(1 for _ in container.decode(video=0))

    spent = once(work)
    return decoded / spent.cpu
