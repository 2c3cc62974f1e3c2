"""When presence belongs to a visit, and when a visit is over."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from nvr_bridge.models import Visit
from nvr_bridge.visits.sessions import continues, day_start, overdue


def visit(name: str, last_at: float, ended_at: float | None = None) -> Visit:
    return Visit(name, "visitor", "lane", 0.0, last_at, ended_at, 0)


@pytest.mark.parametrize(("at", "same"), [(100.0, True), (110.0, True), (110.001, False)])
def test_presence_up_to_and_including_the_gap_continues(at: float, same: bool) -> None:
    assert continues(visit("a", 100.0), at, 10.0) is same


def test_an_ended_visit_is_never_continued() -> None:
    assert not continues(visit("a", 100.0, ended_at=100.0), 100.0, 10.0)


def test_overdue_visits_come_longest_over_first() -> None:
    visits = [visit("new", 95.0), visit("old", 20.0), visit("older", 10.0)]
    assert [each.visit_id for each in overdue(visits, 100.0, lambda _: 10.0)] == ["older", "old"]


@pytest.mark.parametrize(
    ("zone", "now", "midnight"),
    [
        ("Asia/Shanghai", "2026-03-02T00:00:00+08:00", "2026-03-02T00:00:00+08:00"),
        ("Asia/Shanghai", "2026-03-01T23:59:59+08:00", "2026-03-01T00:00:00+08:00"),
        ("Europe/Berlin", "2026-03-29T12:00:00+02:00", "2026-03-29T00:00:00+01:00"),  # the day the clocks went forward
    ],
)
def test_a_day_begins_at_local_midnight(zone: str, now: str, midnight: str) -> None:
    start = day_start(datetime.fromisoformat(now).timestamp(), ZoneInfo(zone))
    assert start == datetime.fromisoformat(midnight).timestamp()
