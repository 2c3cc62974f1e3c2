"""What arms and disarms: the hubs' reports, the impact assessment, and people's own switches.

Whatever disarms takes effect here and now, permits and all; the ledger is written after that.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .config import Config
from .consent.enrol import Enrolment
from .consent.interlock import Assessment, Interlock, Reason
from .consent.ledger import Ledger, on_behalf_of
from .consent.permit import Gate
from .consent.policy import Policy
from .consent.switches import Switches
from .errors import InvalidError, NotFoundError
from .fleet import Fleet
from .office.listing import assessment_row, iso
from .presence import Presence
from .store.assessments import AssessmentTable, StoredAssessment
from .store.database import Database
from .store.schema import Data
from .store.settings import SettingsTable

_LOGGER = logging.getLogger(__name__)

SWITCHES_KEY = "switches"  # what was switched off by hand


@dataclass(frozen=True, slots=True)
class Kept:
    """Where it is written down."""

    database: Database
    ledger: Ledger
    settings: SettingsTable
    assessments: AssessmentTable


def _nothing() -> None:
    """Nobody is told."""


class Arming:
    """One for the engine. Arguments come checked by `arguments.COMMAND_SCHEMAS`; `by` is the token that they came with."""

    def __init__(
        self,
        config: Config,
        policy: Policy,
        kept: Kept,
        interlock: Interlock,
        gate: Gate,
        enrolment: Enrolment,
        presence: Presence,
        fleet: Fleet,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._policy = policy
        self._kept = kept
        self._interlock = interlock
        self._gate = gate
        self._enrolment = enrolment
        self._presence = presence
        self._fleet = fleet
        self._clock = clock
        self.changed: Callable[[], None] = _nothing  # called when the engine's own state is another one
        self._written = Switches()  # what a restart would find of them
        self._reasons: dict[str, tuple[Reason, ...]] = {}
        self._unwritten: deque[tuple[str, float, str, str]] = deque()  # acts that the ledger has yet to hold
        self._writing = asyncio.Lock()
        self._switching = asyncio.Lock()

    async def load(self) -> None:
        """Take up what was acknowledged and switched off before."""
        self._written = self._interlock.switches = Switches.read(await self._kept.settings.get(SWITCHES_KEY))
        await self._load_assessment()

    # --- the hubs' reports ---

    def sign(self, connection: str, zone_id: str, on: bool | None, notice_hash: str) -> None:
        """A sign's state, as the hub sees it; None: it looks at none there any more."""
        # A report must not hide that the one before it had lapsed: what that disarmed stays disarmed.
        self._look()
        self._interlock.sign(connection, zone_id, on=on, notice_hash=notice_hash, now=self._clock())
        self._look()

    def connection_closed(self, connection: str) -> None:
        """A hub's connection closed: its signs are unknown from now on."""
        self._interlock.connection_closed(connection)
        self._look()

    def settings_edited(self, edited: bool) -> None:
        """Whether `bridge.yaml` is another than this engine runs with: then nobody is recognised by what it said before."""
        self._interlock.edited = edited
        self._look()

    # --- by hand ---

    async def recognition(self, args: dict[str, Any], by: str) -> dict[str, Any]:
        """Switch recognition on or off, on the whole site or in one zone → what holds there now."""
        on, zone_id = args["on"], args.get("zone")
        if zone_id is None:
            await self._switch(lambda now: now.of_site(on), on, None, _who(args, by))
            return {"recognition": self._interlock.switches.site}
        if zone_id not in self._config.zones:
            raise NotFoundError(
                f"zone: {zone_id!r} does not exist; the site's zones are {', '.join(self._config.zones)}"
            )
        await self._switch(lambda now: now.of_zone(zone_id, on), on, zone_id, _who(args, by))
        return {"zone": zone_id, "recognition": zone_id not in self._interlock.switches.zones_off}

    async def camera_recognition(self, args: dict[str, Any], by: str) -> dict[str, Any]:
        """Switch recognition by one camera on or off → what holds of it now."""
        on, camera_id = args["on"], self._fleet.camera(args["camera"]).camera_id
        await self._switch(lambda now: now.of_camera(camera_id, on), on, None, _who(args, by), camera_id)
        return {"camera": camera_id, "recognition": self._interlock.watches(camera_id)}

    async def _switch(
        self,
        change: Callable[[Switches], Switches],
        on: bool,
        zone_id: str | None,
        data: Data,
        camera_id: str | None = None,
    ) -> None:
        async with self._switching:
            before = self._interlock.switches
            then = change(before)
            if then == before and change(self._written) == self._written:
                return
            self._apply(before & then)  # off is off at once, even if the disk is full; on waits until that is written
            try:
                async with self._kept.database.write() as session:
                    if camera_id is not None:
                        zone_id, data = await self._fleet.zone(session, camera_id), {"camera": camera_id, **data}
                    await self._kept.settings.put(session, SWITCHES_KEY, then.kept)
                    act = "recognition_on" if on else "recognition_off"
                    await self._kept.ledger.append(session, act, at=self._clock(), zone_id=zone_id, data=data)
            except NotFoundError:  # the camera was removed while this waited
                self._apply(before)
                raise
            self._written = then
            self._apply(then)
        await self.watch()

    def _apply(self, then: Switches) -> None:
        before, self._interlock.switches = self._interlock.switches, then
        for camera_id in before.cameras_off ^ then.cameras_off:
            if camera_id in then.cameras_off:
                self._gate.revoke_camera(camera_id)
                self._enrolment.drop_of(camera_id)
            self._fleet.tell(camera_id)
        for zone_id in self._config.zones if before.site != then.site else before.zones_off ^ then.zones_off:
            self._presence.push(zone_id)
        self._look()
        self.changed()

    # --- the assessment ---

    async def assessment_acknowledge(self, args: dict[str, Any]) -> dict[str, Any]:
        """A person takes responsibility for the impact assessment, and names the legal ground."""
        now, policy = self._clock(), self._policy
        expires_at = args.get("expires_at", now + policy.assessment_days * 86400)
        if not now < expires_at <= now + policy.assessment_days * 86400:
            raise InvalidError(
                f"expires_at: must be in the future and within the profile's limit of {policy.assessment_days:g} days"
            )
        made = StoredAssessment(args["by"], args["ground"], policy.name, now, expires_at)
        await self._kept.assessments.add(made)
        await self._load_assessment()
        await self.watch()
        return {"expires_at": iso(expires_at)}

    async def assessment_list(self) -> list[dict[str, Any]]:
        """Every assessment that is kept, the newest first."""
        now = self._clock()
        return [assessment_row(made, self._policy.name, now) for made in await self._kept.assessments.all()]

    async def _load_assessment(self) -> None:
        """Read what was acknowledged before, for this profile."""
        held = await self._kept.assessments.current(self._policy.name)
        now = Assessment(held.by, held.ground, held.acknowledged_at, held.expires_at) if held else None
        self._interlock.assessment = now

    # --- a duty that recurs ---

    async def watch(self) -> None:
        """See what armed or disarmed since the last look, and have the ledger say why."""
        self._look()
        # One after the other, and none forgotten because the disk was full; they are nobody's who happens to wait for them.
        async with self._writing:
            with on_behalf_of(None):
                while self._unwritten:
                    act, at, zone_id, reasons = self._unwritten[0]
                    async with self._kept.database.write() as session:
                        await self._kept.ledger.append(session, act, at=at, zone_id=zone_id, data={"reasons": reasons})
                    self._unwritten.popleft()

    def _look(self) -> None:
        """What disarmed loses its permits here and now; nothing waits for the ledger to be written."""
        now = self._clock()
        for zone_id in self._config.zones:
            reasons = self._interlock.reasons(zone_id, now)
            before = self._reasons.get(zone_id)
            if reasons == before:
                continue
            self._reasons[zone_id] = reasons
            if reasons:
                self._gate.revoke_zone(zone_id)
                self._enrolment.drop(zone_id)
            if before is None or bool(reasons) != bool(before):
                act = "disarmed" if reasons else "armed"
                _LOGGER.info("zone %s: %s%s", zone_id, act, f" ({', '.join(reasons)})" if reasons else "")
                self._unwritten.append((act, now, zone_id, ", ".join(reasons)))
            self._presence.push(zone_id)
            self.changed()


def _who(args: dict[str, Any], by: str) -> Data:
    """The token that it was done with, and which user of a hub it was."""
    return {"token": by, "user": args.get("by")}
