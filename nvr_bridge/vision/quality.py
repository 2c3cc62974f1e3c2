"""How good a look at a face is: large, sharp, frontal, and found in the same place each time.

Nothing about the person enters: quality compares looks at one face, and refuses those that would say little.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..models import Box, Face, FaceShot
from .align import CHIP, TEMPLATE, aligned, similarity
from .detect import Detector
from .landmarks import MAX_SPREAD, SURE_SPREAD, Landmarker, Located

if TYPE_CHECKING:
    from ..models import Image

MIN_QUALITY = 0.05  # below, the look is not worth an embedding
_FULL_WIDTH = 100.0  # pixels of face width from which size says nothing more
_HALF_SHARP = 60.0  # the Laplacian's variance that counts as half sharp
_EYES = float(np.hypot(*(TEMPLATE[1] - TEMPLATE[0])))
_MIDDLE = slice(CHIP // 8, CHIP - CHIP // 8)


class Cutter:
    """Landmarks, alignment and quality: from a box to what the embedder takes."""

    def __init__(self, landmarker: Landmarker, detector: Detector) -> None:
        """`landmarker` finds the points that faces are aligned by; `detector` is asked again where it is unsure."""
        self._landmarker = landmarker
        self._detector = detector

    def cut(self, image: Image, face: Face, at: float) -> FaceShot | None:
        """The aligned face, or None where it is no face, or turned, covered or blurred beyond use."""
        located = self._landmarker.locate(image, face.box)
        if located is None or (located.spread > SURE_SPREAD and not self._detector.confirms(image, face.box)):
            return None
        chip = aligned(image, located.points)
        score = quality(chip, located, face.box)
        if score < MIN_QUALITY:
            return None
        return FaceShot(chip=chip, width=face.box.width, quality=score, taken_at=at)


def quality(chip: Image, located: Located, box: Box) -> float:
    """0…1, from `chip` (112, 112, 3) and how its face was found."""
    size = math.sqrt(min(1.0, box.width / _FULL_WIDTH))
    steady = max(0.0, 1.0 - located.spread / (2.0 * MAX_SPREAD))
    return size * sharpness(chip) * frontality(located) * steady


def sharpness(chip: Image) -> float:
    """0…1; 0.5 is soft. The Laplacian's variance over the face."""
    grey = cv2.cvtColor(chip[_MIDDLE, _MIDDLE], cv2.COLOR_BGR2GRAY)
    variance = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    return variance / (variance + _HALF_SHARP)


def frontality(located: Located) -> float:
    """0…1; 1 faces the camera. How far the nose is from where a frontal face has it, in distances of the eyes."""
    placed = located.points @ similarity(located.points)[:, :2].T + similarity(located.points)[:, 2]
    sideways, upwards = (placed[2] - TEMPLATE[2]) / _EYES
    return max(0.0, 1.0 - 1.6 * abs(float(sideways)) - 0.8 * abs(float(upwards)))
