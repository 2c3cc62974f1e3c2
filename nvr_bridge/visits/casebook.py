"""The store's own days: what it keeps is read as evidence, and judged by the same rules as a scenario file.

Nothing is kept between questions: a verdict follows from the evidence as it is, except where that was erased.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import itemgetter
from typing import Any

from ..models import Visit
from ..store.referrals import ReferralTable, StoredReferral
from ..store.registrations import RegistrationTable, Scan, StoredCheckIn
from ..store.sightings import KnownSighting, SightingTable
from ..store.visits import VisitTable
from .attribution import Judged
from .components import components
from .evidence import CheckIn, Contact, Evidence, PassEvidence, Referral, Settings, SightingEvidence, Withdrawal
from .identity import node_of
from .replay import Day, Replay, replay
from .timeline import local_day

type Key = tuple[str, float]  # whose presence, and when
type Case = dict[str, Any]  # a verdict, JSON-able


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store holds that can decide something, each kind the oldest first."""

    referrals: Sequence[StoredReferral]
    scans: Sequence[Scan]
    check_ins: Sequence[StoredCheckIn]
    sightings: Sequence[KnownSighting]
    visits: Sequence[Visit]


@dataclass(frozen=True, slots=True)
class Body:
    """All evidence in the order in which it arrived, and which of it each visit of the store rests on."""

    events: tuple[Evidence, ...]
    presence: Mapping[str, tuple[Key, ...]]  # by visit


@dataclass(frozen=True, slots=True)
class Compared:
    """A visit of the store under the site's settings, and under others."""

    visit: Visit
    now: Case
    other: Case | None


@dataclass(frozen=True, slots=True)
class Days:
    """Some days of the store, replayed."""

    visits: tuple[Compared, ...]
    compared: bool  # whether they were replayed under other settings too
    erased: int  # visits that were skipped: their evidence is gone
    daily: tuple[Day, ...]
    other_daily: tuple[Day, ...]


class Casebook:
    """Reads the store and judges. Judging runs in a thread."""

    def __init__(
        self,
        visits: VisitTable,
        sightings: SightingTable,
        referrals: ReferralTable,
        registrations: RegistrationTable,
        settings: Settings,
    ) -> None:
        self._visits = visits
        self._sightings = sightings
        self._referrals = referrals
        self._registrations = registrations
        self._settings = settings

    async def verdicts(self, visits: Sequence[Visit]) -> dict[str, Case]:
        """The verdict of each of these visits, by visit: as it was, where the evidence was erased; none where it is lost."""
        evidence = await self._read(self._settings.visit_gap)
        judged = await asyncio.to_thread(judge_some, evidence, {visit.visit_id for visit in visits}, self._settings)
        cases = {visit_id: case(one) for visit_id, one in judged.items()}
        settled = {visit.visit_id: visit.settled for visit in visits if visit.settled is not None}
        return {key: {**was, "evidence_erased": True} for key, was in settled.items()} | cases

    async def to_settle(self, visitor_id: str) -> dict[str, Case]:
        """What is to stay of a visitor whose evidence will be erased: the verdicts of their visits, by visit."""
        evidence = await self._read(self._settings.visit_gap)
        mine = {visit.visit_id for visit in await self._visits.of(visitor_id)}
        return {
            key: case(one) for key, one in (await asyncio.to_thread(judge_some, evidence, mine, self._settings)).items()
        }

    async def replay(self, first: date, last: date, other: Settings | None) -> Days:
        """The visits that began on local days from `first` to `last`, under the site's settings and under `other`."""
        gap = min(self._settings.visit_gap, other.visit_gap) if other else self._settings.visit_gap
        evidence = await self._read(gap)
        wanted = [
            visit for visit in await self._visits.all() if first <= local_day(visit.started_at, self._settings) <= last
        ]
        return await asyncio.to_thread(_days, evidence, wanted, (first, last), self._settings, other)

    async def _read(self, gap: float) -> Body:
        """Everything that the store holds. `gap` is the shortest visit gap that it will be judged with."""
        kept = Kept(
            referrals=await self._referrals.arrived(),
            scans=await self._registrations.scans(),
            check_ins=await self._registrations.check_ins(),
            sightings=await self._sightings.known(),
            visits=await self._visits.all(),
        )
        return await asyncio.to_thread(body, kept, gap, self._settings)


def body(kept: Kept, gap: float, settings: Settings) -> Body:
    """What the store keeps, as evidence."""
    arrived: list[tuple[float, Evidence]] = []
    presence: dict[str, list[Key]] = {}

    def present(visit_id: str | None, event: SightingEvidence | PassEvidence | CheckIn, arrived_at: float) -> None:
        arrived.append((arrived_at, event))
        if visit_id is not None:
            presence.setdefault(visit_id, []).append((node_of(event) or "", event.at))

    for referral in kept.referrals:
        given = Contact(referral.mask, referral.full)
        filed = Referral(referral.declared_at, referral.referral_id, referral.partner, given)
        arrived.append((referral.filed_at, filed))
        if referral.withdrawn_at is not None:
            arrived.append((referral.withdrawn_at, Withdrawal(referral.withdrawn_at, referral.referral_id)))
    for scan in kept.scans:
        present(scan.visit_id, PassEvidence(scan.at, scan.visitor_id), scan.at)
    for row in kept.check_ins:
        given = Contact(row.mask, row.full)
        present(row.visit_id, CheckIn(row.at, given, row.visitor_id, row.source or ""), row.at)
    for sighting in kept.sightings:
        for seen in _seen(sighting, gap):
            present(sighting.visit_id, seen, sighting.at)
    for visit in kept.visits:
        if visit.visitor_id is not None and visit.visit_id not in presence:
            for seen in _going_on(visit, visit.visitor_id, gap, settings):
                present(visit.visit_id, seen, seen.at)
    events = tuple(event for _, event in sorted(arrived, key=itemgetter(0)))
    return Body(events, {visit_id: tuple(keys) for visit_id, keys in presence.items()})


def judge_some(evidence: Body, visit_ids: set[str], settings: Settings) -> dict[str, Judged]:
    """The verdicts of some visits, from that part of the evidence which can concern them."""
    nodes = {node for visit_id in visit_ids for node, _ in evidence.presence.get(visit_id, ())}
    wanted = [
        event
        for part in components(evidence.events)
        if any(node_of(event) in nodes for event in part)
        for event in part
    ]
    return _by_visit(evidence, visit_ids, replay(wanted, settings))


def case(judged: Judged) -> Case:
    """A verdict as it is listed, and kept when its evidence is erased."""
    return {
        "attribution": judged.verdict.attribution,
        "partner": judged.verdict.partner,
        "rule": judged.verdict.rule,
        "risks": [*judged.facts.risks],
        "needs_review": judged.verdict.attribution == "undetermined" or bool(judged.facts.risks),
        "earlier": judged.returning,
    }


# --- helpers ------------------------------------------------------------------------------------------------------


def _days(
    evidence: Body, visits: Sequence[Visit], days: tuple[date, date], settings: Settings, other: Settings | None
) -> Days:
    visit_ids = {visit.visit_id for visit in visits}
    found = replay(evidence.events, settings)
    now = _by_visit(evidence, visit_ids, found)
    # What the site's own clocks and bars made visits of stays comparable only with the site's time zone.
    under = replay(evidence.events, replace(other, timezone=settings.timezone)) if other else None
    then = _by_visit(evidence, visit_ids, under) if under else {}
    compared = tuple(
        Compared(visit, case(now[visit.visit_id]), case(then[visit.visit_id]) if under else None)
        for visit in visits
        if visit.visit_id in now
    )
    return Days(
        visits=compared,
        compared=under is not None,
        erased=len(visits) - len(compared),
        daily=_within(found, days),
        other_daily=_within(under, days) if under else (),
    )


def _within(found: Replay, days: tuple[date, date]) -> tuple[Day, ...]:
    return tuple(day for day in found.daily if days[0] <= day.day <= days[1])


def _by_visit(evidence: Body, visit_ids: Iterable[str], found: Replay) -> dict[str, Judged]:
    """Each visit of the store with the verdict of the visit that its first evidence is part of."""
    at = {(one.node, one.at): judged for judged in found.visits for one in judged.stay.moments}
    firsts = {key: min(evidence.presence[key], key=itemgetter(1)) for key in visit_ids if key in evidence.presence}
    return {visit_id: at[key] for visit_id, key in firsts.items() if key in at}


def _seen(sighting: KnownSighting, gap: float) -> Iterator[SightingEvidence]:
    """A track as presence from its beginning to its end, close enough together to be one visit."""
    for at in _between(sighting.started_at, sighting.at, gap):
        yield SightingEvidence(at, sighting.visitor_id, sighting.score, sighting.margin, zone=sighting.zone_id)


def _going_on(visit: Visit, visitor_id: str, gap: float, settings: Settings) -> list[SightingEvidence]:
    """A visit of somebody recognised whose track has not ended: at the bar, for what it reached is not kept yet."""
    return [
        SightingEvidence(at, visitor_id, settings.match_score, settings.match_margin, zone=visit.zone_id)
        for at in _between(visit.started_at, visit.last_at, gap)
    ]


def _between(first: float, last: float, gap: float) -> Iterator[float]:
    yield first
    steps = int((last - first) // (gap / 2))
    yield from (first + step * gap / 2 for step in range(1, steps + 1) if first + step * gap / 2 < last)
    if last > first:
        yield last
