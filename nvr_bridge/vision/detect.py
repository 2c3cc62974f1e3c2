"""Where faces are in a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..models import Box, Face
from .graph import Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..models import Image
    from .graph import Tensor

SIZE = (320, 240)  # width and height that the model was made for
MIN_SCORE = 0.6
MAX_OVERLAP = 0.35  # two boxes that overlap more are the same face
_NEAR = 72.0  # width in pixels of a face that is looked at again
_TILE = 640  # a picture longer than half as much again is also looked at in tiles of about this size
_SHARED = 96  # pixels that neighbouring tiles share: a face on the border is whole in one of them


class Detector:
    """Ultra-Light-Fast RFB: boxes and scores, from faces of 20 px in a 640×360 picture upwards."""

    def __init__(self, graph: Graph, *, min_score: float = MIN_SCORE) -> None:
        """`graph` takes (1, 3, 240, 320) and gives scores (1, n, 2) and boxes (1, n, 4) relative to the picture."""
        self._graph = graph
        self._min_score = min_score

    def detect(self, image: Image) -> list[Face]:
        """Every face in `image`, in its pixels, the surest first."""
        height, width = image.shape[:2]
        boxes: list[NDArray[np.float32]] = []
        scores: list[NDArray[np.float32]] = []
        for left, top, right, bottom in regions(width, height):
            found, sure = self._look(image[top:bottom, left:right])
            boxes.append(found + np.array([left, top, left, top], dtype=np.float32))
            scores.append(sure)
        return _distinct(np.concatenate(boxes), np.concatenate(scores), width, height)

    def confirms(self, image: Image, box: Box) -> bool:
        """Whether a face is found in `box` again when it is looked at from near, as large as the model likes best."""
        return self.sureness(image, box) > 0.0

    def sureness(self, image: Image, box: Box) -> float:
        """How surely it is found again, 0…1; 0 where it is not."""
        scale = _NEAR / box.width
        x, y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
        to_view = np.array([[scale, 0.0, SIZE[0] / 2 - x * scale], [0.0, scale, SIZE[1] / 2 - y * scale]])
        view = cv2.warpAffine(image, to_view, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        found, scores = self._look(view.astype(np.uint8, copy=False))
        width, height = box.width * scale / 2, box.height * scale / 2
        here = Box(SIZE[0] / 2 - width, SIZE[1] / 2 - height, SIZE[0] / 2 + width, SIZE[1] / 2 + height)
        again = [here.iou(Box(*map(float, corners))) > MAX_OVERLAP for corners in found]
        return max((float(score) for score, same in zip(scores, again, strict=True) if same), default=0.0)

    def _look(self, region: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes (n, 4) in the region's pixels, and their scores (n,)."""
        height, width = region.shape[:2]
        scores, boxes = self._graph.run(_feed(region))
        sure = scores[0, :, 1]
        kept = sure > self._min_score
        return boxes[0][kept] * np.array([width, height, width, height], dtype=np.float32), sure[kept]


def regions(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """The parts of a picture to look at, (left, top, right, bottom): the whole, and tiles of one that is large."""
    whole = (0, 0, width, height)
    if max(width, height) <= _TILE * 3 // 2:
        return [whole]
    columns, rows = _spans(width), _spans(height)
    return [whole, *((left, top, right, bottom) for top, bottom in rows for left, right in columns)]


def _spans(length: int) -> list[tuple[int, int]]:
    count = max(1, math.ceil((length - _SHARED) / (_TILE - _SHARED) - 0.5))
    size = math.ceil((length + (count - 1) * _SHARED) / count)
    starts = [round(i * (length - size) / max(1, count - 1)) for i in range(count)]
    return [(start, min(start + size, length)) for start in starts]


def _feed(region: Image) -> Tensor:
    small = cv2.resize(region, SIZE, interpolation=cv2.INTER_LINEAR)
    rgb = cv2.cvtColor(small, cv2.COLOR_BGR2RGB).astype(np.float32)
    rgb -= 127.0
    rgb *= 1.0 / 128.0
    return np.ascontiguousarray(rgb.transpose(2, 0, 1)[np.newaxis])


def _distinct(boxes: NDArray[np.float32], scores: NDArray[np.float32], width: int, height: int) -> list[Face]:
    """One face for each group of boxes that overlap: the surest."""
    faces: list[Face] = []
    for i in np.argsort(-scores):
        x1, y1, x2, y2 = (float(value) for value in boxes[i])
        box = Box(max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height)))
        if box.width < 2.0 or box.height < 2.0 or any(_same(box, face.box) for face in faces):
            continue
        faces.append(Face(box, float(scores[i])))
    return faces


def _same(box: Box, other: Box) -> bool:
    if box.iou(other) > MAX_OVERLAP:
        return True
    # A tile's border cuts a face in two: the half lies inside the whole one.
    width = min(box.x2, other.x2) - max(box.x1, other.x1)
    height = min(box.y2, other.y2) - max(box.y1, other.y1)
    smaller = min(box.width * box.height, other.width * other.height)
    return width > 0 and height > 0 and width * height > 0.7 * smaller
