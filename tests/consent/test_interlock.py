"""A zone is armed only while every condition is known to hold."""

from __future__ import annotations

import json

import pytest

from nvr_bridge.consent.interlock import Assessment, Interlock, Reason
from nvr_bridge.consent.policy import load_policy
from nvr_bridge.consent.switches import Switches
from nvr_bridge.errors import NotFoundError
from nvr_bridge.models import Zone, ZoneKind

NOTICE = "a" * 64
ZONES = {
    "hall": Zone("hall", "Hall", ZoneKind.OBSERVE),
    "lane": Zone("lane", "Lane", ZoneKind.OPT_IN_LANE),
    "desk": Zone("desk", "Desk", ZoneKind.CONSENT_POINT),
}


@pytest.fixture
def interlock() -> Interlock:
    """Everything in order at t = 100."""
    lock = Interlock(ZONES, load_policy("demo"), NOTICE, 5.0)
    lock.assessment = Assessment("Ada", "consent", 0.0, 1000.0)
    for zone in ("lane", "desk"):
        lock.sign("hub", zone, on=True, notice_hash=NOTICE, now=100.0)
    return lock


def test_armed_when_everything_holds(interlock: Interlock) -> None:
    assert interlock.reasons("lane", 102.0) == ()
    assert interlock.armed("desk", 105.0)


def test_an_observe_zone_is_never_armed(interlock: Interlock) -> None:
    interlock.sign("hub", "hall", on=True, notice_hash=NOTICE, now=100.0)
    assert interlock.reasons("hall", 100.0) == (Reason.OBSERVE_ONLY,)
    assert not interlock.needs_sign("hall")


@pytest.mark.parametrize("profile", ["cn", "eu", "us_il"])
def test_shipped_legal_profiles_have_lanes_off(profile: str) -> None:
    lock = Interlock(ZONES, load_policy(profile), NOTICE, 5.0)
    lock.assessment = Assessment("Ada", "consent", 0.0, 1000.0)
    lock.sign("hub", "lane", on=True, notice_hash=NOTICE, now=1.0)
    lock.sign("hub", "desk", on=True, notice_hash=NOTICE, now=1.0)
    assert lock.reasons("lane", 1.0) == (Reason.POLICY,)
    assert lock.armed("desk", 1.0)


def test_without_biometrics_no_zone_arms() -> None:
    lock = Interlock(ZONES, load_policy("no_biometrics"), NOTICE, 5.0)
    lock.sign("hub", "desk", on=True, notice_hash=NOTICE, now=1.0)
    assert lock.reasons("desk", 1.0) == (Reason.POLICY,)


@pytest.mark.parametrize(
    ("on", "notice", "now", "reason"),
    [
        (False, NOTICE, 100.0, Reason.SIGN_OFF),
        (True, "b" * 64, 100.0, Reason.NOTICE_CHANGED),
        (True, NOTICE, 105.1, Reason.SIGN_SILENT),
        (True, NOTICE, 94.9, Reason.SIGN_SILENT),  # the clock was set back
    ],
)
def test_a_sign_that_does_not_show_the_notice_disarms(
    interlock: Interlock, on: bool, notice: str, now: float, reason: Reason
) -> None:
    interlock.sign("hub", "lane", on=on, notice_hash=notice, now=100.0)
    assert interlock.reasons("lane", now) == (reason,)
    assert interlock.armed("desk", 100.0)


def test_a_closed_connection_takes_its_reports_along(interlock: Interlock) -> None:
    interlock.sign("other", "desk", on=True, notice_hash=NOTICE, now=100.0)
    interlock.connection_closed("hub")
    assert interlock.reasons("lane", 100.0) == (Reason.SIGN_UNKNOWN,)
    assert interlock.armed("desk", 100.0)


def test_where_hubs_disagree_the_zone_is_not_armed(interlock: Interlock) -> None:
    interlock.sign("other", "lane", on=False, notice_hash=NOTICE, now=101.0)
    interlock.sign("hub", "lane", on=True, notice_hash=NOTICE, now=102.0)
    assert interlock.reasons("lane", 102.0) == (Reason.SIGN_OFF,)
    interlock.sign("other", "lane", on=True, notice_hash="b" * 64, now=103.0)
    assert interlock.reasons("lane", 103.0) == (Reason.NOTICE_CHANGED,)
    interlock.connection_closed("other")
    assert interlock.armed("lane", 103.0)


def test_a_hub_that_fell_silent_does_not_speak_for_another(interlock: Interlock) -> None:
    interlock.sign("other", "lane", on=False, notice_hash=NOTICE, now=100.0)
    interlock.sign("hub", "lane", on=True, notice_hash=NOTICE, now=106.0)
    assert interlock.armed("lane", 106.0)


def test_the_assessment_arms_and_its_end_disarms(interlock: Interlock) -> None:
    interlock.sign("hub", "lane", on=True, notice_hash=NOTICE, now=1000.0)
    assert interlock.reasons("lane", 1000.0) == (Reason.ASSESSMENT_EXPIRED,)
    interlock.assessment = None
    assert interlock.reasons("lane", 999.0) == (Reason.ASSESSMENT_MISSING,)


def test_a_changed_notice_disarms(interlock: Interlock) -> None:
    interlock.notice_hash = "c" * 64
    assert interlock.reasons("lane", 100.0) == (Reason.NOTICE_CHANGED,)


def test_edited_settings_disarm_until_they_are_in_force(interlock: Interlock) -> None:
    interlock.edited = True
    assert interlock.reasons("lane", 100.0) == (Reason.SETTINGS_EDITED,)
    assert interlock.reasons("hall", 100.0) == (Reason.OBSERVE_ONLY,)
    interlock.edited = False
    assert interlock.armed("lane", 100.0)


def test_what_is_switched_off_by_hand_is_off_whatever_else_holds(interlock: Interlock) -> None:
    interlock.switches = Switches().of_zone("lane", on=False)
    assert interlock.reasons("lane", 100.0) == (Reason.DISARMED,)
    assert interlock.armed("desk", 100.0)
    interlock.switches = interlock.switches.of_site(on=False)
    assert interlock.reasons("desk", 100.0) == (Reason.DISARMED,)
    assert interlock.reasons("desk", 200.0) == (Reason.DISARMED, Reason.SIGN_SILENT), "what else is missing is said too"
    interlock.switches = interlock.switches.of_site(on=True)
    assert interlock.armed("desk", 100.0)
    assert interlock.reasons("lane", 100.0) == (Reason.DISARMED,), "the zone's own switch is another one"


def test_what_cannot_recognise_is_not_disarmed(interlock: Interlock) -> None:
    interlock.switches = Switches(site=False)
    assert interlock.reasons("hall", 100.0) == (Reason.OBSERVE_ONLY,)


def test_a_camera_that_is_switched_off_does_not_disarm_its_zone(interlock: Interlock) -> None:
    interlock.switches = Switches().of_camera("door", on=False)
    assert (interlock.watches("door"), interlock.watches("window")) == (False, True)
    assert interlock.armed("lane", 100.0)


def test_switches_are_what_they_were_when_they_are_read_again() -> None:
    switches = Switches(site=False).of_zone("lane", on=False).of_camera("door", on=False)
    assert Switches.read(json.loads(json.dumps(switches.kept))) == switches
    assert Switches.read(None) == Switches()


def test_off_is_what_is_off_in_either() -> None:
    one, other = Switches().of_zone("lane", on=False), Switches(site=False).of_camera("door", on=False)
    assert one & other == Switches(False, frozenset({"lane"}), frozenset({"door"}))
    assert one & Switches() == one


def test_an_unknown_zone_is_named(interlock: Interlock) -> None:
    with pytest.raises(NotFoundError, match="'pool' does not exist; the site's zones are desk, hall, lane"):
        interlock.sign("hub", "pool", on=True, notice_hash=NOTICE, now=1.0)


def test_a_sign_is_reported_while_a_hub_speaks_of_it(interlock: Interlock) -> None:
    assert interlock.reported("lane", 105.0)
    interlock.sign("hub", "lane", on=False, notice_hash=NOTICE, now=106.0)
    assert interlock.reported("lane", 111.0)
    assert not interlock.reported("lane", 111.1)
    interlock.sign("hub", "lane", on=False, notice_hash=NOTICE, now=112.0)
    interlock.connection_closed("hub")
    assert not interlock.reported("lane", 112.0)


def test_a_sign_that_a_hub_looks_at_no_more_is_unknown(interlock: Interlock) -> None:
    interlock.sign("hub", "lane", on=None, notice_hash=NOTICE, now=101.0)
    assert interlock.reasons("lane", 101.0) == (Reason.SIGN_UNKNOWN,)
    assert not interlock.reported("lane", 101.0)
    interlock.sign("hub", "lane", on=None, notice_hash=NOTICE, now=102.0)
    interlock.sign("other", "lane", on=True, notice_hash=NOTICE, now=102.0)
    assert interlock.armed("lane", 102.0), "another hub looks at it all the same"
    with pytest.raises(NotFoundError):
        interlock.sign("hub", "attic", on=None, notice_hash=NOTICE, now=102.0)
