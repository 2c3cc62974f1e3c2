"""The gate opens for a face that moves, and for nothing that a camera's sensor does by itself."""

from __future__ import annotations

import numpy as np
import pytest

from nvr_bridge.video.motion import MotionGate

HEIGHT, WIDTH = 360, 640


def still(seed: int) -> np.ndarray:
    """An empty room, with the noise of one picture."""
    noise = np.random.default_rng(seed).normal(0, 4, (HEIGHT, WIDTH, 3))
    return np.clip(np.linspace(60, 180, WIDTH)[None, :, None] + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def watching() -> MotionGate:
    """A gate that has seen the empty room for a while."""
    gate = MotionGate()
    for seed in range(5):
        gate.moved(still(seed))
    return gate


def test_the_first_picture_counts_as_moving() -> None:
    assert MotionGate().moved(still(0))


def test_noise_does_not_move(watching: MotionGate) -> None:
    assert not any(watching.moved(still(seed)) for seed in range(10, 40))


def test_a_face_that_comes_in_moves(watching: MotionGate) -> None:
    for step in range(5):
        picture = still(50 + step)
        picture[100:140, 200 + 20 * step : 232 + 20 * step] = 230
        assert watching.moved(picture), "32 px of 640 wide"


def test_what_stays_becomes_the_background(watching: MotionGate) -> None:
    def parked(seed: int) -> np.ndarray:
        picture = still(seed)
        picture[100:300, 200:400] = 40
        return picture

    moved = [watching.moved(parked(60 + seed)) for seed in range(40)]
    assert moved[0]
    assert not any(moved[-5:])
    assert watching.moved(still(200)), "and its leaving moves again"


def test_light_that_fades_slowly_does_not_move(watching: MotionGate) -> None:
    for step in range(40):
        assert not watching.moved(np.clip(still(80 + step).astype(int) - step, 0, 255).astype(np.uint8))


def test_another_size_begins_anew(watching: MotionGate) -> None:
    assert watching.moved(still(90)[:180, :320])
    assert not watching.moved(still(90)[:180, :320])
