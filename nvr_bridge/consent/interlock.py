"""The fail-closed interlock: a zone is armed only while every one of its conditions is known to hold.

Pure state: it has no clock and starts nothing. The engine feeds it reports and asks it with the time of asking, so a
report that has grown too old disarms without anything having to happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..errors import NotFoundError
from ..models import Zone, ZoneKind
from .policy import Policy
from .switches import Switches


class Reason(StrEnum):
    """Why a zone is not armed."""

    OBSERVE_ONLY = "observe_only"  # the zone's kind never recognises
    POLICY = "policy"  # the profile does not allow recognition in such a zone
    DISARMED = "disarmed"  # somebody switched it off, there or on the whole site
    SETTINGS_EDITED = "settings_edited"  # `bridge.yaml` is not what the engine runs with any more, or cannot be read
    ASSESSMENT_MISSING = "assessment_missing"
    ASSESSMENT_EXPIRED = "assessment_expired"
    SIGN_UNKNOWN = "sign_unknown"  # no hub has reported the sign, or the one that did has gone
    SIGN_SILENT = "sign_silent"  # the last report is older than its time-to-live
    SIGN_OFF = "sign_off"
    NOTICE_CHANGED = "notice_changed"  # the sign shows another notice than the one in force


@dataclass(frozen=True, slots=True)
class Assessment:
    """An impact assessment that a person acknowledged. Times in seconds since the epoch."""

    by: str
    ground: str
    acknowledged_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class _SignReport:
    on: bool
    notice_hash: str
    at: float


class Interlock:
    """Knows of every zone whether it is armed, and if not, why."""

    def __init__(self, zones: Mapping[str, Zone], policy: Policy, notice_hash: str, sign_ttl: float) -> None:
        self._zones = zones
        self._policy = policy
        self._sign_ttl = sign_ttl
        self._signs: dict[str, dict[str, _SignReport]] = {}  # by zone, then by connection
        self.notice_hash = notice_hash
        self.assessment: Assessment | None = None
        self.edited = False  # the site's settings are others than those given here, so these may not hold any more
        self.switches = Switches()

    def sign(self, connection: str, zone_id: str, *, on: bool | None, notice_hash: str, now: float) -> None:
        """A hub's report of a zone's sign. It holds for the time-to-live, and no longer than the connection.

        None takes back what the hub reported before.
        """
        self._zone(zone_id)
        reports = self._signs.setdefault(zone_id, {})
        if on is None:
            reports.pop(connection, None)
        else:
            reports[connection] = _SignReport(on, notice_hash, now)

    def connection_closed(self, connection: str) -> None:
        """A hub went away: what it reported no longer holds."""
        for reports in self._signs.values():
            reports.pop(connection, None)

    def needs_sign(self, zone_id: str) -> bool:
        """Whether the zone waits for a sign at all."""
        return self._zone(zone_id).kind in self._policy.recognition

    def reported(self, zone_id: str, now: float) -> bool:
        """Whether a hub says lately how the zone's sign is."""
        return bool(self._fresh(zone_id, now))

    def reasons(self, zone_id: str, now: float) -> tuple[Reason, ...]:
        """Why the zone is not armed at `now`; empty when it is armed."""
        zone = self._zone(zone_id)
        if zone.kind is ZoneKind.OBSERVE:
            return (Reason.OBSERVE_ONLY,)
        if zone.kind not in self._policy.recognition:
            return (Reason.POLICY,)
        edited = (Reason.SETTINGS_EDITED,) if self.edited else ()
        by_hand = self._by_hand(zone_id)
        return (*by_hand, *edited, *self._assessment_reasons(now), *self._sign_reasons(zone_id, now))

    def armed(self, zone_id: str, now: float) -> bool:
        """Whether recognition is allowed in the zone at `now`."""
        return not self.reasons(zone_id, now)

    def watches(self, camera_id: str) -> bool:
        """Whether recognition by this camera is not switched off. That its zone is armed is another matter."""
        return camera_id not in self.switches.cameras_off

    def _by_hand(self, zone_id: str) -> tuple[Reason, ...]:
        off = not self.switches.site or zone_id in self.switches.zones_off
        return (Reason.DISARMED,) if off else ()

    def _assessment_reasons(self, now: float) -> tuple[Reason, ...]:
        if not self._policy.assessment_required:
            return ()
        if self.assessment is None:
            return (Reason.ASSESSMENT_MISSING,)
        return (Reason.ASSESSMENT_EXPIRED,) if now >= self.assessment.expires_at else ()

    def _sign_reasons(self, zone_id: str, now: float) -> tuple[Reason, ...]:
        if not self._signs.get(zone_id):
            return (Reason.SIGN_UNKNOWN,)
        if not (fresh := self._fresh(zone_id, now)):
            return (Reason.SIGN_SILENT,)
        if not all(report.on for report in fresh):  # where two hubs disagree, the sign is not known to be on
            return (Reason.SIGN_OFF,)
        return (Reason.NOTICE_CHANGED,) if any(report.notice_hash != self.notice_hash for report in fresh) else ()

    def _fresh(self, zone_id: str, now: float) -> list[_SignReport]:
        reports = self._signs.get(zone_id, {}).values()
        # A clock that was set back must not stretch a report, so age counts both ways.
        return [report for report in reports if abs(now - report.at) <= self._sign_ttl]

    def _zone(self, zone_id: str) -> Zone:
        try:
            return self._zones[zone_id]
        except KeyError:
            known = ", ".join(sorted(self._zones))
            raise NotFoundError(f"zone: {zone_id!r} does not exist; the site's zones are {known}") from None
