"""Whether something hides the lower half of a face: a mask, a scarf.

Nothing is learned and no colour is looked at. A covered mouth gives three signs: looks at the face agree less on where its
points are, there is less to see where the mouth is than where the eyes are, and the dark line between the lips is missing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..models import Image

# Of 798 photos of faces from 45 to 110 px wide, compressed as cameras do, 2 % are above; with a mask painted on (of five
# colours, plain, pleated or patterned), 77 %. Of hands before the mouth it finds a quarter, of dark glasses a tenth.
COVERED = -2.53
_LIPS = 0.3  # what the missing line counts beside the other two
_EYES, _MOUTH = np.s_[44:60, 26:86], np.s_[84:102, 40:72]  # in the chip
_DOWN, _FACE = np.s_[76:112, 46:66], np.s_[40:104, 24:88]  # from under the nose to the chin; the face without its edge
_LINE, _ABOVE, _BELOW = slice(12, 22), slice(2, 8), slice(26, 34)  # rows of `_DOWN`


def hiddenness(chip: Image, spread: float) -> float:
    """Higher for what hides more; above `COVERED` the face counts as covered. `chip` is (112, 112, 3), aligned."""
    grey = cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY).astype(np.float32)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    mouth, eyes = (float(edges[where].mean()) + 1.0 for where in (_MOUTH, _EYES))
    return math.log(max(spread, 1e-3) * eyes / mouth) + _LIPS * _lips(grey)


def _lips(grey: NDArray[np.float32]) -> float:
    """How dark the darkest row of the mouth is against those above and below, in deviations; below 0 where there is one."""
    rows = grey[_DOWN].mean(axis=1) / (float(grey[_FACE].std()) + 1.0)
    return float(rows[_LINE].min() - (rows[_ABOVE].mean() + rows[_BELOW].mean()) / 2)
