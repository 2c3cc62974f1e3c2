"""The plan: what is a visitor's goes by their last visit and together, what is nobody's by its own age."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nvr_bridge.consent.retention import DAY, Limit, Limits
from nvr_bridge.consent.retention_plan import Holder, Plan, plan
from nvr_bridge.models import RetentionClass as Kind

NOW = 1000 * DAY
DAYS = {Kind.TEMPLATES: 90, Kind.SIGHTINGS: 30, Kind.VISITS: 180, Kind.REFERRALS: 60, Kind.IMAGES: 0, Kind.EVENTS: 14}
LIMITS: Limits = {kind: Limit(kind, days, days, 0, 9999, "profile") for kind, days in DAYS.items()}


def ago(days: float | None) -> float | None:
    return None if days is None else NOW - days * DAY


def made(
    *holders: Holder, oldest: dict[Kind, float | None] | None = None, limits: Limits = LIMITS, now: float = NOW
) -> Plan:
    return plan(now, holders, oldest or {}, limits)


@pytest.mark.parametrize(
    ("agreed", "issued", "visited", "sighted", "due"),
    [
        # (days ago …) → what goes
        pytest.param(100, None, 10, 10, "", id="who came lately keeps all"),
        pytest.param(100, None, 40, 40, "sightings", id="sightings go first"),
        pytest.param(100, None, 100, 100, "templates sightings", id="templates go, and the visits stay"),
        pytest.param(200, None, 100, None, "templates", id="templates without a sighting"),
        pytest.param(10, None, 200, 200, "sightings visits", id="who agreed again lately loses old visits only"),
        pytest.param(200, None, 200, 200, "erase", id="nothing is to be kept"),
        pytest.param(89, None, None, None, "", id="who agreed and never came back"),
        pytest.param(91, None, None, None, "erase", id="who agreed and never came back for too long"),
        pytest.param(None, 100, None, None, "", id="a pass counts from its issue"),
        pytest.param(None, 181, None, None, "erase", id="a pass that was never shown"),
        pytest.param(None, 300, 100, None, "", id="a pass that was shown"),
        pytest.param(None, 1, 300, None, "", id="a new pass keeps what there was before"),
        pytest.param(None, None, None, 1, "erase", id="sightings alone keep nobody"),
        pytest.param(None, None, None, None, "erase", id="nothing of them is there"),
        pytest.param(90, None, None, None, "erase", id="the time is up to the second"),
    ],
)
def test_what_goes_of_a_visitor(
    agreed: float | None, issued: float | None, visited: float | None, sighted: float | None, due: str
) -> None:
    found = made(Holder("ann", ago(agreed), ago(issued), ago(visited), ago(sighted)))
    gone = {name for name in ("erase", "templates", "sightings", "visits") if getattr(found, name) == ("ann",)}
    assert gone == set(due.split())
    assert all(getattr(found, name) in ((), ("ann",)) for name in ("erase", "templates", "sightings", "visits"))


def test_each_visitor_goes_for_themselves() -> None:
    found = made(Holder("ann", ago(200)), Holder("bo", ago(1)), Holder("cy", ago(100), None, ago(100)))
    assert (found.erase, found.templates, found.visits) == (("ann",), ("cy",), ())


def test_what_is_nobodys_goes_by_its_own_age() -> None:
    assert made().before == {
        Kind.SIGHTINGS: ago(30),
        Kind.VISITS: ago(180),
        Kind.REFERRALS: ago(60),
        Kind.EVENTS: ago(14),
    }


def test_what_is_due_next_is_the_soonest_of_what_stays() -> None:
    ann, bo = Holder("ann", ago(10), None, ago(5), ago(5)), Holder("bo", ago(80), None, ago(20), None)
    found = made(ann, bo, Holder("gone", ago(999)), oldest={Kind.EVENTS: ago(13), Kind.SIGHTINGS: ago(29)})
    assert {kind: due and (due - NOW) / DAY for kind, due in found.next.items()} == {
        Kind.TEMPLATES: 70,  # bo's, 90 days after the last visit
        Kind.SIGHTINGS: 1,  # nobody's
        Kind.VISITS: 160,
        Kind.REFERRALS: None,
        Kind.IMAGES: None,
        Kind.EVENTS: 1,
    }


def test_what_is_overdue_and_nobodys_is_due_now() -> None:
    found = made(oldest={Kind.EVENTS: ago(99), Kind.VISITS: ago(180), Kind.REFERRALS: ago(61)})
    assert found.next[Kind.EVENTS] == NOW
    assert found.aged == {Kind.EVENTS, Kind.REFERRALS}
    assert not found.empty


def test_a_plan_for_a_class_that_is_not_kept_at_all_removes_everything_of_it() -> None:
    none = {**LIMITS, Kind.TEMPLATES: replace(LIMITS[Kind.TEMPLATES], days=0)}
    ann = Holder("ann", ago(1), ago(1), ago(0), None)
    assert made(ann, limits=none).templates == ("ann",)


def test_a_plan_carried_out_leaves_nothing_due() -> None:
    ann = Holder("ann", ago(100), None, ago(100), ago(100))
    assert not made(ann).empty
    assert made(replace(ann, agreed_at=None, sighted_at=None)).empty
