"""Advice on whether a face is there in person or on a screen or a print.

Unproven: no set of such pictures was at hand to measure it with. So it is off unless a site asks for it, it is shown to
the person at the tablet, and it decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..models import Box
from .graph import Graph

if TYPE_CHECKING:
    from ..models import Image

_SIDE = 128  # pixels of the crop that the model was made for
_AROUND = 2.7  # the crop's size in boxes: what a face is shown on is seen around it
_IN_PERSON = 0  # of the three classes that the model tells apart


class Liveness:
    """How likely a face is there in person."""

    def __init__(self, graph: Graph) -> None:
        """`graph` takes (1, 3, 128, 128), BGR from 0 to 255, and gives (1, 3)."""
        self._graph = graph

    def alive(self, image: Image, box: Box) -> float:
        """0…1 for the face in `box`."""
        scale = _SIDE / (_AROUND * max(box.width, box.height))
        x, y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
        to_crop = np.array([[scale, 0.0, _SIDE / 2 - x * scale], [0.0, scale, _SIDE / 2 - y * scale]])
        crop = cv2.warpAffine(image, to_crop, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        feed = np.ascontiguousarray(crop.astype(np.float32).transpose(2, 0, 1)[np.newaxis])
        scores = self._graph.run(feed)[0][0]
        weights = np.exp(scores - scores.max())
        return float(weights[_IN_PERSON] / weights.sum())
