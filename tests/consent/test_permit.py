"""No permit, no embedding; and a permit exists only where the gate made it."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError, replace

import pytest

from nvr_bridge.consent.interlock import Assessment, Interlock
from nvr_bridge.consent.permit import ACT_SECONDS, CONSENT_SECONDS, Gate, OfflineGate
from nvr_bridge.consent.policy import load_policy
from nvr_bridge.consent.switches import Switches
from nvr_bridge.errors import NotArmedError, PermitError
from nvr_bridge.models import Box, Ground, Permit, Track, UnknownReason, Zone, ZoneKind

NOTICE = "a" * 64
ZONES = {
    "hall": Zone("hall", "Hall", ZoneKind.OBSERVE),
    "lane": Zone("lane", "Lane", ZoneKind.OPT_IN_LANE),
    "desk": Zone("desk", "Desk", ZoneKind.CONSENT_POINT),
}


class Site:
    """A gate with a clock that the test turns, and signs that stay fresh unless switched off."""

    def __init__(self) -> None:
        self.now = 100.0
        self.lock = Interlock(ZONES, load_policy("demo"), NOTICE, 5.0)
        self.lock.assessment = Assessment("Ada", "consent", 0.0, 1e9)
        self.gate = Gate(ZONES, self.lock, lambda: self.now)
        self.signs()

    def signs(self, *, on: bool = True) -> None:
        for zone in ZONES:
            self.lock.sign("hub", zone, on=on, notice_hash=NOTICE, now=self.now)

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.signs()


@pytest.fixture
def site() -> Site:
    return Site()


def track(zone: str, number: int = 1) -> Track:
    return Track("cam", zone, number, 90.0, 100.0, 5, Box(0, 0, 50, 50))


def test_an_observe_zone_never_permits(site: Site) -> None:
    assert site.gate.request(track("hall"), alone=True) is UnknownReason.OBSERVED_ONLY
    with pytest.raises(NotArmedError):
        site.gate.act("hall")
    assert site.gate.minted == 0


def test_a_lane_permits_one_track_for_one_act(site: Site) -> None:
    assert site.gate.request(track("lane"), alone=True) is UnknownReason.NO_ACT
    site.gate.act("lane")
    permit = site.gate.request(track("lane"), alone=True)
    assert isinstance(permit, Permit)
    assert permit.ground is Ground.OPT_IN_ACT
    assert site.gate.request(track("lane"), alone=True) is permit
    assert site.gate.request(track("lane", 2), alone=True) is UnknownReason.NO_ACT
    site.gate.spend(permit)
    site.gate.spend(permit)
    assert (site.gate.minted, site.gate.spent) == (1, 2)


def test_nobody_is_picked_out_of_a_group(site: Site) -> None:
    site.gate.act("lane")
    assert site.gate.request(track("lane"), alone=False) is UnknownReason.NOT_ALONE
    permit = site.gate.request(track("lane"), alone=True)
    assert isinstance(permit, Permit)
    assert site.gate.request(track("lane"), alone=False) is UnknownReason.NOT_ALONE
    assert site.gate.request(track("lane"), alone=True) is UnknownReason.NO_ACT, "they may have changed places"
    with pytest.raises(PermitError):
        site.gate.spend(permit)


def test_company_ends_the_permit_of_a_track_that_is_covered_just_now(site: Site) -> None:
    site.gate.act("lane")
    permit = site.gate.request(track("lane"), alone=True)
    photo = site.gate.consent("desk", "c1", None)
    assert isinstance(permit, Permit)
    site.gate.company("desk")
    site.gate.spend(permit)
    site.gate.company("lane")
    assert site.gate.request(track("lane"), alone=True) is UnknownReason.NO_ACT
    site.gate.spend(photo)


def test_an_act_lapses_and_so_does_its_permit(site: Site) -> None:
    site.gate.act("lane")
    permit = site.gate.request(track("lane"), alone=True)
    assert isinstance(permit, Permit)
    site.later(ACT_SECONDS)
    with pytest.raises(PermitError, match="lapsed"):
        site.gate.spend(permit)
    assert site.gate.request(track("lane"), alone=True) is UnknownReason.NO_ACT
    site.gate.act("lane")
    site.later(ACT_SECONDS)
    assert site.gate.request(track("lane", 2), alone=True) is UnknownReason.NO_ACT
    assert site.gate.spent == 0


def test_the_sign_going_off_voids_what_was_permitted(site: Site) -> None:
    site.gate.act("lane")
    permit = site.gate.request(track("lane"), alone=True)
    assert isinstance(permit, Permit)
    site.signs(on=False)
    with pytest.raises(PermitError, match="no longer armed"):
        site.gate.spend(permit)
    assert site.gate.request(track("lane"), alone=True) is UnknownReason.NOT_ARMED
    with pytest.raises(NotArmedError, match="sign_off"):
        site.gate.act("lane")
    site.gate.revoke_zone("lane")
    site.signs()
    with pytest.raises(PermitError, match="not in the gate's book"):
        site.gate.spend(permit)
    assert site.gate.request(track("lane"), alone=True) is UnknownReason.NO_ACT


def test_a_copy_of_a_permit_is_no_permit(site: Site) -> None:
    site.gate.act("lane")
    permit = site.gate.request(track("lane"), alone=True)
    assert isinstance(permit, Permit)
    for forged in (replace(permit), replace(permit, permit_id="mine"), Permit("x", "lane", Ground.OFFLINE, "x", 1e12)):
        with pytest.raises(PermitError):
            site.gate.spend(forged)
    assert site.gate.spent == 0


def test_a_track_takes_its_permit_along(site: Site) -> None:
    site.gate.act("lane")
    permit = site.gate.request(track("lane"), alone=True)
    assert isinstance(permit, Permit)
    site.gate.close_track(track("lane").key)
    with pytest.raises(PermitError):
        site.gate.spend(permit)


def test_a_permit_whose_purpose_is_done_is_worth_nothing(site: Site) -> None:
    permit = site.gate.consent("desk", "c1", None)
    site.gate.spend(permit)
    site.gate.close_permit(permit)
    for reused in (permit, copy.deepcopy(permit)):
        with pytest.raises(PermitError, match="not in the gate's book"):
            site.gate.spend(reused)
    other = Gate(ZONES, site.lock, lambda: site.now)
    with pytest.raises(PermitError, match="not in the gate's book"):
        other.spend(site.gate.consent("desk", "c2", None))
    assert (site.gate.spent, other.spent) == (1, 0)


def test_a_permit_cannot_be_changed(site: Site) -> None:
    permit = site.gate.consent("desk", "c1", None)
    with pytest.raises(FrozenInstanceError):
        permit.expires_at = 1e12  # type: ignore[misc]


def test_consent_permits_at_a_consent_point_only(site: Site) -> None:
    assert site.gate.request(track("desk"), alone=True) is UnknownReason.NO_ACT
    with pytest.raises(NotArmedError, match="not a consent point"):
        site.gate.consent("lane", "c1", track("lane"))
    permit = site.gate.consent("desk", "c1", track("desk"))
    assert permit.ground is Ground.CONSENT
    assert permit.since == site.now, "a picture from before the person agreed is none that they agreed to"
    assert site.gate.request(track("desk"), alone=True) is permit
    site.later(CONSENT_SECONDS)
    with pytest.raises(PermitError, match="lapsed"):
        site.gate.spend(permit)
    site.signs(on=False)
    with pytest.raises(NotArmedError, match="sign_off"):
        site.gate.consent("desk", "c2", None)


def test_nothing_is_permitted_on_what_a_camera_sees_that_was_switched_off(site: Site) -> None:
    site.gate.act("lane")
    site.lock.switches = Switches().of_camera("cam", on=False)
    assert not site.gate.armed("lane", "cam")
    assert site.gate.armed("lane", "other")
    assert site.gate.request(track("lane"), alone=True) is UnknownReason.NOT_ARMED
    other = replace(track("lane"), camera_id="other")
    assert isinstance(site.gate.request(other, alone=True), Permit), "the act was not used up"
    for of in ((track("desk"), None), (None, "cam")):
        with pytest.raises(
            NotArmedError,
            match=r"camera cam was switched off, .*; switch it on with `nvr-bridge recognition on --camera cam`",
        ):
            site.gate.consent("desk", "c1", *of)
    assert site.gate.minted == 1
    site.gate.consent("desk", "c1", None)  # of a photo that was handed over


@pytest.mark.parametrize("revoked", [False, True])
def test_a_camera_that_is_switched_off_ends_what_was_permitted_at_once(site: Site, revoked: bool) -> None:
    site.gate.act("lane")
    lane = site.gate.request(track("lane"), alone=True)
    desk = site.gate.consent("desk", "c1", None, "cam")
    photo = site.gate.consent("desk", "c2", None)
    assert isinstance(lane, Permit)
    site.lock.switches = Switches().of_camera("cam", on=False)
    for permit in (lane, desk):
        with pytest.raises(PermitError, match="no longer armed"):
            site.gate.spend(permit)
    if revoked:
        site.gate.revoke_camera("cam")
        site.lock.switches = Switches()
        for permit in (lane, desk):
            with pytest.raises(PermitError, match="not in the gate's book"):
                site.gate.spend(permit)
        assert site.gate.request(track("lane"), alone=True) is UnknownReason.NO_ACT, "on again revives nothing"
    site.gate.spend(photo)
    assert site.gate.spent == 1


def test_the_site_switched_off_by_hand_permits_nothing(site: Site) -> None:
    site.gate.act("lane")
    permit = site.gate.request(track("lane"), alone=True)
    assert isinstance(permit, Permit)
    site.lock.switches = Switches(site=False)
    with pytest.raises(PermitError, match="no longer armed"):
        site.gate.spend(permit)
    for refused in (lambda: site.gate.act("lane"), lambda: site.gate.consent("desk", "c1", None)):
        with pytest.raises(NotArmedError, match="disarmed"):
            refused()


def test_offline_permits_stop_where_live_work_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OfflineGate, "_online", False)
    gate = OfflineGate()
    permit = gate.offline("photos")
    gate.spend(permit)
    assert gate.spent == 1
    OfflineGate.close_for_good()
    with pytest.raises(PermitError):
        gate.spend(permit)
    with pytest.raises(PermitError, match="store, a camera or a server"):
        OfflineGate().offline("photos")
