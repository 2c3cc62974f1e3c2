"""A face turned and scaled so that eyes, nose and mouth lie where the embedder expects them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..models import Image, Landmarks

CHIP = 112  # pixels, both ways

# Where ArcFace (Deng et al., 2019) puts the five points in a 112×112 picture.
TEMPLATE: NDArray[np.float64] = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def similarity(points: Landmarks) -> NDArray[np.float64]:
    """The rotation, scale and shift, (2, 3), that brings (5, 2) `points` nearest to the template (least squares)."""
    source = points.astype(np.float64)
    middle, target = source.mean(axis=0), TEMPLATE.mean(axis=0)
    # As complex numbers a similarity is one factor, and least squares gives it in closed form.
    here = (source - middle) @ np.array([1.0, 1.0j])
    there = (TEMPLATE - target) @ np.array([1.0, 1.0j])
    factor = np.vdot(here, there) / np.vdot(here, here)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([turn, target - turn @ middle])


def aligned(image: Image, points: Landmarks) -> Image:
    """The face as (112, 112, 3) BGR. What lies outside the picture is black, as in the embedder's training."""
    chip = cv2.warpAffine(image, similarity(points), (CHIP, CHIP), flags=cv2.INTER_LINEAR)
    return chip.astype(np.uint8, copy=False)
