"""A face is turned and scaled so that its points lie where the embedder expects them."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from nvr_bridge.vision.align import CHIP, TEMPLATE, aligned, similarity


def placed(scale: float, degrees: float, right: float, down: float) -> np.ndarray:
    """The template's points as they lie on a face somewhere in a picture."""
    angle = math.radians(degrees)
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return (TEMPLATE @ turn.T + [right, down]).astype(np.float32)


@pytest.mark.parametrize(
    ("scale", "degrees", "right", "down"),
    [(1, 0, 0, 0), (0.35, 0, 300, 120), (2.5, 30, 40, 200), (0.7, -44, 500, 20), (1, 180, 400, 400)],
)
def test_any_turn_scale_and_shift_is_undone(scale: float, degrees: float, right: float, down: float) -> None:
    points = placed(scale, degrees, right, down)
    matrix = similarity(points)
    assert points @ matrix[:, :2].T + matrix[:, 2] == pytest.approx(TEMPLATE, abs=1e-3)


def test_a_face_is_never_stretched_or_mirrored() -> None:
    points = placed(1.0, 10, 100, 100) * np.array([1.0, 1.3], np.float32) + np.array([3.0, -2.0], np.float32)
    (a, b, _), (c, d, _) = similarity(points)
    assert (a, b) == pytest.approx((d, -c))
    assert a * d - b * c > 0


def test_of_all_similarities_it_is_the_nearest() -> None:
    points = placed(0.8, 5, 50, 60) + np.random.default_rng(1).normal(0, 2, (5, 2)).astype(np.float32)
    matrix = similarity(points)

    def error(candidate: np.ndarray) -> float:
        return float(((points @ candidate[:, :2].T + candidate[:, 2] - TEMPLATE) ** 2).sum())

    best = error(matrix)
    for nudge in (1e-3, -1e-3):
        for change in ([[1, 0, 0], [0, 1, 0]], [[0, -1, 0], [1, 0, 0]], [[0, 0, 9], [0, 0, 0]], [[0, 0, 0], [0, 0, 9]]):
            assert error(matrix + nudge * np.array(change)) > best


def test_the_picture_follows_the_points() -> None:
    image = np.zeros((400, 600, 3), np.uint8)
    points = placed(1.6, 20, 250, 40)
    for x, y in points:
        cv2.circle(image, (round(float(x)), round(float(y))), 6, (255, 255, 255), -1)
    chip = aligned(image, points)
    assert chip.shape == (CHIP, CHIP, 3)
    for x, y in TEMPLATE.round().astype(int):
        assert chip[y, x].min() > 200


def test_what_is_outside_the_picture_is_black() -> None:
    chip = aligned(np.full((200, 200, 3), 180, np.uint8), placed(1.0, 0, -60, 0))
    assert chip[:, :40].max() == 0
    assert chip[50, 100].min() == 180
