"""One face is one track for as long as it is seen, and two faces are never one."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from nvr_bridge.models import Box, Camera, CameraKind, Face, FaceShot
from nvr_bridge.vision.track import Tracks, Update, update, with_best

CAMERA = Camera("cam-1", "Lane", CameraKind.ONVIF, "127.0.0.1:80", "1", "lane")
STEP = 0.2  # seconds between analysed pictures


def face(x: float, y: float = 100.0, size: float = 60.0) -> Face:
    """A face whose middle is at (x, y)."""
    return Face(Box(x - size / 2, y - size * 0.6, x + size / 2, y + size * 0.6), 0.99)


def follow(*pictures: list[Face], state: Tracks | None = None, start: float = 1000.0) -> list[Update]:
    """Each picture's update."""
    told = []
    current = state or Tracks()
    for i, faces in enumerate(pictures):
        told.append(update(current, faces, start + i * STEP, CAMERA))
        current = told[-1].state
    return told


def test_a_face_seen_once_is_not_told_of() -> None:
    told = follow([face(100)], [], [], [], [], [], [])
    assert all(not step.live and not step.ended for step in told)
    assert told[0].state.live, "but it is looked for"
    assert not told[-1].state.live


def test_a_walk_is_one_track() -> None:
    told = follow(*[[face(50 + 25 * i, size=50 + 3 * i)] for i in range(20)])
    assert [len(step.live) for step in told] == [0] + [1] * 19
    assert {track.track_id for step in told for track in step.live} == {1}
    last = told[-1].live[0]
    assert (last.hits, last.started_at, last.camera_id, last.zone_id) == (20, 1000.0, "cam-1", "lane")
    assert last.last_at == pytest.approx(1000.0 + 19 * STEP)
    assert last.box == face(50 + 25 * 19, size=50 + 3 * 19).box


def test_a_track_ends_one_second_after_it_was_last_seen() -> None:
    told = follow([face(100)], [face(100)], [], [], [], [], [])
    assert [len(step.ended) for step in told] == [0, 0, 0, 0, 0, 0, 1]
    ended = told[-1].ended[0]
    assert ended.last_at == 1000.0 + STEP, "it is told as of when it was seen"
    assert all(step.live for step in told[1:-1]), "a moment unseen is not a departure"


def test_a_face_that_is_missed_for_a_moment_stays_the_same() -> None:
    told = follow([face(100)], [face(110)], [], [], [face(150)], [face(160)])
    assert told[-1].live[0].track_id == 1
    assert told[-1].live[0].hits == 4


def test_two_people_who_pass_each_other_side_by_side() -> None:
    pictures = [[face(100 + 20 * i, 90), face(500 - 20 * i, 190)] for i in range(20)]
    told = follow(*pictures)
    for step, (going, coming) in zip(told[1:], pictures[1:], strict=True):
        boxes = {track.track_id: track.box for track in step.live}
        assert boxes == {1: going.box, 2: coming.box}


def test_two_still_faces_keep_their_tracks_in_whatever_order_they_are_found() -> None:
    left, right = face(200), face(275)
    told = follow([left, right], [right, left], [left, right], [right, left])
    assert {track.track_id: track.box for track in told[-1].live} == {1: left.box, 2: right.box}


@pytest.mark.parametrize(
    "other",
    [face(300), face(100, 300), face(100, size=180), face(100, size=25)],
    ids=["far", "below", "much larger", "much smaller"],
)
def test_another_face_is_another_track(other: Face) -> None:
    told = follow([face(100)], [face(100)], [other], [other])
    assert {track.track_id for track in told[-1].live} == {1, 2}


def test_everything_ends_at_once_when_a_camera_goes() -> None:
    told = follow([face(100), face(400)], [face(100), face(400)], [face(100), face(400), face(600)])
    gone = update(told[-1].state, (), math.inf, CAMERA)
    assert [track.track_id for track in gone.ended] == [1, 2]
    assert (gone.live, gone.state.live) == ((), ())


def test_numbers_are_not_used_again() -> None:
    told = follow([face(100)], [face(100)], [], [], [], [], [], [face(100)], [face(100)])
    assert [track.track_id for track in told[-1].live] == [2]
    assert follow([face(5)], [face(5)], state=Tracks(next_id=7))[-1].live[0].track_id == 7


def test_the_best_look_goes_with_the_track() -> None:
    shot = FaceShot(np.zeros((112, 112, 3), np.uint8), 60.0, 0.5, 1000.2)
    told = follow([face(100)], [face(105)])[-1]
    state = told.state.replacing([with_best(told.live[0], shot)])
    following = update(state, [face(110)], 1000.4, CAMERA)
    assert following.live[0].best is shot
    assert following.live[0].hits == 3


def test_values_are_never_changed() -> None:
    told = follow([face(100)], [face(105)])
    with pytest.raises(dataclasses.FrozenInstanceError):
        told[-1].live[0].hits = 9  # type: ignore[misc]
    assert told[0].state.live[0].hits == 1


def test_whoever_comes_in_where_another_left_is_somebody_else() -> None:
    """One walks out at the edge, near the camera; another comes in there, farther away, within the second."""
    told = follow([face(30, size=90)], [face(30, size=90)], [], [face(25, size=60)], [face(25, size=60)])
    first = told[1].live[0].track_id
    newcomer = told[-1].live[-1]
    assert newcomer.track_id != first
    assert newcomer.hits == 2
