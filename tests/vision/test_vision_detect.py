"""Faces are found where they are, once each, in pictures of any size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nvr_bridge.models import Box, Face
from nvr_bridge.vision.detect import Detector, regions
from nvr_bridge.vision.sessions import Vision


class Scripted:
    """A model that finds what it is told to, in parts of the picture."""

    def __init__(self, *looks: list[tuple[float, float, float, float, float]]) -> None:
        self.looks = list(looks)
        self.runs = 0
        self.fed: list[np.ndarray] = []

    def run(self, feed: np.ndarray) -> list[np.ndarray]:
        self.fed.append(feed)
        look = self.looks[min(self.runs, len(self.looks) - 1)]
        self.runs += 1
        rows = np.array(look, np.float32).reshape(-1, 5)
        scores = np.stack([1 - rows[:, 4], rows[:, 4]], axis=1)
        return [scores[np.newaxis], rows[np.newaxis, :, :4]]


def blank(width: int = 640, height: int = 360) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def boxes(faces: list[Face]) -> list[tuple[int, ...]]:
    return [tuple(round(value) for value in (face.box.x1, face.box.y1, face.box.x2, face.box.y2)) for face in faces]


def test_boxes_are_in_pixels_of_the_picture() -> None:
    found = Detector(Scripted([(0.25, 0.5, 0.5, 0.75, 0.9)])).detect(blank())
    assert boxes(found) == [(160, 180, 320, 270)]
    assert found[0].score == pytest.approx(0.9)


def test_the_model_is_fed_as_it_was_trained() -> None:
    model = Scripted([])
    image = blank()
    image[:] = (10, 127, 255)  # blue, green, red
    assert Detector(model).detect(image) == []
    assert model.fed[0].shape == (1, 3, 240, 320)
    assert model.fed[0].dtype == np.float32
    assert model.fed[0][0, :, 0, 0] == pytest.approx([1.0, 0.0, -117 / 128])


def test_of_boxes_that_overlap_the_surest_is_kept() -> None:
    look = [
        (0.2, 0.2, 0.4, 0.6, 0.8),
        (0.21, 0.2, 0.41, 0.6, 0.95),
        (0.22, 0.2, 0.42, 0.6, 0.75),
        (0.7, 0.2, 0.9, 0.6, 0.9),
    ]
    found = Detector(Scripted(look)).detect(blank())
    assert [face.score for face in found] == pytest.approx([0.95, 0.9])


def test_what_the_model_is_not_sure_of_is_no_face() -> None:
    assert Detector(Scripted([(0.2, 0.2, 0.4, 0.6, 0.59)])).detect(blank()) == []


def test_boxes_end_at_the_border() -> None:
    found = Detector(Scripted([(-0.1, -0.1, 0.2, 0.3, 0.9), (0.9, 0.8, 1.2, 1.3, 0.9)])).detect(blank())
    assert boxes(found) == [(0, 0, 128, 108), (576, 288, 640, 360)]


def test_a_small_picture_is_looked_at_once() -> None:
    assert regions(640, 360) == [(0, 0, 640, 360)]
    assert regions(960, 540) == [(0, 0, 960, 540)]


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (2560, 1440), (1080, 1920), (704, 2000)])
def test_tiles_cover_a_large_picture_and_share_their_borders(width: int, height: int) -> None:
    whole, *tiles = regions(width, height)
    assert whole == (0, 0, width, height)
    covered = np.zeros((height, width), np.uint8)
    for left, top, right, bottom in tiles:
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert right - left <= 960
        covered[top:bottom, left:right] += 1
    assert covered.min() >= 1
    for x in range(0, width - 48, 16):  # a face of 48 px anywhere is whole in some tile
        for y in range(0, height - 48, 16):
            assert any(a <= x and b <= y and x + 48 <= c and y + 48 <= d for a, b, c, d in tiles)


def test_a_face_that_a_tile_cuts_in_two_is_one() -> None:
    first, second = regions(1280, 720)[1:3]
    x = (second[0] + first[2]) / 2

    def inside(tile: tuple[int, int, int, int], x1: float, x2: float) -> tuple[float, float, float, float, float]:
        width, height = tile[2] - tile[0], tile[3] - tile[1]
        return ((x1 - tile[0]) / width, 100 / height, (x2 - tile[0]) / width, 220 / height, 0.9)

    whole = inside(first, x - 50, min(x + 50, first[2]))
    half = inside(second, max(x - 50, second[0]), x + 50)
    assert len(Detector(Scripted([], [whole], [half], [])).detect(blank(1280, 720))) == 1


@pytest.mark.needs_models
def test_people_in_photos_are_found(vision: Vision, photos: dict[str, np.ndarray]) -> None:
    marked = {
        "sample3.jpg": (1077, 212, 1298, 515),
        "sample5.jpg": (1115, 201, 1291, 440),
        "sample4.jpg": (985, 186, 1166, 418),
    }
    for name, (x1, y1, x2, y2) in marked.items():
        found = vision.detector.detect(photos[name])
        assert max(face.box.iou(Box(x1, y1, x2, y2)) for face in found) > 0.5, name


@pytest.mark.needs_models
@pytest.mark.parametrize("width", [40, 60, 100])
def test_a_face_of_each_size_in_a_sub_stream(vision: Vision, photos: dict[str, np.ndarray], width: int) -> None:
    portrait = photos["sample5.jpg"][60:640, 950:1460]  # a face 176 px wide
    scale = width / 176
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    image = np.full((360, 640, 3), 150, np.uint8)
    image[20 : 20 + small.shape[0], 300 : 300 + small.shape[1]] = small
    (found,) = vision.detector.detect(image)
    assert found.box.width == pytest.approx(width, rel=0.3)
    assert vision.detector.confirms(image, found.box)


@pytest.mark.needs_models
def test_nobody_is_found_where_nobody_is(vision: Vision) -> None:
    noise = np.random.default_rng(4).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    assert vision.detector.detect(noise) == []
    assert vision.detector.detect(blank()) == []
    assert not vision.detector.confirms(noise, Box(300, 100, 360, 180))
