"""Counts of visits: in the site's own days and hours, also where the clocks change."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from nvr_bridge.visits.report import Counted, report
from nvr_bridge.visits.telling import Case

BERLIN = ZoneInfo("Europe/Berlin")
SHORT, LONG = date(2026, 3, 29), date(2026, 10, 25)  # the days of 23 and of 25 hours
ZONES = ("desk", "lane")


def case(attribution: str, partner: str | None = None, *risks: str, earlier: int = 0) -> Case:
    return {"attribution": attribution, "partner": partner, "risks": [*risks], "earlier": earlier}


def visit(at: str, what: Case | None, zone: str = "desk", *, reviewed: bool = False) -> Counted:
    return Counted(datetime.fromisoformat(at).timestamp(), zone, what, reviewed)


def rows(visits: list[Counted], by: str, first: date, last: date | None = None) -> dict[object, dict[str, object]]:
    """Each row's counts that are not 0, by what the row is of."""
    found = report(visits, by, first, last or first, ZONES, BERLIN)
    return {row[by]: {key: value for key, value in row.items() if key != by and value} for row in found}


def test_everything_is_counted_once() -> None:
    visits = [
        visit("2026-03-02T10:00+01:00", case("natural", None, "unregistered_visit")),
        visit("2026-03-02T11:00+01:00", case("natural", None, "late_referral", earlier=2), reviewed=True),
        visit("2026-03-02T12:00+01:00", case("channel", "acme", earlier=1)),
        visit("2026-03-02T13:00+01:00", case("staff")),
        visit("2026-03-02T14:00+01:00", case("undetermined")),
        visit("2026-03-02T15:00+01:00", None),
    ]
    (row,) = report(visits, "day", date(2026, 3, 2), date(2026, 3, 2), ZONES, BERLIN)
    assert row == {
        "day": "2026-03-02",
        "visits": 6,
        "natural": 2,
        "channel": 1,
        "staff": 1,
        "undetermined": 1,
        "unregistered": 1,
        "returning": 2,
        "reviewed": 1,
    }


def test_a_day_is_the_sites_own_and_one_without_visits_is_there() -> None:
    visits = [visit("2026-03-01T22:59:59Z", case("natural")), visit("2026-03-01T23:00Z", case("natural"))]
    found = rows(visits, "day", date(2026, 3, 1), date(2026, 3, 3))
    one = {"visits": 1, "natural": 1}
    assert found == {"2026-03-01": one, "2026-03-02": one, "2026-03-03": {}}


def test_partners_are_in_order_and_nobodys_visits_come_last() -> None:
    visits = [
        visit("2026-03-02T10:00+01:00", case("natural")),
        visit("2026-03-02T10:00+01:00", case("channel", "best")),
        visit("2026-03-02T10:00+01:00", case("channel", "acme")),
        visit("2026-03-02T10:00+01:00", None),
    ]
    found = rows(visits, "partner", date(2026, 3, 2))
    assert list(found) == ["acme", "best", None]
    assert found[None] == {"visits": 2, "natural": 1}


def test_zones_are_all_there_and_one_that_the_site_has_no_more_is_too() -> None:
    found = rows([visit("2026-03-02T10:00+01:00", case("natural"), "old hall")], "zone", date(2026, 3, 2))
    assert found == {"desk": {}, "lane": {}, "old hall": {"visits": 1, "natural": 1}}


@pytest.mark.parametrize(("day", "hours"), [(SHORT, 23), (date(2026, 3, 30), 24), (LONG, 25)])
def test_a_day_has_as_many_hours_as_its_clocks_show(day: date, hours: int) -> None:
    assert len(rows([], "hour", day)) == hours


def test_an_hour_that_comes_twice_is_two_and_one_that_is_left_out_is_none() -> None:
    twice = [visit("2026-10-25T02:30+02:00", case("natural")), visit("2026-10-25T02:30+01:00", case("staff"))]
    found = rows(twice, "hour", LONG)
    assert found["2026-10-25T02:00+02:00"] == {"visits": 1, "natural": 1}
    assert found["2026-10-25T02:00+01:00"] == {"visits": 1, "staff": 1}
    assert list(found) == sorted(found, key=lambda hour: datetime.fromisoformat(str(hour)))
    assert [hour for hour in rows([], "hour", SHORT) if str(hour).startswith("2026-03-29T02")] == []


def test_where_clocks_change_by_half_an_hour_no_visit_is_lost() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    day = date(2026, 4, 5)
    visits = [visit("2026-04-04T15:10Z", case("natural"))]
    found = report(visits, "hour", day, day, ZONES, lord_howe)
    assert sum(int(row["visits"] or 0) for row in found) == 1
    assert len(found) == len({row["hour"] for row in found}) == 25
