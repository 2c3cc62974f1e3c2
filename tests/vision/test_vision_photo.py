"""A photo's size is known before it is decoded."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nvr_bridge.vision.photo import pixel_size

PICTURE = np.random.default_rng(5).integers(0, 255, (33, 70, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        (".png", []),
        (".jpg", []),
        (".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
        (".jpg", [cv2.IMWRITE_JPEG_RST_INTERVAL, 2]),
    ],
)
def test_the_header_says_how_large_a_picture_is(ending: str, options: list[int]) -> None:
    raw = cv2.imencode(ending, PICTURE, options)[1].tobytes()
    assert pixel_size(raw) == (70, 33)


@pytest.mark.parametrize("cut", [0, 1, 2, 8, 20, 30])
def test_what_is_no_picture_has_no_size(cut: int) -> None:
    for ending in (".jpg", ".png"):
        raw = cv2.imencode(ending, PICTURE)[1].tobytes()[:cut]
        assert pixel_size(raw) in {None, (70, 33)}
    assert pixel_size(b"GIF89a" + bytes(40)) is None
    assert pixel_size(b"\xff\xd8" + b"\xff" * 40) is None
