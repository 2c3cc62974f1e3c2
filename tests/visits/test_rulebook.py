"""A site's settings through time: which hold for a visit, and how far back evidence can matter."""

from __future__ import annotations

from dataclasses import replace

from nvr_bridge.visits.evidence import Settings
from nvr_bridge.visits.rulebook import Rulebook

DAY = 86400.0
FIRST = Settings(validity=DAY, protection=10 * DAY, natural_protection=DAY)
SHORT = replace(FIRST, protection=DAY)
EAGER = replace(SHORT, validity=20 * DAY)


def test_a_change_holds_for_what_begins_after_it_and_of_two_at_once_the_last() -> None:
    book = Rulebook(FIRST).with_change(100.0, SHORT).with_change(100.0, EAGER)
    assert [book.at(when) for when in (0.0, 100.0, 100.5)] == [FIRST, FIRST, EAGER]
    assert book.now == EAGER


def test_by_a_clock_that_may_be_wrong_either_may_hold_the_plainest_first() -> None:
    book = Rulebook(FIRST).with_change(100.0, SHORT).with_change(103.0, FIRST)
    assert book.around(101.0, 0.0) == (SHORT,)
    assert book.around(101.0, 0.5) == (SHORT,)
    assert book.around(101.0, 1.0) == (SHORT, FIRST)
    assert book.around(99.0, 2.0) == (FIRST, SHORT)
    assert book.around(90.0, 2.0) == (FIRST,)


def test_those_of_visits_so_far_are_none_that_came_later() -> None:
    book = Rulebook(FIRST).with_change(100.0, SHORT).with_change(200.0, EAGER)
    assert book.until(100.0) == (FIRST,)
    assert book.until(150.0) == (FIRST, SHORT)
    assert book.until(300.0) == (FIRST, SHORT, EAGER)


def test_other_settings_take_the_place_of_each_at_its_time() -> None:
    book = Rulebook(FIRST).with_change(100.0, SHORT).altered(lambda one: replace(one, validity=2 * DAY))
    assert (book.at(0.0), book.at(200.0)) == (replace(FIRST, validity=2 * DAY), replace(SHORT, validity=2 * DAY))


def test_evidence_matters_as_long_as_visits_under_longer_settings_lie_within_its_time() -> None:
    book = Rulebook(FIRST).with_change(100 * DAY, SHORT)
    assert [book.decides_for(day * DAY) / DAY for day in (100, 112, 112.5)] == [12, 12, 3]
    # A chain: a visit that was brought under the one and protected under the other.
    chain = Rulebook(EAGER).with_change(100 * DAY, FIRST)
    assert [chain.decides_for(day * DAY) / DAY for day in (100, 131, 131.5)] == [31, 31, 12]
    # What lies between may be short, and what was before it still counts.
    between = Rulebook(replace(FIRST, protection=50 * DAY)).with_change(100 * DAY, SHORT).with_change(101 * DAY, FIRST)
    assert between.decides_for(120 * DAY) / DAY == 52
