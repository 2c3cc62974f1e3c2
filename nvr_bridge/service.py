"""What clients can ask of a running engine, and the duties that recur: the server's view of everything else."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import batched
from typing import Any

from . import __version__, problems
from .arming import Arming
from .config import Config
from .consent.enrol import Enrolment
from .consent.interlock import Interlock
from .consent.ledger import Ledger
from .consent.links import Links
from .consent.permit import Gate
from .consent.policy import Policy
from .consent.readings import Readings
from .consent.records import Records
from .errors import InvalidError, NotFoundError
from .events import Bus, EventLog, State, shown
from .fleet import Fleet
from .gallery import Gallery
from .latest import Latest
from .messages import CameraStatus, EngineStatus, EventMessage, Snapshot
from .models import Event, Visit
from .office.cases import CaseDesk
from .office.consents import Consents
from .office.desk import Desk
from .office.identities import Identities
from .office.keeper import Keeper
from .office.keyring import Keyring
from .office.kiosk import Kiosk
from .office.leaving import Leaving
from .office.listing import replay_result, sighting_row, visit_row
from .office.mine import Mine
from .office.notary import Notary
from .office.portal import Portal
from .office.receipts import ReceiptDesk
from .office.rules import SiteRules
from .office.settings import SiteSettings
from .office.signings import Signings
from .office.subjects import Subjects
from .presence import Presence
from .recognise import Recogniser
from .sight import Sight
from .site import Site
from .store.database import PAGE, Database
from .store.tokens import TokenTable
from .today import Today
from .visits.attendance import Attendance
from .visits.casebook import Case, Casebook, Tables
from .visits.evidence import Settings
from .visits.scenario import read_settings
from .visits.telling import by_now
from .watch import Watch

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a service is made of. Built, and closed again, by the engine."""

    config: Config
    policy: Policy
    database: Database
    tokens: TokenTable
    log: EventLog
    ledger: Ledger
    records: Records
    evidence: Tables
    bus: Bus
    interlock: Interlock
    gate: Gate
    sight: Sight
    gallery: Gallery
    recogniser: Recogniser
    attendance: Attendance
    presence: Presence
    arming: Arming
    latest: Latest
    today: Today
    site: Site
    enrolment: Enrolment
    fleet: Fleet
    desk: Desk
    portal: Portal
    leaving: Leaving
    links: Links
    keyring: Keyring
    consents: Consents
    rules: SiteRules
    keeper: Keeper
    settings: SiteSettings
    signings: Signings
    identities: Identities
    cases: CaseDesk
    casebook: Casebook
    notary: Notary
    receipts: ReceiptDesk
    readings: Readings


class Service:
    """Answers the server's commands. Arguments come checked by `arguments.COMMAND_SCHEMAS`."""

    def __init__(self, parts: Parts, kiosk: Kiosk, clock: Callable[[], float] = time.time) -> None:
        self.config = parts.config
        self.tokens = parts.tokens
        self.bus = parts.bus
        self.fleet = parts.fleet
        self.desk = parts.desk
        self.portal = parts.portal
        self.signings = parts.signings
        self.identities = parts.identities
        self.kiosk = kiosk
        self.cases = parts.cases
        self.notary = parts.notary
        self.receipts = parts.receipts
        self.keeper = parts.keeper
        self.readings = parts.readings
        self.leaving = parts.leaving
        kept = (parts.database, parts.ledger, parts.records, parts.evidence, parts.casebook)
        self.subjects = Subjects(parts.config, *kept)
        self.mine = Mine(self.subjects, parts.links, erase=parts.consents.erase)
        self.keyring = parts.keyring
        self.arming = parts.arming
        self.arming.changed = self._push_engine
        watched = (parts.config, parts.policy, parts.database, parts.records, parts.interlock)
        self.watch = Watch(*watched, parts.keeper, parts.keyring)
        self.consents = parts.consents
        self.consents.changed = self._push_engine
        self.settings = parts.settings
        self.settings.changed = self._push_engine
        self.engine_id = parts.database.engine_id
        self._parts = parts
        self._clock = clock
        self._told: EngineStatus | None = None

    # --- state ---

    def status(self) -> EngineStatus:
        """The engine's state now."""
        parts, now = self._parts, self._clock()
        # Runs are read first: a permit is spent before its run, so this order never shows a run as one too many.
        runs = parts.sight.embeddings
        spent = parts.gate.spent
        slowest = parts.gallery.searches.p99
        watch, subjects = self.watch.status(now), parts.records.subjects
        return {
            "id": self.engine_id,
            "name": self.config.name,
            "version": __version__,
            "profile": parts.policy.name,
            "armed": any(parts.interlock.armed(zone_id, now) for zone_id in self.config.zones),
            "subjects": subjects,
            "embeddings": runs,
            "embeddings_without_permit": max(0, runs - spent),
            "permits": parts.gate.minted,
            "tracks": parts.fleet.tracks,
            "sign_ttl": self.config.sign_ttl,
            "watch": watch,
            "cases_waiting": self.cases.waiting,
            "recognition": parts.interlock.switches.site,
            "search_p99_ms": None if slowest is None else round(slowest * 1000, 2),
            "settings": self.settings.listed(),
            "problems": problems.of_engine(watch, subjects, datetime.fromtimestamp(now, self.config.timezone)),
        }

    def snapshot(self) -> Snapshot:
        """Everything a client needs to start."""
        return {
            "engine": self.status(),
            "site": self._parts.site.status(),
            "cameras": self.fleet.status(),
            "zones": [self._parts.presence.status(zone_id) for zone_id in self.config.zones],
        }

    def latest_sequence(self) -> int:
        """The number of the newest event."""
        return self._parts.log.latest()

    async def events_since(self, sequence: int) -> list[EventMessage]:
        """What was logged after `sequence`, marked as replayed. Of very many, other tasks get their turn meanwhile."""
        told: list[EventMessage] = []
        for some in batched(await self._parts.log.since(sequence), PAGE, strict=False):
            told += [{**self.tell(event), "replayed": True} for event in some]
            await asyncio.sleep(0)
        return told

    def tell(self, event: Event) -> EventMessage:
        """An event as clients see it: the alias is looked up now, so nobody is told of a visitor who withdrew."""
        moment = datetime.fromtimestamp(event.occurred_at, UTC)
        return {
            "sequence": event.sequence,
            "kind": event.kind,
            "shown": shown(event),
            "occurred_at": moment.isoformat(timespec="milliseconds"),
            "zone": event.zone_id,
            "visit": event.visit_id,
            "alias": self._parts.records.alias(event.visitor_id) if event.visitor_id else None,
            "replayed": False,
            "data": event.data,
        }

    # --- the hub's reports ---

    def sign(self, connection: str, zone_id: str, on: bool | None, notice_hash: str) -> None:
        """A sign's state, as the hub sees it; None: it looks at none there any more."""
        self.arming.sign(connection, zone_id, on, notice_hash)

    def settings_edited(self, edited: bool) -> None:
        """Whether `bridge.yaml` is another than this engine runs with: then nobody is recognised by what it said before."""
        self.arming.settings_edited(edited)

    async def act(self, zone_id: str) -> None:
        """Somebody acted for their own passage."""
        if zone_id not in self.config.zones:
            raise NotFoundError(
                f"zone: {zone_id!r} does not exist; the site's zones are {', '.join(self.config.zones)}"
            )
        self._parts.gate.act(zone_id)

    def connection_closed(self, connection: str) -> None:
        """A hub's connection closed: its signs are unknown from now on."""
        self.arming.connection_closed(connection)

    # --- lists ---

    async def visit_list(self, args: dict[str, Any]) -> list[dict[str, Any]]:
        """Visits with their verdicts, the newest first."""
        visits = await self._parts.evidence.visits.list(
            args.get("since"), args.get("until"), args.get("zone"), args["limit"]
        )
        cases = await self._parts.casebook.verdicts(visits)
        return await asyncio.to_thread(self._visits, visits, cases)

    def _visits(self, visits: Sequence[Visit], cases: Mapping[str, Case]) -> list[dict[str, Any]]:
        now, rules, aliases = self._clock(), self.config.rules, self._parts.records.alias
        rows = []
        for visit in visits:
            case = cases.get(visit.visit_id)
            shown = by_now(case, (), visit.started_at, now, rules) if case else {}
            rows.append(visit_row(visit, shown, aliases(visit.visitor_id) if visit.visitor_id else None))
        return rows

    async def attribution_replay(self, args: dict[str, Any]) -> dict[str, Any]:
        """Days of the store judged anew: as the site's settings have it, or what other settings would change."""
        if args["from"] > args["to"]:
            raise InvalidError("from: is after to; give the earlier day first")
        other = self._parts.rules.book().altered(partial(_other, args["settings"])) if "settings" in args else None
        days = await self._parts.casebook.replay(args["from"], args["to"], other)
        return await asyncio.to_thread(replay_result, days, self._parts.records.alias)

    async def sighting_list(self, args: dict[str, Any]) -> list[dict[str, Any]]:
        """Sightings, the newest first."""
        rows = await self._parts.evidence.sightings.list(args.get("since"), args.get("zone"), args["limit"])
        aliases = self._parts.records.alias
        return await asyncio.to_thread(
            lambda: [sighting_row(row, aliases(row.visitor_id) if row.visitor_id else None) for row in rows]
        )

    # --- cameras ---

    async def camera_list(self) -> list[CameraStatus]:
        """Every camera."""
        return self.fleet.status()

    async def camera_add(self, args: dict[str, Any], by: str) -> list[CameraStatus]:
        """Add a channel, or give a known one new settings."""
        return await self.fleet.add(args, by)

    async def camera_remove(self, args: dict[str, Any], by: str) -> dict[str, Any]:
        """Stop and forget a camera, but not that somebody switched it off: it may be added again."""
        await self.fleet.remove(args["camera"], by)
        return {"removed": args["camera"]}

    async def camera_discover(self, args: dict[str, Any]) -> list[dict[str, Any]]:
        """What answers on the network."""
        return await self.fleet.discover(args)

    # --- duties that recur ---

    async def load(self) -> None:
        """Take up what was before."""
        await self.keeper.load()
        await self.leaving.resume()
        await self.keeper.note_notice()
        await self.arming.load()
        await self._parts.latest.load()
        await self._count_today()

    async def sweep(self) -> None:
        """Close visits that are over; tell what changed, and start the day's counts anew at midnight."""
        await self._parts.attendance.sweep()
        await self._count_today()

    async def _count_today(self) -> None:
        await self._parts.today.sweep()
        self._parts.presence.push_all()
        self._parts.site.push()

    async def tell_verdicts(self) -> None:
        """Tell what visits came to, and how many cases wait for somebody."""
        await self.cases.tell_verdicts()
        if self._told is None or self._told["cases_waiting"] != self.cases.waiting:
            self._push_engine()

    async def push_counters(self) -> None:
        """Tell the counters that move all the time."""
        self._push_engine()
        self.fleet.push()

    def _push_engine(self) -> None:
        status = self.status()
        if status != self._told:
            self._told = status
            self.bus.publish(State("engine", status, None))


def _other(text: str, settings: Settings) -> Settings:
    """The settings that a client asks about, in place of those; the site's days stay as they are, to be compared."""
    return replace(read_settings(text, settings), timezone=settings.timezone)
