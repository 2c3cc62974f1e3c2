"""What a tablet at a consent point can do for the person before it: agree, decline, say that they are back, show a pass.

One person at a time in each zone. Nothing of them is kept here for longer than they need to look at it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..camera import View
from ..config import Config
from ..consent.capture import LOOK_SECONDS
from ..consent.enrol import Enrolment
from ..consent.ledger import Ledger
from ..consent.links import Links
from ..consent.passes import Passes
from ..consent.permit import Gate
from ..consent.policy import Policy
from ..consent.records import Records
from ..errors import AskError, BridgeError, InvalidError, NotArmedError, NotFoundError
from ..messages import CameraStatus
from ..models import Channel, Known, ZoneKind
from ..presence import Presence
from ..recognise import Recogniser
from ..vision.qr_codes import CodeReader
from .desk import Desk
from .listing import iso

BACK_SECONDS = 8.0  # for a camera to recognise somebody who says that they are back
BACK_EVERY = 0.1  # seconds between looks at what the camera made of them
PASS_SECONDS = 60.0  # for somebody to show a pass, and after that to ask for their own page
RENEW_SECONDS = 7 * 86400.0  # before a consent runs out, in which whoever it is of is asked whether to renew it
PAGE_SECONDS = 600.0  # that a link made at the tablet opens the visitor's own page


class Cameras(Protocol):
    """What the zone's cameras see, and how they are."""

    def views(self, zone_id: str) -> Sequence[View]:
        """The latest view of every camera in the zone that is online, and not switched off."""

    def status(self) -> list[CameraStatus]:
        """Every camera."""


@dataclass(slots=True)
class _Shown:
    """Somebody is showing a pass, or has just shown one."""

    until: float  # on the engine's clock
    state: str = "waiting"  # or "read", "unknown", "failed"
    answer: dict[str, Any] | None = None
    visitor_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Met:
    """Somebody whom the tablet has just greeted, and may ask to agree again."""

    visitor_id: str
    until: float  # on the engine's clock


class Kiosk:
    """One for the engine. Arguments come checked by the server; answers are JSON-able."""

    def __init__(
        self,
        config: Config,
        policy: Policy,
        gate: Gate,
        enrolment: Enrolment,
        recogniser: Recogniser,
        cameras: Cameras,
        presence: Presence,
        desk: Desk,
        records: Records,
        passes: Passes,
        links: Links,
        ledger: Ledger,
        reader: CodeReader,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._policy = policy
        self._gate = gate
        self._enrolment = enrolment
        self._recogniser = recogniser
        self._cameras = cameras
        self._presence = presence
        self._desk = desk
        self._records = records
        self._passes = passes
        self._links = links
        self._ledger = ledger
        self._reader = reader
        self._clock = clock
        self._asked: dict[str, set[tuple[str, int]]] = {}  # by zone: the tracks of those who have answered
        self._shown: dict[str, _Shown] = {}  # by zone
        self._met: dict[str, _Met] = {}  # by zone

    # --- before anybody decides ---

    def terms(self, zone_id: str, language: str) -> dict[str, Any]:
        """What a person agrees to in this zone, in the language of the notice that is nearest to `language`."""
        self._check(zone_id)
        spoken = language if language in self._config.notices else next(iter(self._config.notices))
        return {
            "who": self._config.consent.who,
            "why": self._config.consent.purpose(spoken),
            "days": min(self._config.consent.days, self._policy.consent_days_limit),
            "guardian_under": self._policy.guardian_under,
            "notice": self._config.notices[spoken],
            "notice_language": spoken,
            "notice_hash": self._config.notice_hash,
            "can_agree": self._recognises(zone_id) and self._config.zones[zone_id].kind is ZoneKind.CONSENT_POINT,
            "looks_seconds": LOOK_SECONDS,
        }

    def state(self, zone_id: str) -> dict[str, Any]:
        """Whether the zone can recognise now, which cameras would look, and whether somebody there has yet to be asked."""
        self._check(zone_id)
        status = self._presence.status(zone_id)
        looking = [each for each in self._cameras.status() if each["zone"] == zone_id and each["recognition"]]
        online = [camera for camera in looking if camera["state"] == "online"]
        return {
            "armed": status["armed"],
            "reasons": status["reasons"],
            "notice_hash": status["notice_hash"],
            "cameras": [camera["name"] for camera in online],
            "people": status["people_present"],
            "ask": self._somebody_to_ask(zone_id),
        }

    # --- agreeing ---

    async def capture(self, zone_id: str, args: dict[str, Any], photo: bytes | None) -> dict[str, Any]:
        """Look at the person who has tapped, or at the photo that the tablet took: what the engine saw of them."""
        capture = await self._enrolment.capture(self._consent(zone_id, args), photo)
        return {"capture": capture.capture_id, "crop": await asyncio.to_thread(capture.crop), "alive": capture.alive}

    async def agree(self, zone_id: str, capture_id: str, args: dict[str, Any]) -> dict[str, Any]:
        """ "This is me": remember them, and give them what they can take along."""
        granted = await self._enrolment.confirm(capture_id, self._consent(zone_id, args))
        visitor_id = granted.consent.visitor_id
        code = await self._passes.issue_again(visitor_id, self._clock())
        return await self._receipt(zone_id, visitor_id, code, granted.consent.expires_at)

    async def decline(self, zone_id: str) -> dict[str, Any]:
        """No recognition: the same pass, without a template."""
        self._check(zone_id)
        self._forget(zone_id)
        await self._ledger.record("consent_declined", zone_id)
        code, _ = await self._passes.issue(self._clock())
        return await self._receipt(zone_id, await self._passes.holder(code), code, None)

    def cancel(self, zone_id: str) -> None:
        """The person went away, or thought better of it: whatever was begun for them ends."""
        self._check(zone_id)
        self._forget(zone_id)

    # --- coming back ---

    async def back(self, zone_id: str) -> dict[str, Any]:
        """ "I am back": recognise the one person in view, within seconds or not at all."""
        self._check(zone_id)
        self._gate.back(zone_id)
        for _ in range(round(BACK_SECONDS / BACK_EVERY)):
            visitor_id = self._recognised(zone_id)
            if visitor_id is not None:
                self._answered(zone_id)
                return {"alias": self._records.alias(visitor_id), **self._greet(zone_id, visitor_id)}
            await asyncio.sleep(BACK_EVERY)
        self._gate.revoke_acts(zone_id)  # nobody else may be compared on what this person did
        return {"alias": None}

    def open_pass(self, zone_id: str) -> None:
        """Somebody is about to show a pass to the zone's camera."""
        self._check(zone_id)
        shown = self._shown[zone_id] = _Shown(self._clock() + PASS_SECONDS)
        asyncio.get_running_loop().call_later(PASS_SECONDS, self._close, zone_id, shown)

        async def found(text: str) -> None:
            await self._read(zone_id, shown, text)

        self._reader.watch(zone_id, found)

    def pass_state(self, zone_id: str) -> dict[str, Any]:
        """Whether a pass was read since `open_pass`, and whose."""
        shown = self._shown.get(zone_id)
        if shown is None or self._clock() >= shown.until:
            return {"state": "closed"}
        return {"state": shown.state, **(shown.answer or {})}

    async def show_pass(self, zone_id: str, code: str) -> dict[str, Any]:
        """A pass, typed or read. Raises `NotFoundError` for one that is nobody's."""
        self._check(zone_id)
        visitor_id = await self._passes.holder(code)
        self._recognise(zone_id, visitor_id)
        visit = await self._desk.pass_scan({"zone": zone_id, "code": code})
        self._answered(zone_id)
        answer = {"alias": visit["alias"], "returning": visit["returning"], **self._greet(zone_id, visitor_id)}
        self._reader.leave(zone_id)
        self._shown[zone_id] = _Shown(self._clock() + PASS_SECONDS, "read", answer, visitor_id)
        return answer

    async def own_page(self, zone_id: str) -> dict[str, Any]:
        """A link to the own page of whoever has just shown their pass here, good for some minutes."""
        shown = self._shown.pop(zone_id, None)
        now = self._clock()
        if shown is None or shown.visitor_id is None or now >= shown.until:
            raise NotFoundError("pass: none was shown here just now; show it again")
        return {"token": await self._links.issue(shown.visitor_id, now, expires_at=now + PAGE_SECONDS)}

    async def renew(self, zone_id: str, args: dict[str, Any]) -> dict[str, Any]:
        """Whoever was just greeted here agrees again, to the notice in force. `args` as for `capture`."""
        met = self._met.get(zone_id)
        if met is None or self._clock() >= met.until:
            raise NotFoundError("visitor: nobody was greeted here just now; show the pass again")
        before = self._records.consent(met.visitor_id)
        # Never more than they agreed to before; where none of that is left, this zone, in which they agree now.
        zones = [key for key in (before.zones if before else ()) if self._recognises(key)] or [zone_id]
        granted = await self._enrolment.renew(met.visitor_id, {**self._consent(zone_id, args), "zones": zones})
        self._met.pop(zone_id, None)
        self._recognise(zone_id, met.visitor_id)
        return {"alias": granted.alias, "expires_at": iso(granted.consent.expires_at)}

    # --- helpers ---

    def _greet(self, zone_id: str, visitor_id: str) -> dict[str, Any]:
        """Until when they agreed, and why they are asked to agree again, if they are: `notice` or `expiry`."""
        self._met.pop(zone_id, None)
        consent, now = self._records.consent(visitor_id), self._clock()
        if consent is None or not self.terms(zone_id, consent.language)["can_agree"]:
            return {"renew": None, "expires_at": None}
        # Not on the very day on which somebody agreed for a few days.
        soon = min(RENEW_SECONDS, (consent.expires_at - consent.granted_at) / 2)
        changed = not self._records.covers(consent)
        renew = "notice" if changed else "expiry" if consent.expires_at - now < soon else None
        if renew is not None:
            self._met[zone_id] = _Met(visitor_id, now + PASS_SECONDS)
        return {"renew": renew, "expires_at": iso(consent.expires_at)}

    def _recognise(self, zone_id: str, visitor_id: str) -> None:
        """What they did permits that the zone's camera recognises them, if they agreed to that and the notice is the same."""
        consent = self._records.consent(visitor_id)
        if consent is not None and self._records.covers(consent):
            with contextlib.suppress(NotArmedError):
                self._gate.back(zone_id)

    def _recognises(self, zone_id: str) -> bool:
        """Whether anybody may be recognised in the zone at all."""
        zone = self._config.zones.get(zone_id)
        return zone is not None and zone.kind in self._policy.recognition

    def _check(self, zone_id: str) -> None:
        if zone_id not in self._config.zones:
            raise NotFoundError(f"zone: {zone_id!r} does not exist")

    def _consent(self, zone_id: str, args: dict[str, Any]) -> dict[str, Any]:
        """What `consent/grant` takes, of what the page sends: language, notice hash and what was said of the age."""
        terms = self.terms(zone_id, args["language"])
        if terms["guardian_under"] is not None and args["age"] is None:
            raise InvalidError(f"age: must be stated; a guardian agrees for who is under {terms['guardian_under']}")
        return {
            "zone": zone_id,
            "notice_hash": args["notice_hash"],
            "language": terms["notice_language"],
            "purpose": terms["why"],
            "expires_in_days": terms["days"],
            "guardian": args["age"] == "guardian",
            "channel": Channel.KIOSK,
        }

    async def _receipt(self, zone_id: str, visitor_id: str, code: str, expires_at: float | None) -> dict[str, Any]:
        """They are here, registered; what they take along. A link only where it can be reached from outside."""
        await self._desk.pass_scan({"zone": zone_id, "code": code})
        self._answered(zone_id)
        receipt = {"alias": self._records.alias(visitor_id), "code": code, "link": None}
        if self._config.public_url is not None:
            token = await self._links.issue(visitor_id, self._clock())
            receipt["link"] = f"{self._config.public_url}/me#{token}"
        return {**receipt, "expires_at": None if expires_at is None else iso(expires_at)}

    async def _read(self, zone_id: str, shown: _Shown, text: str) -> None:
        """The zone's camera saw a code."""
        if self._shown.get(zone_id) is not shown or self._clock() >= shown.until:
            return
        try:
            await self.show_pass(zone_id, text)
        except AskError:
            shown.state = "unknown"
        except BridgeError:
            shown.state = "failed"

    def _close(self, zone_id: str, shown: _Shown) -> None:
        if self._shown.get(zone_id) is shown:
            self._reader.leave(zone_id)
            del self._shown[zone_id]

    def _forget(self, zone_id: str) -> None:
        """Nothing of what the person began goes on: no picture of them, no act, no camera that waits for a pass."""
        self._enrolment.drop(zone_id)
        self._gate.revoke_acts(zone_id)
        self._reader.leave(zone_id)
        self._shown.pop(zone_id, None)
        self._met.pop(zone_id, None)

    def _in_view(self, zone_id: str) -> set[tuple[str, int]]:
        return {track.key for view in self._cameras.views(zone_id) for track in view.live}

    def _answered(self, zone_id: str) -> None:
        """Whoever is in view now has said what they want, and is not asked again while they stay."""
        self._asked[zone_id] = self._in_view(zone_id)

    def _somebody_to_ask(self, zone_id: str) -> bool:
        in_view = self._in_view(zone_id)
        asked = self._asked[zone_id] = self._asked.get(zone_id, set()) & in_view
        return any(not isinstance(self._recogniser.who(track), Known) for track in in_view - asked)

    def _recognised(self, zone_id: str) -> str | None:
        """The one person in view, if they are known."""
        in_view = self._in_view(zone_id)
        who = self._recogniser.who(next(iter(in_view))) if len(in_view) == 1 else None
        return who.visitor_id if isinstance(who, Known) else None
