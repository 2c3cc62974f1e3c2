"""How often something happened lately, and how long it took."""

from __future__ import annotations

import pytest

from nvr_bridge.meters import MOST, Durations, Rate


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_rate_is_of_the_last_seconds() -> None:
    clock = Clock()
    rate = Rate(10.0, clock)
    assert rate.per_second == 0.0
    for _ in range(20):
        clock.now += 0.2
        rate.note()
    assert rate.per_second == pytest.approx(5.0), "a young meter does not count the time before it"
    for _ in range(50):
        clock.now += 0.2
        rate.note()
    assert rate.per_second == pytest.approx(5.0, abs=0.1)
    clock.now += 5.0
    assert rate.per_second == pytest.approx(2.5, abs=0.1)
    clock.now += 5.0
    assert rate.per_second == 0.0


def test_99_of_100_are_no_slower_than_the_p99() -> None:
    clock = Clock()
    taken = Durations(600.0, clock)
    assert taken.p99 is None
    taken.note(0.004)
    assert taken.p99 == 0.004
    for number in range(1, 100):
        taken.note(number / 1000)
    assert taken.p99 == 0.098, "one of a hundred took longer"
    taken.note(5.0)
    assert taken.p99 == 0.099, "one of a hundred and one is no more than that"
    clock.now += 601.0
    assert taken.p99 is None


def test_a_meter_holds_no_more_than_it_may() -> None:
    taken = Durations()
    for _ in range(MOST):
        taken.note(1.0)
    for _ in range(MOST):
        taken.note(0.1)
    assert taken.p99 == 0.1
