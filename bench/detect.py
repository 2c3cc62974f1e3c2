"""detect: finding the faces of a sub stream's picture and cutting one out, beside the bare models."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nvr_bridge.models import Face
from nvr_bridge.video.motion import MotionGate
from nvr_bridge.vision.graph import OnnxGraph
from nvr_bridge.vision.pack import Part

from . import material
from .measure import Figure, side_by_side


def run(seconds: float) -> Iterator[Figure]:
    """Milliseconds of CPU for one 640×360 picture."""
    seer, _ = material.vision()
    image, face = material.picture()
    detector = OnnxGraph(material.model_file(Part.DETECTOR), "detector")
    landmarks = OnnxGraph(material.model_file(Part.LANDMARKS), "landmarks")
    whole = np.zeros((1, 3, 240, 320), np.float32)
    patch = np.zeros((1, 1, 64, 64), np.float32)
    gate = MotionGate()

    def bare_landmarks() -> None:
        for _ in range(3):
            landmarks.run(patch)

    found, bare = side_by_side([lambda: seer.detector.detect(image), lambda: detector.run(whole)], seconds)
    yield Figure("detect", "faces of a picture", found, "ms", "the model alone", bare)
    cut, bare = side_by_side([lambda: seer.cutter.cut(image, Face(face.box, 1.0), 0.0), bare_landmarks], seconds)
    yield Figure(
        "detect", "cut a face out: landmarks, align, quality", cut, "ms", "three runs of the model alone", bare
    )
    moved, resized = side_by_side([lambda: gate.moved(image), lambda: _by_resizing(image)], seconds)
    yield Figure("detect", "motion gate", moved, "ms", "the same on a resized picture", resized)


def _by_resizing(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bool:
    import cv2  # noqa: PLC0415 - only this reference needs it

    height, width = image.shape[:2]
    small = cv2.resize(image, (width // 8, height // 8), interpolation=cv2.INTER_AREA)
    sample = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return bool(np.abs(sample - sample.mean()).max() > 14)
