"""The store's own days: what it keeps is read as evidence, and judged by the same rules as a scenario file.

Nothing is kept between questions: a verdict follows from the evidence as it is, except where that was erased.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any

from ..models import Visit
from ..store.cases import CaseTable
from ..store.corrections import CorrectionTable
from ..store.reach import Reach
from ..store.referrals import ReferralTable
from ..store.registrations import RegistrationTable
from ..store.settled import Settled
from ..store.sightings import SightingTable
from ..store.signings import SigningTable, StoredSigning
from ..store.staff import StaffTable
from ..store.visits import VisitTable
from .attribution import Judged
from .components import components
from .evidence import Evidence, Referral, Rules, Settings, Withdrawal
from .explain import Json, explanation
from .identity import node_of
from .kept import Body, Gone, Kept, body, lapsed, without
from .replay import Day, Replay, replay, replay_parts
from .signings import JudgedSigning
from .timeline import local_day
from .uncollected import Uncollected
from .unjudged import Batch

type Case = dict[str, Any]  # a verdict, JSON-able

MANY = 2000  # visits: for more of them it may be cheaper to read the whole store than to look for what can concern them
SHARE = 5  # of all visits, one in so many, from which on it is


@dataclass(frozen=True, slots=True)
class Tables:
    """Where the evidence is kept."""

    visits: VisitTable
    sightings: SightingTable
    referrals: ReferralTable
    registrations: RegistrationTable
    signings: SigningTable
    staff: StaffTable
    corrections: CorrectionTable
    reach: Reach
    cases: CaseTable


@dataclass(frozen=True, slots=True)
class Cases:
    """Verdicts, by visit and by signing."""

    visits: dict[str, Case]
    signings: dict[str, Case]


@dataclass(frozen=True, slots=True)
class Concerned:
    """The visits that a change of evidence may concern, their verdicts, and those of the signings in them, by visit."""

    visits: tuple[Visit, ...]
    cases: Mapping[str, Case]
    signings: Mapping[str, Sequence[Case]]
    nobodys: frozenset[str]  # visits of people who withdrew


@dataclass(frozen=True, slots=True)
class Compared[T]:
    """A visit or signing of the store under the site's settings, and under others."""

    what: T
    now: Case
    other: Case | None


@dataclass(frozen=True, slots=True)
class Days:
    """Some days of the store, replayed."""

    visits: tuple[Compared[Visit], ...]
    signings: tuple[Compared[StoredSigning], ...]
    compared: bool  # whether they were replayed under other settings too
    erased: int  # visits that were skipped: their evidence is gone
    daily: tuple[Day, ...]
    other_daily: tuple[Day, ...]


class Casebook:
    """Reads the store and judges. Judging runs in a thread."""

    def __init__(self, tables: Tables, rules: Callable[[], Rules]) -> None:
        self._tables = tables
        self.rules = rules  # as they are when a question is asked
        self._uncollected = Uncollected()

    async def verdicts(self, visits: Sequence[Visit]) -> dict[str, Case]:
        """The verdict of each of these visits, by visit: as it was, where the evidence was erased; none where it is lost."""
        visit_ids = {visit.visit_id for visit in visits}
        with self._uncollected:
            kept = await self._around(visits=visit_ids)
            judged = await asyncio.to_thread(judge_some, kept, visit_ids, self.rules())
        return judged.visits | {visit.visit_id: as_it_was(visit.settled) for visit in visits if visit.settled}

    async def concerned(self, batch: Batch) -> Concerned:
        """What every visit comes to whose verdict the evidence of `batch` may have changed."""
        with self._uncollected:
            kept = await self._around(batch.visits, batch.visitors, batch.referrals)
            return await asyncio.to_thread(concerned, kept, batch, self.rules())

    async def judged(self, visit: Visit) -> Judged | None:
        """A visit's verdict with all that it rests on; None where evidence was erased."""
        if visit.settled is not None:
            return None
        kept = await self._around(visits=[visit.visit_id])
        return await asyncio.to_thread(_judged, kept, visit.visit_id, self.rules())

    async def explanation(self, visit: Visit) -> dict[str, Json] | None:
        """What a visit's verdict rests on, JSON-able; None where evidence was erased."""
        judged = await self.judged(visit)
        return None if judged is None else explanation(judged, self.rules())

    async def settings_of(self, visit: Visit) -> Settings:
        """The settings that a visit is judged under."""
        judged = await self.judged(visit)
        return self.rules().at(visit.started_at if judged is None else judged.stay.start)

    async def signed(self, signings: Sequence[StoredSigning]) -> dict[str, Case]:
        """The verdict of each of these signings, by signing: as it was, where the evidence was erased."""
        visit_ids = {signing.visit_id for signing in signings}
        kept = await self._around(visits=visit_ids)
        judged = await asyncio.to_thread(judge_some, kept, visit_ids, self.rules())
        return judged.signings | {one.signing_id: as_it_was(one.settled) for one in signings if one.settled}

    async def to_settle(self, visitor_id: str) -> Settled:
        """What is to stay of a visitor whose evidence will be erased: every verdict that rests on it."""
        kept = await self._around(visitors=[visitor_id])
        alone = await self._tables.visits.told_alone(visitor_id)
        visit_ids = {visit.visit_id for visit in kept.visits}
        then, rules = without(kept, visitor_id, alone), self.rules()
        return await asyncio.to_thread(_to_settle, kept, then, visit_ids, rules)

    async def to_settle_lapsed(self, find: Callable[[Kept], Gone]) -> Settled:
        """What is to stay once retention has removed what `find` finds: every verdict that rests on it, its own apart."""
        with self._uncollected:
            return await asyncio.to_thread(_to_settle_lapsed, await self._read(), find, self.rules())

    async def replay(self, first: date, last: date, other: Rules | None) -> Days:
        """The visits that began on local days from `first` to `last`, and the signings of those days.

        Under the site's settings and under `other`.
        """
        with self._uncollected:
            return await asyncio.to_thread(_days, await self._read(), (first, last), self.rules(), other)

    async def _around(
        self, visits: Collection[str] = (), visitors: Collection[str] = (), referrals: Collection[str] = ()
    ) -> Kept:
        """What the store holds that can concern any of these. Of many it is quicker to read everything."""
        if len(visits) > MANY and len(visits) * SHARE > await self._tables.visits.count():
            return await self._read()
        found = await self._tables.reach.around(visits=visits, visitors=visitors, referrals=referrals)
        return Kept(
            referrals=found.referrals,
            scans=found.scans,
            check_ins=found.check_ins,
            signings=found.signings,
            sightings=found.sightings,
            marks=found.marks,
            corrections=found.corrections,
            visits=found.visits,
            decisions=found.decisions,
        )

    async def _read(self) -> Kept:
        """Everything that the store holds."""
        tables = self._tables
        return Kept(
            referrals=await tables.referrals.arrived(),
            scans=await tables.registrations.scans(),
            check_ins=await tables.registrations.check_ins(),
            signings=await tables.signings.all(),
            sightings=await tables.sightings.known(),
            marks=await tables.staff.all(),
            corrections=await tables.corrections.all(),
            visits=await tables.visits.all(),
            decisions=await tables.cases.decisions(),
        )


def judge_some(kept: Kept, visit_ids: set[str], rules: Rules) -> Cases:
    """The verdicts of some visits and of their signings, from that part of the evidence which can concern them."""
    evidence = body(kept, rules)
    found = judge_around(evidence, _nodes(evidence, visit_ids), (), rules)
    visits = {key: case(one) for key, one in _by_visit(evidence, visit_ids, found).items()}
    signings = {one.signing.signing: signing_case(one) for one in found.signings}
    theirs = {row.signing_id for row in kept.signings if row.visit_id in visit_ids}
    return Cases(visits, {key: one for key, one in signings.items() if key in theirs})


def concerned(kept: Kept, batch: Batch, rules: Rules) -> Concerned:
    """What every visit comes to that the evidence of `batch` can concern."""
    evidence = body(kept, rules)
    found = judge_around(evidence, _nodes(evidence, batch.visits) | batch.visitors, batch.referrals, rules)
    cases = {key: case(one) for key, one in _by_visit(evidence, evidence.presence, found).items()}
    wanted = cases.keys() | batch.visits
    visits = tuple(visit for visit in kept.visits if visit.visit_id in wanted)
    cases |= {visit.visit_id: as_it_was(visit.settled) for visit in visits if visit.settled is not None}
    signed = {one.signing.signing: signing_case(one) for one in found.signings}
    signings: dict[str, list[Case]] = {}
    for row in kept.signings:
        signing = as_it_was(row.settled) if row.settled is not None else signed.get(row.signing_id)
        if signing is not None:
            signings.setdefault(row.visit_id, []).append(signing)
    nobodys = (one.visit_id for one in visits if one.visitor_id is None and one.visit_id not in evidence.presence)
    return Concerned(visits, cases, signings, frozenset(nobodys))


def judge_around(evidence: Body, nodes: set[str], referrals: Collection[str], rules: Rules) -> Replay:
    """All that the evidence comes to which can concern these people or referrals."""
    concerned = (
        part
        for part in components(evidence.events)
        if any(
            node_of(event) in nodes or (isinstance(event, Referral) and event.referral in referrals) for event in part
        )
    )
    return replay_parts(concerned, rules)


def case(judged: Judged) -> Case:
    """A verdict as it is listed, and kept when its evidence is erased."""
    verdict = judged.verdict
    return {
        **_answer(verdict.attribution, verdict.partner, verdict.rule, judged.facts.risks),
        "earlier": judged.returning,
    }


def signing_case(judged: JudgedSigning) -> Case:
    """A signing's verdict as it is listed, and kept when its evidence is erased."""
    return _answer(judged.verdict.attribution, judged.verdict.partner, judged.verdict.rule, judged.risks)


def as_it_was(settled: Case) -> Case:
    """A verdict whose evidence was erased, as it is listed."""
    return {**settled, "evidence_erased": True}


# --- helpers ------------------------------------------------------------------------------------------------------


def _answer(attribution: str, partner: str | None, rule: str, risks: Sequence[str]) -> Case:
    return {
        "attribution": attribution,
        "partner": partner,
        "rule": rule,
        "risks": [*risks],
        "needs_review": attribution == "undetermined" or bool(risks),
    }


def _to_settle_lapsed(kept: Kept, find: Callable[[Kept], Gone], rules: Rules) -> Settled:
    gone = find(kept)
    if not gone:
        return Settled()
    evidence = body(kept, rules)
    nodes = {node for visit_id in gone.visits for node, _ in evidence.presence.get(visit_id, ())} | gone.sighted
    touched: set[str | None] = set()
    for part in components(evidence.events):
        if any(node_of(one) in nodes or _claim(one) in gone.referrals for one in part):
            touched |= {node_of(one) for one in part}
    concerned = {key for key, keys in evidence.presence.items() if any(node in touched for node, _ in keys)}
    return _to_settle(kept, lapsed(kept, gone), concerned - gone.visits, rules)


def _claim(event: Evidence) -> str | None:
    return event.referral if isinstance(event, Referral | Withdrawal) else None


def _to_settle(kept: Kept, then: Kept, visit_ids: set[str], rules: Rules) -> Settled:
    """The verdicts that are other ones, or none, once only `then` is kept."""
    before = judge_some(kept, visit_ids, rules)
    after = judge_some(then, visit_ids, rules)
    settled = {visit.visit_id for visit in kept.visits if visit.settled is not None}
    settled |= {signing.signing_id for signing in kept.signings if signing.settled is not None}
    return Settled(
        {
            key: was
            for key, was in before.visits.items()
            if key not in settled and _told(after.visits.get(key)) != _told(was)
        },
        {key: was for key, was in before.signings.items() if key not in settled and after.signings.get(key) != was},
    )


def _nodes(evidence: Body, visit_ids: Iterable[str]) -> set[str]:
    return {node for visit_id in visit_ids for node, _ in evidence.presence.get(visit_id, ())}


def _judged(kept: Kept, visit_id: str, rules: Rules) -> Judged | None:
    evidence = body(kept, rules)
    found = judge_around(evidence, _nodes(evidence, [visit_id]), (), rules)
    return _by_visit(evidence, [visit_id], found).get(visit_id)


def _told(was: Case | None) -> Case | None:
    return was and {key: value for key, value in was.items() if key != "earlier"}


def _days(kept: Kept, days: tuple[date, date], rules: Rules, other: Rules | None) -> Days:
    visits = [one for one in kept.visits if _on(days, one.started_at, rules)]
    signings = [one for one in kept.signings if _on(days, one.at, rules)]
    evidence = body(kept, rules, *((other,) if other else ()))
    found = replay(evidence.events, rules)
    under = replay(evidence.events, other) if other else None
    now, then = _cases(evidence, visits, found), _cases(evidence, visits, under) if under else None
    compared = tuple(
        Compared(visit, now.visits[visit.visit_id], then.visits[visit.visit_id] if then else None)
        for visit in visits
        if visit.visit_id in now.visits and visit.settled is None
    )
    signed = tuple(
        Compared(one, now.signings[one.signing_id], then.signings[one.signing_id] if then else None)
        for one in signings
        if one.signing_id in now.signings and one.settled is None
    )
    return Days(
        visits=compared,
        signings=signed,
        compared=under is not None,
        erased=len(visits) - len(compared),
        daily=_within(found, days),
        other_daily=_within(under, days) if under else (),
    )


def _on(days: tuple[date, date], at: float, rules: Rules) -> bool:
    return days[0] <= local_day(at, rules) <= days[1]


def _within(found: Replay, days: tuple[date, date]) -> tuple[Day, ...]:
    return tuple(day for day in found.daily if days[0] <= day.day <= days[1])


def _cases(evidence: Body, visits: Sequence[Visit], found: Replay) -> Cases:
    judged = _by_visit(evidence, [visit.visit_id for visit in visits], found)
    signings = {one.signing.signing: signing_case(one) for one in found.signings}
    return Cases({key: case(one) for key, one in judged.items()}, signings)


def _by_visit(evidence: Body, visit_ids: Iterable[str], found: Replay) -> dict[str, Judged]:
    """Each visit of the store with the verdict of the visit that its first evidence is part of."""
    at = {(one.node, one.at): judged for judged in found.visits for one in judged.stay.moments}
    firsts = {key: min(evidence.presence[key], key=itemgetter(1)) for key in visit_ids if key in evidence.presence}
    return {visit_id: at[key] for visit_id, key in firsts.items() if key in at}
