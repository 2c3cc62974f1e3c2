"""Whether anything moves in a picture, for much less than it costs to look for faces in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..models import Image

_STEP = 8  # every eighth pixel both ways: a resize would cost ten times as much as the rest of the gate
_CHANGE = 14.0  # grey levels that compression does not reach
_NOISE = 6.0  # times the median difference: four standard deviations, where the night makes a sensor noisy
_SHARE = 0.004  # of the samples: a face of 30 px in 640×360
_LEARN = 0.15  # how fast the background follows; at 5 pictures per second, half in a second


class MotionGate:
    """One camera's gate: compares each picture with a background that follows slowly.

    Light that changes everywhere at once is not motion.
    Who stands still becomes background within seconds, so a caller that follows a face goes on looking for as long as
    its track lives.
    """

    def __init__(self) -> None:
        self._background: NDArray[np.float32] | None = None

    def moved(self, image: Image) -> bool:
        """Whether `image` (height, width, 3) differs from the background. The first of its size always does."""
        sample: NDArray[np.float32] = image[::_STEP, ::_STEP, 1].astype(np.float32)
        background = self._background
        if background is None or background.shape != sample.shape:
            self._background = sample
            return True
        difference: NDArray[Any] = sample - background
        background += _LEARN * difference
        distance = np.abs(difference)
        noticeable = max(_CHANGE, _NOISE * float(np.median(distance)))
        return int(np.count_nonzero(distance > noticeable)) > _SHARE * sample.size
