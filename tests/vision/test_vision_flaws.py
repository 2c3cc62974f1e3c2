"""What is wrong with a look at a face is told apart."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
import pytest
from disguise import blurred, masked, turned
from engine_site import Person
from installed import scene

from nvr_bridge.models import Face, FaceShot, Flaw
from nvr_bridge.vision.covered import COVERED, hiddenness
from nvr_bridge.vision.sessions import Vision, load

pytestmark = pytest.mark.needs_models
SAMPLE = 120


def judged(vision: Vision, picture: np.ndarray) -> Flaw | None:
    """What is wrong with the one face of a picture; None where nothing is."""
    [face] = vision.detector.detect(picture)
    shot = vision.cutter.judge(picture, face, 0.0)
    return shot.flaw if isinstance(shot, FaceShot) else shot


@pytest.fixture(scope="module")
def vera(photos: dict[str, np.ndarray]) -> Person:
    """Somebody who looks at the camera, at the size of a sub stream."""
    return Person(cv2.resize(photos["sample6.jpg"][113:725, 1367:1823], None, fx=0.5, fy=0.5))


@pytest.fixture(scope="module")
def pia(photos: dict[str, np.ndarray]) -> Person:
    """Somebody who looks past it."""
    return Person(photos["sample4.jpg"][96:508, 895:1256])


def test_each_flaw(vision: Vision, vera: Person, pia: Person) -> None:
    assert judged(vision, vera.picture) is None
    assert judged(vision, masked(vera).picture) is Flaw.COVERED
    assert judged(vision, blurred(vera).picture) is Flaw.BLURRED
    assert judged(vision, scene(turned(pia))) is Flaw.TURNED


def test_cutting_refuses_what_judging_finds_beyond_use(vision: Vision, vera: Person) -> None:
    noise = np.random.default_rng(3).integers(0, 255, vera.picture.shape, dtype=np.uint8)
    [face] = vision.detector.detect(vera.picture)
    assert vision.cutter.judge(noise, face, 0.0) is Flaw.NOT_A_FACE
    assert vision.cutter.cut(noise, face, 0.0) is None


@pytest.mark.needs_faces
def test_of_many_faces_few_are_refused_and_most_masks_are(vision: Vision, faces_dir: Path) -> None:
    people = sorted(path for path in faces_dir.iterdir() if path.is_dir())
    clean: list[Flaw | None] = []
    with_mask: list[Flaw | None] = []
    for folder in random.Random(17).sample(people, SAMPLE):
        photo = cv2.imread(str(min(folder.glob("*.jpg"))))
        faces = [face for face in vision.detector.detect(photo) if central(face)]
        if len(faces) != 1:
            continue
        clean.append(of_face(vision, photo, faces[0]))
        with_mask.append(of_face(vision, painted(photo, faces[0]), faces[0]))
    assert len(clean) > SAMPLE * 0.9
    assert sum(flaw is None for flaw in clean) > 0.9 * len(clean)
    assert sum(flaw is Flaw.COVERED for flaw in with_mask) > 0.6 * len(with_mask)


def central(face: Face) -> bool:
    """Whether it is the one that a photo of 250×250 is of."""
    box = face.box
    return abs(box.x1 + box.x2 - 250) < 60 and abs(box.y1 + box.y2 - 250) < 60


def of_face(vision: Vision, photo: np.ndarray, face: Face) -> Flaw | None:
    """What is wrong with this face of the photo."""
    shot = vision.cutter.judge(photo, face, 0.0)
    return shot.flaw if isinstance(shot, FaceShot) else shot


def painted(photo: np.ndarray, face: Face) -> np.ndarray:
    """The photo with a mask on the face: `masked` takes a picture that is twice as wide as the face."""
    box, out = face.box, photo.copy()
    x, y, margin = round(box.x1), round(box.y1), round(box.width / 2)
    right, bottom = round(box.x2) + margin, round(box.y2) + margin
    part = np.s_[max(0, y - margin) : bottom, max(0, x - margin) : right]
    out[part] = masked(Person(photo[part])).picture
    return out


def test_hidden_is_what_shows_no_mouth() -> None:
    random_ = np.random.default_rng(5)
    chip = random_.integers(90, 160, (112, 112, 3), dtype=np.uint8)
    chip[44:60, 26:86] = random_.integers(0, 255, (16, 60, 3), dtype=np.uint8)
    bare = chip.copy()
    bare[90:96, 40:72] = 20  # the line between the lips
    smooth = chip.copy()
    smooth[70:112] = 128
    assert hiddenness(bare, 0.04) < COVERED < hiddenness(smooth, 0.04)
    assert hiddenness(bare, 0.04) < hiddenness(bare, 0.12)


def test_liveness_is_told_only_where_the_site_asks_for_it(models_dir: Path, vision: Vision, vera: Person) -> None:
    asked = load(models_dir, spend=lambda _permit: None, embedder=False, liveness=True)
    [face] = vision.detector.detect(vera.picture)
    plain, advised = (each.cutter.judge(vera.picture, face, 0.0) for each in (vision, asked))
    assert isinstance(plain, FaceShot)
    assert plain.alive is None
    assert isinstance(advised, FaceShot)
    assert advised.alive is not None
    assert 0.0 <= advised.alive <= 1.0
