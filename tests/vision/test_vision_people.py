"""The one person who is in two photos is alike in both, and unlike everybody else: the whole chain, on real faces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from demo.timeline import load as load_site
from nvr_bridge.consent.permit import OfflineGate
from nvr_bridge.models import Box, FaceShot
from nvr_bridge.vision.photo import by_place, central_shot
from nvr_bridge.vision.sessions import Vision

pytestmark = pytest.mark.needs_models


def shots(vision: Vision, photos: dict[str, np.ndarray], scale: float) -> dict[tuple[str, int], FaceShot]:
    """Each person of the demo's site, by look: cut from the photo, upright, at `scale`."""
    found = {}
    for person, looks in load_site().people.items():
        for number, look in enumerate(looks):
            x1, y1, x2, y2 = look.face
            size = scale * 100 / (x2 - x1)
            turn = cv2.getRotationMatrix2D(((x1 + x2) / 2, (y1 + y2) / 2), look.tilt, size)
            turn[:, 2] += np.array([160 - (x1 + x2) / 2, 160 - (y1 + y2) / 2])
            image = cv2.warpAffine(photos[look.photo], turn, (320, 320), flags=cv2.INTER_AREA)
            here = Box(160 - 50 * scale, 160 - 60 * scale, 160 + 50 * scale, 160 + 60 * scale)
            face = max(vision.detector.detect(image), key=lambda candidate: candidate.box.iou(here))
            shot = vision.cutter.cut(image, face, 0.0)
            assert shot is not None, (person, number)
            found[person, number] = shot
    return found


@pytest.mark.parametrize("scale", [1.0, 0.5], ids=["faces of 100 px", "faces of 50 px"])
def test_one_person_twice_and_everybody_else_once(
    vision: Vision, gate: OfflineGate, photos: dict[str, np.ndarray], scale: float
) -> None:
    assert vision.embedder is not None
    permit = gate.offline("photos of the demo")
    embeddings = {
        key: vision.embedder.embed(shot, permit).embedding for key, shot in shots(vision, photos, scale).items()
    }
    keys = list(embeddings)
    pairs = [(a, b, float(embeddings[a] @ embeddings[b])) for i, a in enumerate(keys) for b in keys[i + 1 :]]
    same = [score for a, b, score in pairs if a[0] == b[0]]
    others = [score for a, b, score in pairs if a[0] != b[0]]
    assert len(same) >= 1
    assert len(others) >= 30
    accepted = vision.threshold(len(keys))
    assert min(same) > accepted, "the same person passes"
    assert max(others) < accepted - 0.05, "nobody else comes near"


def test_a_portrait_is_of_the_face_in_the_middle(vision: Vision, photos: dict[str, np.ndarray]) -> None:
    group = photos["sample6.jpg"]
    x1, y1, x2, y2 = load_site().people["rosa"][0].face
    middle = (x1 + x2) // 2, (y1 + y2) // 2
    portrait = group[max(0, middle[1] - 500) : middle[1] + 500, max(0, middle[0] - 500) : middle[0] + 500]
    faces = vision.detector.detect(portrait)
    assert len(faces) > 1, "others are in it too"
    chosen = by_place(faces, portrait.shape[1], portrait.shape[0])[0].box
    assert abs((chosen.x1 + chosen.x2) / 2 - portrait.shape[1] / 2) < 60
    shot = central_shot(vision.detector, vision.cutter, portrait, 0.0)
    assert shot is not None
    assert shot.width == pytest.approx(chosen.width)


def test_a_face_that_fills_the_photo_is_found(vision: Vision, photos: dict[str, np.ndarray]) -> None:
    x1, y1, x2, y2 = load_site().people["ines"][0].face
    assert central_shot(vision.detector, vision.cutter, photos["sample5.jpg"][y1:y2, x1:x2], 0.0) is not None


def test_a_photo_of_nobody_gives_nothing(vision: Vision) -> None:
    assert central_shot(vision.detector, vision.cutter, np.full((250, 250, 3), 120, np.uint8), 0.0) is None
