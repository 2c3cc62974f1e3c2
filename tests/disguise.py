"""People as a camera should not remember them: turned, blurred, masked; and what is nobody at all."""

from __future__ import annotations

import cv2
import numpy as np
from engine_site import Person
from installed import scene


def turned(person: Person) -> Person:
    """The head turned a little further: one half of the face narrower than the other. Of neighbours nothing is left."""
    picture = person.picture.copy()
    height, width = picture.shape[:2]
    picture[:, : width // 6] = picture[:, width - width // 6 :] = (188, 192, 196)
    place, middle = np.linspace(0, 1, width), 0.33
    left, right = place / middle * 0.5, 0.5 + (place - middle) / (1 - middle) * 0.5
    across = (np.where(place < middle, left, right) * (width - 1)).astype(np.float32)
    down = np.tile(np.arange(height, dtype=np.float32)[:, None], (1, width))
    return Person(cv2.remap(picture, np.tile(across, (height, 1)), down, cv2.INTER_LINEAR))


def blurred(person: Person, part: float = 0.022) -> Person:
    """Somebody who moves, or a lens that nobody cleans. `part` is of the picture's width."""
    return Person(cv2.GaussianBlur(person.picture, (0, 0), person.picture.shape[1] * part))


def masked(person: Person) -> Person:
    """A medical mask from the nose to the chin."""
    picture = person.picture.copy()
    height, width = picture.shape[:2]
    corners = [(0.27, 0.56), (0.5, 0.49), (0.73, 0.56), (0.7, 0.72), (0.58, 0.83), (0.42, 0.83), (0.3, 0.72)]
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.array([(x * width, y * height) for x, y in corners], np.int32)], 1)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), width * 0.006)[..., None]
    return Person((picture * (1 - soft) + np.array((205, 190, 160)) * soft).astype(np.uint8))


def drawing() -> np.ndarray:
    """A room with a ball that somebody drew two eyes, a nose and a mouth on.

    Such that it is found, and told for what it is, with room to spare: wherever it lies, and however a camera compresses it.
    """
    room, middle = scene(), (320, 180)
    cv2.ellipse(room, middle, (40, 58), 0, 0, 360, (150, 180, 220), -1)
    for side in (-1, 1):
        cv2.circle(room, (middle[0] + side * 15, middle[1] - 9), 3, (20, 20, 20), -1)
    cv2.ellipse(room, (middle[0], middle[1] + 16), (11, 11), 0, 0, 180, (60, 60, 150), 5)
    cv2.line(room, (middle[0], middle[1] - 10), (middle[0] - 6, middle[1] + 14), (90, 110, 140), 3)
    return cv2.GaussianBlur(room, (0, 0), 0.7)
