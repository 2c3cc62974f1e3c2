"""cameras: how many cameras a core carries, on the recordings of the demo: people in view for most of the time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import av

from demo.video import FPS
from nvr_bridge.camera import LOOK_ANYWAY
from nvr_bridge.models import Camera, CameraKind, Face, Track
from nvr_bridge.recognise import BETTER, MAX_ATTEMPTS
from nvr_bridge.video.motion import MotionGate
from nvr_bridge.vision.track import Tracks, update, with_best

from . import material
from .measure import Figure, once

if TYPE_CHECKING:
    from nvr_bridge.models import Image

EVERY = 3  # of 15 pictures a second, 5 are looked at
CAMERA = Camera("bench", "bench", CameraKind.ONVIF, "bench", "bench", "bench")


def run(seconds: float) -> Iterator[Figure]:
    """Stream-seconds per CPU-second, decoding included."""
    del seconds  # a recording is as long as it is
    for name, codec in (("entrance", "H.264"), ("lane", "H.265")):
        path = material.recordings()[name]
        material.vision()
        with av.open(str(path)) as container:
            length = container.streams.video[0].frames / FPS
        ours = once(lambda path=path: _as_the_engine_does(path))  # type: ignore[misc]
        plain = once(lambda path=path: _plainly(path))  # type: ignore[misc]
        yield Figure(
            "cameras",
            f"per core, {codec} 640×360@15, every track embedded",
            length / ours.cpu,
            "cameras",
            "plain loop: every face of every fifth of a second embedded",
            length / plain.cpu,
        )


def _as_the_engine_does(path: Path) -> None:
    """The camera's loop without its waits: motion gate, detect, track, cut, and an embedding for each better look."""
    seer, _ = material.vision()
    gate, tracks, looked_at = MotionGate(), Tracks(), float("-inf")
    tried: dict[int, list[float]] = {}
    for index, image in enumerate(material.pictures(path, every=EVERY)):
        at = index * EVERY / FPS
        if not (gate.moved(image) or tracks.live or at - looked_at >= LOOK_ANYWAY):
            continue
        looked_at = at
        tracks = update(tracks, seer.detector.detect(image), at, CAMERA).state
        live = [_looked_at(track, image, at) for track in tracks.live]
        tracks = tracks.replacing(live)
        for track in live:
            _embed(track, tried.setdefault(track.track_id, []))


def _looked_at(track: Track, image: Image, at: float) -> Track:
    if track.last_at != at:
        return track
    shot = material.vision()[0].cutter.cut(image, Face(track.box, 1.0), at)
    better = shot is not None and (track.best is None or shot.quality > track.best.quality)
    return with_best(track, shot) if shot is not None and better else track


def _embed(track: Track, qualities: list[float]) -> None:
    seer, permit = material.vision()
    if seer.embedder is None or track.best is None or len(qualities) >= MAX_ATTEMPTS:
        return
    if not qualities or track.best.quality >= qualities[-1] * BETTER:
        qualities.append(track.best.quality)
        seer.embedder.embed(track.best, permit)


def _plainly(path: Path) -> None:
    seer, permit = material.vision()
    for image in material.pictures(path, every=EVERY):
        for face in seer.detector.detect(image):
            shot = seer.cutter.cut(image, Face(face.box, 1.0), 0.0)
            if shot is not None and seer.embedder is not None:
                seer.embedder.embed(shot, permit)
