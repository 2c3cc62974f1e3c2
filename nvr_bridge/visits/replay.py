"""Replaying evidence: every visit, signing and day, from nothing but events and settings. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from .attribution import Judged, Record, judge
from .components import components
from .evidence import Evidence, Review, Rules
from .risks import in_order
from .signings import JudgedSigning, signings
from .ties import World
from .timeline import covering, local_day


@dataclass(frozen=True, slots=True)
class Day:
    """How many visits a day had, by what they came to; a visit belongs to the local day on which it started."""

    day: date
    unregistered: int
    natural: int
    channel: int
    undetermined: int


@dataclass(frozen=True, slots=True)
class Replay:
    """What the evidence comes to, in time order."""

    visits: tuple[Judged, ...]
    signings: tuple[JudgedSigning, ...]
    daily: tuple[Day, ...]
    unplaced: tuple[Review, ...]  # reviews of visits that there are not


def replay(events: Sequence[Evidence], rules: Rules) -> Replay:
    """Judge all evidence. The order of `events` is the order in which they arrived, and matters to reviews alone."""
    return replay_parts(components(events), rules)


def replay_parts(parts: Iterable[Sequence[Evidence]], rules: Rules) -> Replay:
    """The same of evidence that lies in parts which have nothing to do with each other."""
    visits: list[Judged] = []
    signed: list[JudgedSigning] = []
    unplaced: list[Review] = []
    for part in parts:
        world, judged = judge(part, rules)
        records = [_settled(record, part, rules) for record in judged]
        visits += (visit for record in records for visit in record.visits)
        signed += signings(part, world, records)
        unplaced += _unplaced(part, world)
    visits.sort(key=lambda visit: (visit.stay.start, visit.name, visit.stay.end))
    signed.sort(key=lambda one: (one.signing.at, one.signing.signing))
    return Replay(tuple(visits), tuple(signed), tuple(_daily(visits, rules)), tuple(unplaced))


# --- helpers ------------------------------------------------------------------------------------------------------


def _settled(record: Record, events: Sequence[Evidence], rules: Rules) -> Record:
    """The record with what was settled earlier kept as it was, and with reviews that later evidence contradicts marked."""
    if all(visit.review is None and visit.stay.erased_at == float("inf") for visit in record.visits):
        return record
    found = []
    for visit in record.visits:
        if visit.stay.erased_at < float("inf"):
            visit = _as_it_was(visit, events, rules)  # noqa: PLW2901
        if visit.review is not None and _changed(visit, events, rules):
            risks = in_order({*visit.facts.risks, "evidence_changed"})
            visit = replace(visit, facts=replace(visit.facts, risks=risks))  # noqa: PLW2901
        found.append(visit)
    return replace(record, visits=tuple(found))


def _as_it_was(visit: Judged, events: Sequence[Evidence], rules: Rules) -> Judged:
    """The visit as it stood when its evidence was erased: what came later cannot change it."""
    known = [event for event in events if event.at <= visit.stay.erased_at]
    if len(known) == len(events):
        return visit
    before = _found(visit.stay.moments[0].node, visit.stay.start, known, rules)
    if before is None:
        return visit
    return replace(before, person=visit.person, name=visit.name, reviewed_at=visit.reviewed_at)


def _changed(visit: Judged, events: Sequence[Evidence], rules: Rules) -> bool:
    """Whether what arrived after the review gives the visit another verdict, or other risks, than the reviewer saw."""
    if visit.review is None or visit.reviewed_at >= len(events) - 1:
        return False
    known = events[: visit.reviewed_at]
    before = _found(visit.review.visitor, visit.review.visit_at, known, rules)
    return before is None or (before.computed, before.facts.risks) != (visit.computed, visit.facts.risks)


def _found(node: str, at: float, events: Sequence[Evidence], rules: Rules) -> Judged | None:
    world, records = judge(events, rules)
    person = world.people.of.get(node)
    if person is None:
        return None
    index = covering(world.stays[person], at, rules)
    return None if index is None else records[person].visits[index]


def _unplaced(events: Sequence[Evidence], world: World) -> Iterator[Review]:
    for event in events:
        if isinstance(event, Review):
            person = world.people.of.get(event.visitor)
            if person is None or covering(world.stays[person], event.visit_at, world.rules) is None:
                yield event


def _daily(visits: Sequence[Judged], rules: Rules) -> Iterator[Day]:
    counts: dict[date, Counter[str]] = {}
    for visit in visits:
        count = counts.setdefault(local_day(visit.stay.start, rules), Counter())
        count[visit.verdict.attribution] += 1
        count["unregistered"] += "unregistered_visit" in visit.facts.risks
    for day, count in sorted(counts.items()):
        yield Day(day, count["unregistered"], count["natural"], count["channel"], count["undetermined"])
