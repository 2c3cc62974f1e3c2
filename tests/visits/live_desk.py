"""The parts of a running engine that evidence goes through, with a clock that a test sets: no camera, no network, no models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from store_site import Site, open_site

from nvr_bridge.config import load_config
from nvr_bridge.consent.policy import load_policy
from nvr_bridge.events import Bus
from nvr_bridge.models import CaseState, Known, ReviewAct, Sighting
from nvr_bridge.office.desk import Desk
from nvr_bridge.office.identities import Identities
from nvr_bridge.office.register import Register
from nvr_bridge.office.rules import SiteRules
from nvr_bridge.office.signings import Signings
from nvr_bridge.store.cases import NewReview
from nvr_bridge.visits.attendance import Attendance
from nvr_bridge.visits.casebook import Case, Casebook
from nvr_bridge.visits.evidence import Settings
from nvr_bridge.visits.unjudged import Unjudged

CONFIG = """
name: Riverside sales office
profile: no_biometrics
zones:
  desk: {name: Desk, kind: consent_point}
  lane: {name: Lane, kind: opt_in_lane}
"""


@dataclass
class Live:
    """People at a site, by name. `now` is the engine's clock."""

    site: Site
    attendance: Attendance
    desk: Desk
    signings: Signings
    identities: Identities
    casebook: Casebook
    rules: SiteRules
    now: float = 0.0
    aliases: dict[str, str] = field(default_factory=dict)  # by name, as all of these
    codes: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    tracks: int = 0

    async def pass_for(self, name: str) -> None:
        """Somebody new gets a pass."""
        made = await self.desk.pass_issue({})
        self.codes[name], self.aliases[name] = made["code"], made["alias"]
        self.ids[name] = await self.site.passes.holder(made["code"])

    async def face_of(self, name: str) -> None:
        """Somebody new agrees to be recognised, and gets a pass too."""
        granted = await self.site.grant(len(self.ids) + 1, expires_at=self.now + 365 * 86400.0, now=self.now)
        self.ids[name], self.aliases[name] = granted.consent.visitor_id, granted.alias
        self.codes[name] = (await self.desk.pass_issue({"alias": granted.alias}))["code"]

    async def seen(self, name: str, score: float = 0.6, margin: float = 0.2) -> str:
        """Somebody is recognised, and gone at once → the visit."""
        who = Known(self.ids[name], score, margin)
        visit = await self.attendance.present(who, "lane", self.now)
        self.tracks += 1
        sighting = Sighting("lane-1", "lane", self.tracks, self.now, self.now, who, self.now)
        await self.site.sightings.add(sighting, visit.visit_id)
        return visit.visit_id

    async def scan(self, name: str) -> str:
        """Somebody shows their pass → the visit."""
        return str((await self.desk.pass_scan({"zone": "desk", "code": self.codes[name]}))["visit"])

    async def check_in(self, name: str | None, number: str) -> str:
        """Somebody leaves a number → the visit."""
        who = {"alias": self.aliases[name]} if name else {}
        return str((await self.desk.check_in({"zone": "desk", "contact": number, **who}))["visit"])

    async def sign(self, name: str | None, *others: str, **numbers: str) -> dict[str, Any]:
        """A contract is signed → its id and the visit."""
        who = {"alias": self.aliases[name]} if name else {}
        co_signers = [self.aliases[other] for other in others]
        return await self.signings.signing_add({"zone": "desk", "co_signers": co_signers, **who, **numbers})

    async def refer(self, partner: str, number: str, declared: float | None = None) -> str:
        """A partner claims a client → the referral."""
        when = {} if declared is None else {"declared": declared}
        return str((await self.desk.referral_add({"partner": partner, "contact": number, **when}))["referral"])

    async def review(self, visit_id: str, attribution: str, partner: str | None) -> None:
        """Somebody decides what a visit came to."""
        case = (await self.site.cases.of([visit_id]))[visit_id]
        new = NewReview(ReviewAct.CHANGE, CaseState.CHANGED, self.now, attribution, partner)
        async with self.site.db.write() as session:
            await self.site.cases.review(session, case.case_id, lambda _case, _history: new)

    async def erase(self, name: str) -> None:
        """Somebody withdraws."""
        visitor_id = self.ids[name]
        settled = await self.casebook.to_settle(visitor_id)
        gone = await self.site.records.withdraw(visitor_id, self.now, settled=settled)
        await self.attendance.forget(visitor_id, gone.visit_ids)

    async def verdicts(self) -> dict[str, Case]:
        """Of every visit."""
        return await self.casebook.verdicts(await self.site.visits.all())


@asynccontextmanager
async def live_desk(folder: Path, settings: Settings, now: float) -> AsyncIterator[Live]:
    """An engine's desk that opens at `now`, with two partners."""
    (folder / "bridge.yaml").write_text(CONFIG)
    config = load_config(folder / "bridge.yaml")
    config = replace(config, timezone=settings.timezone, visit_gap=settings.visit_gap, rules=settings)
    async with open_site(folder / "data", now) as site:
        live: Live

        def clock() -> float:
            return live.now

        unjudged = Unjudged()
        policy = await asyncio.to_thread(load_policy, config.profile)
        rules = SiteRules(config, policy, site.db, site.ledger, clock)
        attendance = Attendance(site.visits, Bus(), unjudged, rules.visit_gap, lambda _: "high", clock)
        told = (unjudged, lambda _zone: None)
        register = Register(config, site.vault, site.records, site.passes, attendance, *told, clock)
        casebook, evidence = Casebook(site.evidence, rules.book), site.evidence
        live = Live(
            site=site,
            attendance=attendance,
            desk=Desk(register, site.passes, site.partners, evidence),
            signings=Signings(register, evidence, casebook),
            identities=Identities(register, evidence),
            casebook=casebook,
            rules=rules,
            now=now,
        )
        await rules.load()
        for partner in ("acme", "beta"):
            await live.desk.partner_add({"partner": partner, "name": partner})
        yield live
