"""A store that is told of people by name, at the times that a test says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from store_site import Site

from nvr_bridge.models import CaseState, Known, ReviewAct, Sighting, Visit
from nvr_bridge.store.cases import NewReview
from nvr_bridge.store.corrections import Kind
from nvr_bridge.store.referrals import Filing
from nvr_bridge.store.signings import NewSigning
from nvr_bridge.visits.evidence import Settings, contact
from nvr_bridge.visits.evidence import document as hashed

ZONE = ZoneInfo("Asia/Shanghai")
RULES = Settings(timezone=ZONE, clock_error=2.0)
KEY = b"a site's"
ANSWER = ("attribution", "partner", "rule", "risks")
DAY = datetime(2026, 3, 2, tzinfo=ZONE)


def at(clock: str, day: int = 0) -> float:
    """A time of day on the first day, or so many days later."""
    hour, minute = clock.split(":")
    return (DAY + timedelta(days=day, hours=int(hour), minutes=int(minute))).timestamp()


class Store:
    """A store that is told of people by name, at the times that a test says."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.casebook = site.casebook(RULES)
        self.visitors: dict[str, str] = {}
        self.open: dict[str, Visit] = {}

    async def pass_for(self, name: str) -> None:
        """Somebody new gets a pass."""
        code, _ = await self.site.passes.issue(at("0:00"))
        self.visitors[name] = await self.site.passes.holder(code)

    async def face_of(self, name: str) -> None:
        """Somebody new agrees to be recognised."""
        granted = await self.site.grant(len(self.visitors) + 1)
        self.visitors[name] = granted.consent.visitor_id

    async def scan(self, name: str, when: float) -> Visit:
        visitor_id = self.visitors[name]
        return await self._attend(visitor_id, None, when, self.site.registrations.scan(visitor_id, "desk", when))

    async def check_in(self, name: str | None, number: str, when: float) -> Visit:
        given = contact(number, KEY)
        visitor_id = self.visitors[name] if name else None
        assert given.full
        also = self.site.registrations.check_in(visitor_id, given.full, given.mask, None, "desk", when)
        return await self._attend(visitor_id, given.full, when, also)

    async def seen(self, name: str, when: float, seconds: float = 9.0, score: float = 0.6) -> Visit:
        visitor_id = self.visitors[name]
        visit = await self._attend(visitor_id, None, when + 1, None)
        who = Known(visitor_id, score, 0.2)
        sighting = Sighting("lane-1", "lane", 1, when, when + seconds, who, when + seconds)
        await self.site.sightings.add(sighting, visit.visit_id)
        return visit

    async def sign(
        self, name: str | None, when: float, document: str | None = None, number: str | None = None, *others: str
    ) -> str:
        """A contract is signed, by so many others too → its id."""
        given = contact(number, KEY) if number else None
        paper = document and hashed(document, KEY)
        visitor_id = self.visitors[name] if name else None
        co_signers = tuple(self.visitors[other] for other in others)
        new = NewSigning("desk", when, visitor_id, paper, given and given.full, given and given.mask, co_signers)
        signing_id, also = self.site.signings.sign(new)
        await self._attend(visitor_id, paper or (given and given.full), when, also)
        return signing_id

    async def correct(self, kind: Kind, *names: str, when: float) -> None:
        await self.site.corrections.correct(kind, [self.visitors[name] for name in names], when)

    async def review(self, visit_id: str, attribution: str, partner: str | None, when: float) -> None:
        """A person sets the verdict of a visit."""
        new = NewReview(ReviewAct.CHANGE, CaseState.CHANGED, when, attribution, partner, token_id="t")
        case = (await self.site.cases.of([visit_id]))[visit_id]
        async with self.site.db.write() as session:
            await self.site.cases.review(session, case.case_id, lambda *_: new)

    async def signed(self) -> dict[str, tuple[Any, ...]]:
        """(attribution, partner, rule, risks) of each signing."""
        found = await self.casebook.signed(await self.site.signings.all())
        return {key: tuple(row[name] for name in ANSWER) for key, row in found.items()}

    async def refer(self, partner: str, number: str, when: float) -> str:
        given = contact(number, KEY)
        filing = Filing(partner, given.full, given.mask)
        return (await self.site.referrals.file(filing, when)).referral_id

    async def cases(self) -> list[tuple[Any, ...]]:
        """(attribution, partner, rule, risks) of each visit, the oldest first."""
        visits = await self.site.visits.all()
        found = await self.casebook.verdicts(visits)
        rows = [found.get(visit.visit_id, {}) for visit in visits]
        return [tuple(row.get(key) for key in ANSWER) for row in rows]

    async def _attend(self, visitor_id: str | None, contact: str | None, when: float, also: Any) -> Visit:
        who = visitor_id or contact or ""
        if who in self.open and when - self.open[who].last_at <= RULES.visit_gap:
            visit = await self.site.visits.extend(self.open[who].visit_id, when, also)
        else:
            visit, _ = await self.site.visits.begin(
                visitor_id, "desk", when, names=(contact,) if contact else (), also=also
            )
        self.open[who] = visit
        return visit
