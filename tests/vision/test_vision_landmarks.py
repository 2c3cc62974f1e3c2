"""What is no face is refused: the model answers for anything, and patches that are no faces resemble each other."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nvr_bridge.models import Box, Face, Flaw
from nvr_bridge.vision.align import TEMPLATE
from nvr_bridge.vision.landmarks import MAX_SPREAD, Located, five, judged
from nvr_bridge.vision.sessions import Vision

BOX = Box(100.0, 100.0, 180.0, 200.0)
POINTS = (TEMPLATE * 0.95 + [88, 88]).astype(np.float32)  # a face that fills the box


def looks(*shifts: float) -> np.ndarray:
    """Three looks at one face, of which each is shifted to the right by so many pixels."""
    return np.stack([POINTS + np.array([shift, 0], np.float32) for shift in shifts])


def test_of_looks_that_agree_the_mean_is_taken() -> None:
    located = judged(looks(-0.5, 0.0, 0.5), BOX)
    assert isinstance(located, Located)
    assert located.points == pytest.approx(POINTS, abs=1e-4)
    eyes = POINTS[1, 0] - POINTS[0, 0]
    assert located.spread == pytest.approx((0.5 + 0.5 + 1.0) / 3 / eyes, rel=0.01)


def test_looks_that_disagree_are_no_face() -> None:
    eyes = POINTS[1, 0] - POINTS[0, 0]
    assert isinstance(judged(looks(0, 0, MAX_SPREAD * eyes), BOX), Located)
    assert judged(looks(0, 0, 1.6 * MAX_SPREAD * eyes), BOX) is Flaw.NOT_A_FACE


@pytest.mark.parametrize(
    "points",
    [
        POINTS[[1, 0, 2, 4, 3]],  # eyes changed round
        (POINTS - POINTS.mean(axis=0)) * 0.4 + POINTS.mean(axis=0),  # far too small for the box
        (POINTS - POINTS.mean(axis=0)) * 2.0 + POINTS.mean(axis=0),
        POINTS * np.array([1.0, 0.2], np.float32),  # a mouth beside the eyes
        (POINTS - 140) @ np.array([[0.0, 1.0], [-1.0, 0.0]], np.float32) + 140,  # lying on its side
        np.zeros((5, 2), np.float32),
    ],
    ids=["mirrored", "tiny", "huge", "flat", "lying", "nothing"],
)
def test_points_that_no_face_has(points: np.ndarray) -> None:
    assert isinstance(judged(np.stack([points] * 3), BOX), Flaw)


def test_five_places_of_sixty_eight_points() -> None:
    points = np.arange(136, dtype=np.float32).reshape(68, 2)
    assert five(points)[:, 0].tolist() == [77, 89, 60, 96, 108]


def patches() -> list[tuple[str, np.ndarray]]:
    """Pictures of 120×140 without a face, of the kinds that cameras see."""
    random = np.random.default_rng(11)
    found = []
    for cell in (2, 5, 9, 16, 30):
        noise = random.integers(0, 255, (140 // cell + 1, 120 // cell + 1, 3), dtype=np.uint8)
        found.append((f"noise {cell}", cv2.resize(noise, (120, 140), interpolation=cv2.INTER_CUBIC)))
    found.append(("plain", np.full((140, 120, 3), 128, np.uint8)))
    found.append(("shade", np.repeat(np.linspace(0, 255, 120).astype(np.uint8)[None, :, None], 140, 0).repeat(3, 2)))
    check = (np.indices((140, 120)).sum(axis=0) // 10 % 2 * 255).astype(np.uint8)
    found.append(("tiles", np.stack([check] * 3, axis=2)))
    blinds = (np.indices((140, 120))[0] // 7 % 2 * 200).astype(np.uint8)
    found.append(("blinds", np.stack([blinds] * 3, axis=2)))
    for text in ("EXIT", "24", "B"):
        sign = np.full((140, 120, 3), (120, 40, 20), np.uint8)
        cv2.putText(sign, text, (6, 95), cv2.FONT_HERSHEY_SIMPLEX, 4.6 / (len(text) + 0.4), (255, 255, 255), 9)
        found.append((text, sign))
    ball = np.full((140, 120, 3), 60, np.uint8)
    cv2.circle(ball, (60, 70), 45, (150, 170, 210), -1)
    found.append(("ball", ball))
    return found


@pytest.mark.needs_models
@pytest.mark.parametrize(("name", "patch"), [pytest.param(*patch, id=patch[0]) for patch in patches()])
def test_a_patch_without_a_face_is_refused(vision: Vision, name: str, patch: np.ndarray) -> None:
    for box in (Box(10, 10, 110, 130), Box(20, 20, 90, 110), Box(40, 35, 100, 110)):
        assert vision.cutter.cut(patch, Face(box, 1.0), 0.0) is None, name


@pytest.mark.needs_models
def test_clothes_hands_and_hair_are_refused(vision: Vision, photos: dict[str, np.ndarray]) -> None:
    random = np.random.default_rng(12)
    refused = tried = 0
    for image in photos.values():
        height, width = image.shape[:2]
        faces = vision.detector.detect(image)
        for _ in range(40):
            size = float(random.uniform(60, 220))
            x, y = random.uniform(0, width - size), random.uniform(0, height - 1.25 * size)
            box = Box(x, y, x + size, y + 1.25 * size)
            if any(box.iou(face.box) > 0 for face in faces):
                continue
            tried += 1
            refused += vision.cutter.cut(image, Face(box, 1.0), 0.0) is None
    assert tried > 60
    assert refused == tried


@pytest.mark.needs_models
def test_every_face_that_looks_at_the_camera_is_taken(vision: Vision, photos: dict[str, np.ndarray]) -> None:
    marked = [
        ("sample6.jpg", (256, 487, 470, 768)),
        ("sample6.jpg", (676, 324, 868, 643)),
        ("sample3.jpg", (587, 328, 797, 599)),
        ("sample5.jpg", (1115, 201, 1291, 440)),
        ("sample4.jpg", (985, 186, 1166, 418)),
    ]
    for name, corners in marked:
        box = Box(*corners)
        face = max(vision.detector.detect(photos[name]), key=lambda found: found.box.iou(box))
        shot = vision.cutter.cut(photos[name], face, 5.0)
        assert shot is not None, (name, corners)
        assert (shot.chip.shape, shot.taken_at, shot.width) == ((112, 112, 3), 5.0, face.box.width)
        assert 0 < shot.quality <= 1
