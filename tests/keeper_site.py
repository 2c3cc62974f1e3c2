"""A store with its keeper and everything a purge reaches, under a clock that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from store_site import NOTICE, Site, face, open_site

from nvr_bridge.config import Config, load_config
from nvr_bridge.consent.interlock import Interlock
from nvr_bridge.consent.permit import Gate
from nvr_bridge.consent.policy import load_policy
from nvr_bridge.consent.requests import Requests
from nvr_bridge.events import Bus, Push
from nvr_bridge.gallery import Gallery
from nvr_bridge.models import Ground, Known, Match, Permit, Probe, Sighting, Unknown, UnknownReason, Visit
from nvr_bridge.office.keeper import Keeper
from nvr_bridge.office.leaving import Leaving
from nvr_bridge.office.rules import SiteRules
from nvr_bridge.recognise import Recogniser
from nvr_bridge.sight import Sight
from nvr_bridge.store.assessments import AssessmentTable
from nvr_bridge.store.referrals import Filing
from nvr_bridge.store.settings import SettingsTable
from nvr_bridge.visits.attendance import Attendance
from nvr_bridge.visits.casebook import Casebook
from nvr_bridge.visits.evidence import contact
from nvr_bridge.visits.unjudged import Unjudged
from nvr_bridge.worker import Worker

DAY = 86400.0
START = 1_790_000_000.0  # when each story begins
KEY = b"of contacts"
_TRACKS = count(1)
SITE = (
    "name: Office\nprofile: cn\nzones: {desk: {name: Desk, kind: consent_point}, lane: {name: Lane, kind: observe}}\n"
)


class NoModels:
    """A pack that sees nothing."""

    detector = cutter = embedder = None


@dataclass
class Kept:
    """A site, what removes its data, and what clients were told."""

    site: Site
    config: Config
    keeper: Keeper
    leaving: Leaving
    rules: SiteRules
    gallery: Gallery
    clock: list[float]
    uptime: list[float]
    told: list[Push] = field(default_factory=list)

    @property
    def now(self) -> float:
        return self.clock[0]

    def on_day(self, days: float) -> float:
        """Move the clock to so many days after the story's begin, at once: it jumps."""
        self.clock[0] = START + days * DAY
        return self.clock[0]

    def run_for(self, days: float) -> None:
        """So many days pass, and the engine runs."""
        self.clock[0] += days * DAY
        self.uptime[0] += days * DAY

    async def agree(self, person: int, day: float = 0.0) -> str:
        """Somebody agrees to be remembered, and is in the index."""
        at = START + day * DAY
        granted = await self.site.records.grant(
            zone_id="desk",
            notice_hash=NOTICE,
            language="en",
            purpose="to be recognised on return",
            expires_at=at + 9999 * DAY,
            guardian=False,
            embeddings=[face(person, look) for look in range(3)],
            now=at,
        )
        await self.gallery.extend(granted.templates)
        return granted.consent.visitor_id

    async def pass_for(self, day: float = 0.0) -> str:
        """Somebody new gets a pass."""
        code, _ = await self.site.passes.issue(START + day * DAY)
        return await self.site.passes.holder(code)

    async def visit(
        self, who: str | None, day: float, *, number: str | None = None, seen: float | None = None, scan: bool = False
    ) -> Visit:
        """A whole visit of ten minutes; in it a number is given, a face seen with this score, a pass shown."""
        at, visits, registrations = START + day * DAY, self.site.visits, self.site.registrations
        also: Any = None
        given = contact(number, KEY) if number else None
        if given is not None:
            assert given.full
            also = registrations.check_in(who, given.full, given.mask, None, "desk", at)
        elif scan:
            assert who
            also = registrations.scan(who, "desk", at)
        visit, _ = await visits.begin(who, "desk", at, names=[given.full] if given and given.full else [], also=also)
        if seen is not None:
            assert who
            sighting = Sighting("cam", "desk", next(_TRACKS), at, at + 600, Known(who, seen, 0.2), at + 600)
            await self.site.sightings.add(sighting, visit.visit_id)
        await visits.extend(visit.visit_id, at + 600)
        return (await visits.end(visit.visit_id, at + 600))[0]

    async def passer_by(self, day: float) -> None:
        """Somebody unknown is seen."""
        at = START + day * DAY
        who = Unknown(UnknownReason.NO_MATCH)
        await self.site.sightings.add(Sighting("cam", "lane", next(_TRACKS), at, at + 5, who, at + 5))

    async def refer(self, partner: str, number: str, day: float) -> str:
        given = contact(number, KEY)
        return (await self.site.referrals.file(Filing(partner, given.full, given.mask), START + day * DAY)).referral_id

    async def match(self, person: int) -> Match:
        """Whom the index takes somebody for."""
        return await self.gallery.match(Probe(face(person), Permit("p", "desk", Ground.CONSENT, "b", self.now + 60)))

    async def verdicts(self) -> dict[str, dict[str, Any]]:
        """The verdict of each visit that there is."""
        visits = await self.site.visits.all()
        found = await self.site.casebook(self.rules.book()).verdicts(visits)
        return {visit.visit_id: found.get(visit.visit_id, {}) for visit in visits}


@asynccontextmanager
async def kept_site(
    folder: Path, written: str = SITE, notice_hash: str | None = None, begins: float = 0.0
) -> AsyncIterator[Kept]:
    """Open the store in `folder` with its keeper, on a day of the story; nothing runs by itself."""
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    await asyncio.to_thread((folder / "bridge.yaml").write_text, written)
    config = await asyncio.to_thread(load_config, folder / "bridge.yaml")
    policy = await asyncio.to_thread(load_policy, config.profile, config.policy)
    clock, uptime = [START + begins * DAY], [0.0]
    async with open_site(config.data_dir, notice_hash=notice_hash, settings=config.rules) as site:
        bus, gallery, worker = Bus(), Gallery(512, lambda _: 0.5), Worker("vision")
        try:
            await gallery.rebuild(site.records.templates)
            rules = SiteRules(config, policy, site.db, site.ledger, lambda: clock[0])
            await rules.load()
            attendance = Attendance(site.visits, bus, Unjudged(), rules.visit_gap, lambda _: "high", lambda: clock[0])
            gate = Gate(config.zones, Interlock(config.zones, policy, config.notice_hash, config.sign_ttl))
            sight = Sight(NoModels(), worker, config.min_face)  # type: ignore[arg-type]
            recogniser = Recogniser(config.zones, gate, gallery, attendance, site.sightings, sight)
            casebook = Casebook(site.evidence, rules.book)
            leaving = Leaving(
                site.records, Requests(site.db), gallery, recogniser, attendance, casebook, bus, lambda: clock[0]
            )
            settings = SettingsTable(site.db)
            assessments = AssessmentTable(site.db, site.ledger)
            kept_by = (config, policy, site.db, settings, assessments, site.ledger, leaving, casebook)
            keeper = Keeper(*kept_by, lambda: clock[0], lambda: uptime[0])
            await keeper.load()
            kept = Kept(site, config, keeper, leaving, rules, gallery, clock, uptime)
            bus.attach(kept.told.append)
            yield kept
        finally:
            await gallery.close()
            await worker.close()
