"""The one face of a photo, when it is known that there is one: looked for a little harder than in live video."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..models import Box, Face, FaceShot
from .detect import Detector
from .quality import Cutter

if TYPE_CHECKING:
    from ..models import Image

_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # ITU-T T.81, table B.1: SOF0 … SOF15
_MARGINS = (0.0, 0.25, 0.6)  # of the photo's size, added on every side: a face that fills the photo is found then


def central_shot(detector: Detector, cutter: Cutter, image: Image, at: float) -> FaceShot | None:
    """The face a portrait is of: large, and nearest the middle. None where no usable face is found."""
    height, width = image.shape[:2]
    for margin in _MARGINS:
        x, y = round(width * margin), round(height * margin)
        wide = cv2.copyMakeBorder(image, y, y, x, x, cv2.BORDER_CONSTANT, value=(0, 0, 0)).astype(np.uint8, copy=False)
        for face in by_place(detector.detect(wide), float(wide.shape[1]), float(wide.shape[0])):
            shot = cutter.cut(wide, face, at)
            if shot is not None:
                return shot
    return None


def pixel_size(raw: bytes) -> tuple[int, int] | None:
    """(width, height) as a PNG's or JPEG's header says, without decoding it; None for anything else.

    A picture of one colour is a few bytes whatever its size, so nothing is decoded before this was asked.
    """
    if raw[:8] == b"\x89PNG\r\n\x1a\n" and raw[12:16] == b"IHDR" and len(raw) >= 24:
        return int.from_bytes(raw[16:20]), int.from_bytes(raw[20:24])
    if raw[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(raw) and raw[at] == 0xFF:
        marker = raw[at + 1]
        if marker == 0xFF:  # padding before a marker
            at += 1
        elif marker in _FRAME_HEADERS:
            return int.from_bytes(raw[at + 7 : at + 9]), int.from_bytes(raw[at + 5 : at + 7])
        else:
            at += 2 + int.from_bytes(raw[at + 2 : at + 4])
    return None


def by_place(faces: list[Face], width: float, height: float) -> list[Face]:
    """From the likeliest subject of a picture of this size to the least likely."""

    def distance(box: Box) -> float:
        across, down = (box.x1 + box.x2 - width) / 2, (box.y1 + box.y2 - height) / 2
        return float(np.hypot(across, down)) / max(box.width, 1.0)

    return sorted(faces, key=lambda face: distance(face.box))
