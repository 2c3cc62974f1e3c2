"""Eyes, nose and mouth of a face, and whether what is found there is a face at all.

The model answers for anything, and embeddings of patches that are no faces resemble each other more than those of one
person do. But only on a face does it find the same points again when the crop is moved, enlarged or mirrored, so every
face is looked at three times. The mean of the three is also as good a place for each point as the first of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..models import Box, Flaw
from .graph import Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..models import Image, Landmarks

_SIDE = 64  # pixels of the crop that the model was made for
_MIRRORED = [1, 0, 2, 4, 3]  # a mirrored face's left eye is the right one

# Measured on 1,223 photos of faces and 1,204 patches of clothes, hands, letters, shadows and noise: 95 % of the faces are
# below the first and 99.7 % below the second; none of the patches is below the first, and 3 % are below the second.
SURE_SPREAD = 0.08
MAX_SPREAD = 0.15
_MOVED = (-0.06, 0.04, 1.12)  # the second look's crop: parts of the box to the right and down, and its scale
_EYES_TO_BOX = (0.26, 0.56)  # distance of the eyes, as part of the box's width
_EYES_TO_MOUTH = (0.6, 2.2)  # distance of eyes and mouth, as part of the distance of the eyes
_MAX_ROLL = 45.0  # degrees
_NOSE_ASIDE = 0.25  # how far the nose is from the middle of a face that is turned away, in distances of the eyes


@dataclass(frozen=True, slots=True)
class Located:
    """Five points, and how far three looks at the same face disagree on average, as part of the distance of the eyes."""

    points: Landmarks
    spread: float


class Landmarker:
    """68 points of a face, of which five places are kept."""

    def __init__(self, graph: Graph) -> None:
        """`graph` takes (1, 1, 64, 64) and gives (1, 136): x, y of 68 points, relative to the crop."""
        self._graph = graph

    def locate(self, image: Image, box: Box) -> Located | Flaw:
        """The points of the face in `box`, in the image's pixels; what is wrong where they are no face's.

        Above `SURE_SPREAD` it may still be none, and somebody else should look again.
        """
        crop = _Crop(box, 0.0, 0.0, 1.0)
        looks = [
            self._look(image, crop),
            self._look(image, _Crop(box, *_MOVED)),
            self._look(image, crop, mirrored=True),
        ]
        return judged(np.stack(looks), box)

    def _look(self, image: Image, crop: _Crop, *, mirrored: bool = False) -> Landmarks:
        patch = crop.cut(image)
        if mirrored:
            patch = np.ascontiguousarray(patch[:, ::-1])
        feed = patch.astype(np.float32)[np.newaxis, np.newaxis] / 256.0
        points = five(self._graph.run(feed)[0].reshape(68, 2))
        if mirrored:
            points = points[_MIRRORED]
            points[:, 0] = 1.0 - 1.0 / _SIDE - points[:, 0]
        return crop.to_image(points)


def five(points: NDArray[np.float32]) -> Landmarks:
    """(68, 2) → (5, 2): eyes, nose, corners of the mouth."""
    eyes = (points[36:42].mean(axis=0), points[42:48].mean(axis=0))
    return np.stack([*eyes, points[30], points[48], points[54]])


def judged(looks: NDArray[np.float32], box: Box) -> Located | Flaw:
    """(3, 5, 2) looks at one box → their mean; or `NOT_A_FACE`, or `TURNED` where no upright frontal face has such points."""
    points = looks.mean(axis=0)
    across = points[1] - points[0]
    eyes = float(np.hypot(*across))
    down = float(np.hypot(*(points[3:].mean(axis=0) - points[:2].mean(axis=0))))
    if across[0] <= 0 or eyes < 1.0 or box.width < 1.0:
        return Flaw.NOT_A_FACE
    between = looks - np.roll(looks, 1, axis=0)
    spread = float(np.sqrt((between**2).sum(axis=2).mean(axis=1)).mean()) / eyes
    roll = abs(float(np.degrees(np.arctan2(across[1], across[0]))))
    if spread > MAX_SPREAD:
        aside = abs(float((points[2] - points[[0, 1, 3, 4]].mean(axis=0)) @ across)) / eyes**2
        return Flaw.TURNED if aside > _NOSE_ASIDE else Flaw.NOT_A_FACE
    plausible = (
        _EYES_TO_BOX[0] <= eyes / box.width <= _EYES_TO_BOX[1]
        and _EYES_TO_MOUTH[0] <= down / eyes <= _EYES_TO_MOUTH[1]
        and roll <= _MAX_ROLL
    )
    return Located(points, spread) if plausible else Flaw.TURNED


class _Crop:
    """A box, moved by parts of its size and scaled, as a 64×64 grey picture."""

    def __init__(self, box: Box, right: float, down: float, scale: float) -> None:
        self._width, self._height = box.width * scale, box.height * scale
        self._left = (box.x1 + box.x2) / 2 + right * box.width - self._width / 2
        self._top = (box.y1 + box.y2) / 2 + down * box.height - self._height / 2

    def cut(self, image: Image) -> NDArray[np.uint8]:
        """What lies outside the picture repeats its border."""
        x, y = _SIDE / self._width, _SIDE / self._height
        to_patch = np.array([[x, 0.0, -self._left * x], [0.0, y, -self._top * y]])
        patch = cv2.warpAffine(image, to_patch, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)

    def to_image(self, points: Landmarks) -> Landmarks:
        size = np.array([self._width, self._height], dtype=np.float32)
        return points * size + np.array([self._left, self._top], dtype=np.float32)
