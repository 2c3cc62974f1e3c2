"""What a person has to do about the engine, a zone or a camera: decided here, so that whoever shows it decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from .consent.interlock import Reason
from .messages import Problem, WatchStatus
from .models import CameraState

SOON = timedelta(days=30)  # until an assessment expires


class EngineProblem(StrEnum):
    """Of the engine as a whole. A zone's are of `Reason`, a camera's of `CameraState`."""

    ERASURES_OVERDUE = "erasures_overdue"
    CLOCK_DOUBTED = "clock_doubted"
    MANY_SUBJECTS = "many_subjects"
    ASSESSMENT_EXPIRES = "assessment_expires"  # soon


MEANT = frozenset({Reason.OBSERVE_ONLY, Reason.DISARMED})  # of a zone that is to recognise nobody
WAITING = frozenset({CameraState.NEEDS_CREDENTIALS, CameraState.NO_VIDEO})  # of a camera that waits for a person


def of_engine(watch: WatchStatus, subjects: int, now: datetime) -> list[Problem]:
    """What whoever answers for the data has to do. `now` is in the site's time zone, as the date that is named."""
    found: list[Problem] = []
    if overdue := watch["erasures_overdue"]:
        found.append(_problem(EngineProblem.ERASURES_OVERDUE, number=str(overdue)))
    if watch["clock_doubted"]:
        found.append(_problem(EngineProblem.CLOCK_DOUBTED))
    if too_many(subjects, level := watch["subjects_warning"]):
        found.append(_problem(EngineProblem.MANY_SUBJECTS, number=str(subjects), level=str(level)))
    if watch["assessment_expires_at"] is not None:
        expires = datetime.fromisoformat(watch["assessment_expires_at"])
        if timedelta() < expires - now < SOON:
            date = expires.astimezone(now.tzinfo).date().isoformat()
            found.append(_problem(EngineProblem.ASSESSMENT_EXPIRES, date=date))
    return found


def of_zone(reasons: Sequence[Reason], sign_reported: bool) -> list[Problem]:
    """Why a zone is not armed where it should be: the first of the reasons, which is to be mended first.

    A profile that allows no recognition there is a problem only where a hub reports a sign all the same.
    """
    if not reasons or not MEANT.isdisjoint(reasons) or (reasons[0] is Reason.POLICY and not sign_reported):
        return []
    return [_problem(reasons[0], reasons=", ".join(reasons))]


def of_camera(state: CameraState) -> list[Problem]:
    """What a camera waits for. One that is merely away comes back by itself."""
    return [_problem(state)] if state in WAITING else []


def too_many(subjects: int, level: int | None) -> bool:
    """Whether as many visitors are remembered as the profile warns from."""
    return level is not None and subjects >= level


def _problem(key: EngineProblem | Reason | CameraState, **names: str) -> Problem:
    return {"key": key.value, "names": names}
