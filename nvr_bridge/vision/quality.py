"""How good a look at a face is: large, sharp, frontal, and found in the same place each time.

Nothing about the person enters: quality compares looks at one face, and refuses those that would say little.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..models import Box, Face, FaceShot, Flaw
from .align import CHIP, TEMPLATE, aligned, similarity
from .covered import COVERED, hiddenness
from .detect import Detector
from .landmarks import MAX_SPREAD, SURE_SPREAD, Landmarker, Located
from .liveness import Liveness

if TYPE_CHECKING:
    from ..models import Image

MIN_QUALITY = 0.05  # below, the look is not worth an embedding
# What a person is remembered by must be better. Of 250 photos scaled to faces of 40 to 100 px and compressed, 99 % are at
# least so sharp, and of the same photos blurred by 3 % of the face's width 90 % are not; 98 % of 898 are as frontal.
MIN_SHARPNESS = 0.22
MIN_FRONTALITY = 0.48
_NOT_TURNED = 0.6  # as frontal are 95 % of faces with a mask painted on
_FULL_WIDTH = 100.0  # pixels of face width from which size says nothing more
_HALF_SHARP = 60.0  # the Laplacian's variance that counts as half sharp
_EYES = float(np.hypot(*(TEMPLATE[1] - TEMPLATE[0])))
_MIDDLE = slice(CHIP // 8, CHIP - CHIP // 8)


class Cutter:
    """Landmarks, alignment and quality: from a box to what the embedder takes."""

    def __init__(self, landmarker: Landmarker, detector: Detector, liveness: Liveness | None = None) -> None:
        """`landmarker` finds the points that faces are aligned by; `detector` is asked again where it is unsure."""
        self._landmarker = landmarker
        self._detector = detector
        self._liveness = liveness

    def cut(self, image: Image, face: Face, at: float) -> FaceShot | None:
        """The aligned face, or None where it is no face, or turned, covered or blurred beyond use."""
        shot = self.judge(image, face, at)
        return shot if isinstance(shot, FaceShot) else None

    def judge(self, image: Image, face: Face, at: float) -> FaceShot | Flaw:
        """The aligned face, or what is wrong with this look at it."""
        located = self._landmarker.locate(image, face.box)
        if isinstance(located, Flaw):
            return self._why(image, face.box, located)
        if located.spread > SURE_SPREAD and not self._detector.confirms(image, face.box):
            return self._why(image, face.box, Flaw.TURNED if frontality(located) < _NOT_TURNED else Flaw.NOT_A_FACE)
        chip = aligned(image, located.points)
        flaw = flaw_of(chip, located)
        score = quality(chip, located, face.box)
        if score < MIN_QUALITY:
            return flaw or (Flaw.BLURRED if sharpness(chip) < frontality(located) else Flaw.TURNED)
        alive = self._liveness.alive(image, face.box) if self._liveness else None
        return FaceShot(chip, face.box.width, score, at, flaw, alive)

    def _why(self, image: Image, box: Box, flaw: Flaw) -> Flaw:
        """Where the points are no face's: what hides it, if the detector is sure that there is one."""
        if sharpness(_upright(image, box)) < MIN_SHARPNESS:
            return Flaw.BLURRED
        # Of 692 faces with a mask painted on, 99 % are found again so surely.
        if self._detector.sureness(image, box) < 0.95:
            return Flaw.NOT_A_FACE
        return Flaw.COVERED if flaw is Flaw.NOT_A_FACE else flaw


def flaw_of(chip: Image, located: Located) -> Flaw | None:
    """What makes a look too poor to remember anybody by; None where nothing does."""
    if sharpness(chip) < MIN_SHARPNESS:
        return Flaw.BLURRED
    straight = frontality(located)
    if straight < MIN_FRONTALITY:
        return Flaw.TURNED
    if hiddenness(chip, located.spread) <= COVERED:
        return None
    return Flaw.COVERED if straight > _NOT_TURNED else Flaw.TURNED  # a turned mouth is hidden too


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


def _upright(image: Image, box: Box) -> Image:
    """(112, 112, 3) What is in the box, as it stands there. Beyond the picture its border is repeated."""
    x, y = CHIP / box.width, CHIP / box.height
    to_chip = np.array([[x, 0.0, -box.x1 * x], [0.0, y, -box.y1 * y]])
    chip = cv2.warpAffine(image, to_chip, (CHIP, CHIP), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return chip.astype(np.uint8, copy=False)
