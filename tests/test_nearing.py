"""Who comes nearer: newcomers for a moment, then whose face grows."""

from __future__ import annotations

from nvr_bridge.approach import Nearing
from nvr_bridge.models import Box, Track


def face(width: float, at: float, number: int = 1) -> Track:
    return Track("front", "desk", number, 0.0, at, 5, Box(0, 0, width, width * 1.2))


def test_whoever_stands_there_came_a_moment_ago_and_comes_no_longer() -> None:
    nearing = Nearing()
    seen = [nearing.seen([face(40.0 + tick % 2, tick * 0.2)]) for tick in range(20)]
    assert seen[:8] == [1] * 8
    assert seen[15:] == [0] * 5


def test_whoever_walks_up_is_coming_all_the_way_and_whoever_walks_away_is_not() -> None:
    nearing = Nearing()
    up = [nearing.seen([face(30.0 * 1.2 ** (tick * 0.2), tick * 0.2)]) for tick in range(40)]
    assert up == [1] * 40
    away = [nearing.seen([face(120.0 / 1.2 ** (tick * 0.2), 8.0 + tick * 0.2)]) for tick in range(20)]
    assert away[10:] == [0] * 10


def test_each_face_counts_for_itself_and_one_that_went_is_forgotten() -> None:
    nearing = Nearing()
    for tick in range(20):
        nearing.seen([face(40.0, tick * 0.2)])
    assert nearing.seen([face(40.0, 4.0), face(40.0, 4.0, number=2)]) == 1
    assert nearing.seen([]) == 0
    assert nearing.seen([face(40.0, 5.0)]) == 1
