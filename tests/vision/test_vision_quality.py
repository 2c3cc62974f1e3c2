"""Of two looks at one face, the larger, sharper, more frontal one is the better."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nvr_bridge.models import Face, FaceShot
from nvr_bridge.vision.align import TEMPLATE
from nvr_bridge.vision.landmarks import Located
from nvr_bridge.vision.quality import frontality, sharpness
from nvr_bridge.vision.sessions import Vision


@pytest.fixture(scope="module")
def portrait(photos: dict[str, np.ndarray]) -> np.ndarray:
    """One woman who looks at the camera; her face is 176 px wide."""
    return photos["sample5.jpg"][60:640, 950:1460]


def taken(vision: Vision, image: np.ndarray) -> FaceShot:
    face: Face = vision.detector.detect(image)[0]
    shot = vision.cutter.cut(image, face, 0.0)
    assert shot is not None
    return shot


@pytest.mark.needs_models
def test_a_larger_face_is_better(vision: Vision, portrait: np.ndarray) -> None:
    qualities = []
    for width in (36, 60, 100):
        small = cv2.resize(portrait, None, fx=width / 176, fy=width / 176, interpolation=cv2.INTER_AREA)
        shot = taken(vision, cv2.copyMakeBorder(small, 40, 40, 120, 120, cv2.BORDER_REPLICATE))
        assert shot.width == pytest.approx(width, rel=0.25)
        qualities.append(shot.quality)
    assert qualities == sorted(qualities)


@pytest.mark.needs_models
def test_a_sharper_face_is_better(vision: Vision, portrait: np.ndarray) -> None:
    sharp, soft = taken(vision, portrait), taken(vision, cv2.GaussianBlur(portrait, (0, 0), 3))
    assert sharp.quality > 1.3 * soft.quality


@pytest.mark.needs_models
def test_a_face_blurred_beyond_use_is_refused(vision: Vision, portrait: np.ndarray) -> None:
    face = vision.detector.detect(portrait)[0]
    blurred = cv2.GaussianBlur(portrait, (0, 0), 14)
    assert vision.cutter.cut(blurred, face, 0.0) is None


@pytest.mark.needs_models
def test_a_face_that_is_covered_is_worse_or_refused(vision: Vision, portrait: np.ndarray) -> None:
    face = vision.detector.detect(portrait)[0]
    box = face.box
    covered = portrait.copy()
    covered[round(box.y1) : round(box.y1 + 0.55 * box.height), round(box.x1) : round(box.x2)] = (60, 60, 60)
    shot = vision.cutter.cut(covered, face, 0.0)
    assert shot is None or shot.quality < 0.7 * taken(vision, portrait).quality


def located(nose: tuple[float, float]) -> Located:
    """A face whose nose is out of its place by so many distances of the eyes."""
    points = (TEMPLATE * 0.7 + [200, 100]).astype(np.float32)
    points[2] += np.array(nose, np.float32) * (points[1, 0] - points[0, 0])
    return Located(points, 0.0)


def test_a_turned_head_is_less_frontal_the_further_it_turns() -> None:
    values = [frontality(located((turn, 0.0))) for turn in (0.0, 0.1, 0.25, 0.4, 0.9)]
    assert values[0] == pytest.approx(1.0)
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.2
    assert frontality(located((0.2, 0.0))) == pytest.approx(frontality(located((-0.2, 0.0))), abs=0.02)


def test_a_flat_chip_is_not_sharp() -> None:
    assert sharpness(np.full((112, 112, 3), 90, np.uint8)) == 0.0
    noise = np.random.default_rng(1).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    assert 0.95 < sharpness(noise) < 1.0
