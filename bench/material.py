"""What the sections work on: the installed models, and the recordings of the demo's cameras."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import av

from demo.process import say
from demo.timeline import load as load_site
from demo.video import SUB, render
from nvr_bridge.config import MODELS_DIR
from nvr_bridge.consent.permit import OfflineGate
from nvr_bridge.errors import BridgeError
from nvr_bridge.models import Face, Permit
from nvr_bridge.vision.install import read_installed
from nvr_bridge.vision.pack import Part
from nvr_bridge.vision.sessions import Vision, load

from .measure import Unavailable

if TYPE_CHECKING:
    from nvr_bridge.models import Image

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "demo"


@cache
def vision() -> tuple[Vision, Permit]:
    """The default pack on one thread, and a permit for what an operator measures on files."""
    gate = OfflineGate()
    try:
        return load(_models(), spend=gate.spend), gate.offline("bench")
    except BridgeError as err:
        raise Unavailable(str(err)) from err


def model_file(part: Part) -> bytes:
    """An installed model, as it is kept."""
    pack = vision()[0].pack
    return read_installed(_models(), pack, pack.model(part))


@cache
def recordings() -> dict[str, Path]:
    """Sub streams of the demo's cameras, with people in them, by the camera's name."""
    try:
        return {name: clips.sub for name, clips in render(load_site(), CACHE / "photos", CACHE / "video", say).items()}
    except (BridgeError, OSError) as err:
        raise Unavailable(f"the demo's recordings cannot be made ({err}); run script/setup demo") from err


@cache
def picture() -> tuple[Image, Face]:
    """A picture of a sub stream with one large face in it, and that face."""
    seer = vision()[0]
    best: tuple[Image, Face] | None = None
    for image in pictures(recordings()["lane"], every=15):
        faces = seer.detector.detect(image)
        usable = len(faces) == 1 and seer.cutter.cut(image, faces[0], 0.0) is not None
        if usable and (best is None or faces[0].box.width > best[1].box.width):
            best = (image, faces[0])
    if best is None or best[0].shape[1] != SUB[0]:
        raise Unavailable("no face was found in the demo's lane; run script/setup demo")
    return best


def pictures(path: Path, *, every: int) -> Iterator[Image]:
    """Every so manieth picture of a recording, BGR."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_count = 1
        for index, frame in enumerate(container.decode(video=0)):
            if index % every == 0:
                yield frame.to_ndarray(format="bgr24")  # type: ignore[misc]


def _models() -> Path:
    return Path(os.environ.get("NVR_BRIDGE_MODELS") or MODELS_DIR).expanduser()
