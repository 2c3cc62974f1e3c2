"""What a person has to do: whatever is not as it should be, and nothing that is meant to be so or mends itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from nvr_bridge.consent.interlock import Reason
from nvr_bridge.messages import WatchStatus
from nvr_bridge.models import CameraState
from nvr_bridge.office.listing import iso
from nvr_bridge.problems import SOON, of_camera, of_engine, of_zone

NOW = datetime(2026, 12, 1, 20, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
SECOND = timedelta(seconds=1)


def watch(**changes: Any) -> WatchStatus:
    """Of an engine that is well."""
    well: WatchStatus = {
        "subjects_warning": None,
        "oldest_template": None,
        "to_renew": 0,
        "erasures_overdue": 0,
        "log_cut": True,
        "clock_doubted": False,
        "last_purge": None,
        "next_purge": None,
        "reasons": [],
        "assessment_expires_at": None,
        "keys_by": "file",
        "keys_backed_up_at": None,
    }
    return {**well, **changes}  # type: ignore[typeddict-item] # whatever a test changes


def at(moment: datetime) -> str:
    return iso(moment.timestamp())


@pytest.mark.parametrize(
    ("changes", "subjects", "found"),
    [
        ({}, 5, {}),
        ({"to_renew": 3, "log_cut": False, "reasons": ["sign_off"]}, 5, {}),  # seen to by themselves, or by the zones
        ({"erasures_overdue": 2}, 5, {"erasures_overdue": {"number": "2"}}),
        ({"clock_doubted": True}, 5, {"clock_doubted": {}}),
        ({"subjects_warning": 6}, 5, {}),
        ({"subjects_warning": 5}, 5, {"many_subjects": {"number": "5", "level": "5"}}),
        ({"subjects_warning": 0}, 0, {"many_subjects": {"number": "0", "level": "0"}}),
        ({"assessment_expires_at": at(NOW + SOON)}, 5, {}),
        ({"assessment_expires_at": at(NOW + SOON - SECOND)}, 5, {"assessment_expires": {"date": "2026-12-31"}}),
        ({"assessment_expires_at": at(NOW + SECOND)}, 5, {"assessment_expires": {"date": "2026-12-01"}}),
        ({"assessment_expires_at": "2026-12-02T17:00:00+00:00"}, 5, {"assessment_expires": {"date": "2026-12-03"}}),
        ({"assessment_expires_at": at(NOW)}, 5, {}),  # the zones say so
        ({"erasures_overdue": 1, "clock_doubted": True}, 5, {"erasures_overdue": {"number": "1"}, "clock_doubted": {}}),
    ],
)
def test_of_the_engine(changes: dict[str, Any], subjects: int, found: dict[str, dict[str, str]]) -> None:
    problems = of_engine(watch(**changes), subjects, NOW)
    assert {problem["key"]: problem["names"] for problem in problems} == found


OFF, UNKNOWN, MISSING = Reason.SIGN_OFF, Reason.SIGN_UNKNOWN, Reason.ASSESSMENT_MISSING


@pytest.mark.parametrize(
    ("reasons", "sign_reported", "key"),
    [
        ((), True, None),
        ((Reason.OBSERVE_ONLY,), True, None),
        ((Reason.POLICY,), False, None),
        ((Reason.POLICY,), True, "policy"),  # somebody meant it to recognise
        ((Reason.DISARMED,), True, None),
        ((Reason.DISARMED, MISSING, OFF), True, None),
        ((Reason.SETTINGS_EDITED, MISSING), False, "settings_edited"),
        ((MISSING, UNKNOWN), False, "assessment_missing"),
        ((Reason.ASSESSMENT_EXPIRED,), True, "assessment_expired"),
        ((UNKNOWN,), False, "sign_unknown"),
        ((Reason.SIGN_SILENT,), False, "sign_silent"),
        ((OFF,), True, "sign_off"),
        ((Reason.NOTICE_CHANGED,), True, "notice_changed"),
    ],
)
def test_of_a_zone(reasons: tuple[Reason, ...], sign_reported: bool, key: str | None) -> None:
    names = {"reasons": ", ".join(reason.value for reason in reasons)}
    assert of_zone(reasons, sign_reported) == ([{"key": key, "names": names}] if key else [])


def test_no_reason_is_forgotten() -> None:
    meant = {reason for reason in Reason if not of_zone((reason,), True)}
    assert meant == {Reason.OBSERVE_ONLY, Reason.DISARMED}


@pytest.mark.parametrize("state", list(CameraState))
def test_of_a_camera(state: CameraState) -> None:
    waits = state in {CameraState.NEEDS_CREDENTIALS, CameraState.NO_VIDEO}
    assert of_camera(state) == ([{"key": state.value, "names": {}}] if waits else [])
