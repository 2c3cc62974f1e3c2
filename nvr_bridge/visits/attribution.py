"""The verdict of each visit of each person, with what it rests on. Pure; times in seconds since the epoch.

`judge` takes a whole body of evidence, in any order, and keeps nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

from .doubt import Doubt, What, settlements
from .evidence import Contact, Evidence, Review, Rules
from .risks import Facts, facts
from .rules import Case, Decision, History, Outcome, Past, Rule, Tie, decide
from .ties import World
from .timeline import Stay, doubtful_gaps, stays

FLIPS = 3  # doubtful gaps of one person that are tried in all combinations
ALONE = 8  # and each alone; of more, every second one and all together, so that the cost stays linear
_WHICH_SETTINGS = Doubt("settings")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whose visit it is, and by which rule."""

    rule: Rule
    attribution: str
    partner: str | None = None

    @property
    def answer(self) -> tuple[str, str | None]:
        """What money depends on."""
        return (self.attribution, self.partner)


@dataclass(frozen=True, slots=True)
class Judged:
    """A visit, its verdict, and what that rests on."""

    person: int
    name: str
    stay: Stay
    verdict: Verdict
    computed: Verdict  # by the rules, whatever a reviewer said
    facts: Facts
    referral: str | None = None  # the claim that won
    partners: tuple[str, ...] = ()  # between whom it stands
    ambiguous: bool = False  # it cannot be told whose visit it is
    doubts: tuple[Doubt, ...] = ()
    returning: int = 0
    last: tuple[float, Verdict] | None = None  # the visit before: its start and verdict
    review: Review | None = None
    reviewed_at: int = -1  # the review's place in the order of arrival
    possible: tuple[Outcome | None, ...] = ()
    ties: tuple[Tie, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A person's visits, and beside them those that may be theirs: what a further visit would be judged with."""

    visits: tuple[Judged, ...]
    pasts: tuple[Past, ...]


def judge(events: Sequence[Evidence], rules: Rules) -> tuple[World, list[Record]]:
    """The record of every person, in the order of `world.people.persons`."""
    world = World(events, rules)
    records = [_record(person, world) for person in range(len(world.people.persons))]
    if world.people.doubtful:
        for overlaps in (True, False):
            other = World(events, rules, overlaps)
            visits = [visit for person in range(len(other.people.persons)) for visit in _record(person, other).visits]
            records = [replace(one, visits=_compared(one.visits, visits, "overlap")) for one in records]
    return world, records


def standing(person: int, stay: Stay, record: Record, world: World) -> Judged:
    """What a visit of this person would be given if there were one."""
    history = History()
    for past in record.pasts[: bisect_left(record.pasts, stay.start, key=lambda past: past.start)]:
        history.add(past)
    return _visit(person, stay, history, world, before=None)


# --- helpers ------------------------------------------------------------------------------------------------------


def _record(person: int, world: World) -> Record:
    record = _timeline(person, world.stays[person], world)
    moments = world.people.persons[person].moments
    doubtful = doubtful_gaps(moments, world.rules)
    for flipped in _flips([*doubtful]):
        settled = {index: opens != (index in flipped) for index, opens in doubtful.items()}
        other = _timeline(person, stays(moments, world.rules, settled), world)
        record = replace(record, visits=_compared(record.visits, other.visits, "visit_gap"))
    return record


def _flips(gaps: Sequence[int]) -> Iterator[frozenset[int]]:
    """Ways to settle which gaps end a visit, other than the one that the clocks show."""
    if len(gaps) <= FLIPS:
        sizes = range(1, len(gaps) + 1)
        return (frozenset(some) for some in chain.from_iterable(combinations(gaps, size) for size in sizes))
    alone = (frozenset({gap}) for gap in gaps[: ALONE if len(gaps) <= ALONE else 0])
    return chain(alone, [frozenset(gaps[::2]), frozenset(gaps[1::2]), frozenset(gaps)])


def _compared(visits: Sequence[Judged], others: Sequence[Judged], what: What) -> tuple[Judged, ...]:
    """Visits, undetermined where another way to settle a doubt gives one of their presences another verdict."""
    answers: dict[object, tuple[str, str | None]] = {
        one: other.verdict.answer for other in others for one in other.stay.moments if one.certain
    }
    found = []
    for visit in visits:
        differs = any(answers.get(one, visit.verdict.answer) != visit.verdict.answer for one in visit.stay.moments)
        if differs and visit.review is None:
            undetermined = Verdict("undetermined", "undetermined")
            doubts = (*visit.doubts, Doubt(what))
            visit = replace(visit, verdict=undetermined, computed=undetermined, doubts=doubts)  # noqa: PLW2901
        found.append(visit)
    return tuple(found)


def _timeline(person: int, own: Sequence[Stay], world: World) -> Record:
    """Judge visits one after the other, each with those before it as its history."""
    history = History()
    found: list[Judged] = []
    reviews = world.reviewed(person, own)
    given: list[tuple[Contact, float]] = []  # contacts given so far, and how long their evidence lasts
    certain = 0
    last: tuple[float, Verdict] | None = None
    guests = world.guests.get(person, [])
    entries = sorted(
        [(stay.start, 0, index, stay) for index, stay in enumerate(own)]
        + [(stay.start, 1, index, stay) for index, stay in enumerate(guests)],
        key=lambda entry: entry[:3],
    )
    for _, guest, index, stay in entries:
        if guest:
            possible = _visit(person, stay, history, world, before=None).possible
            history.add(Past(stay.start, stay.error, _unique((None, *possible)), stay.erased_at, index + 1))
            continue
        before = next((contact for contact, lasts in reversed(given) if lasts >= stay.start), None)
        visit = _visit(person, stay, history, world, before)
        if index in reviews:
            visit = _reviewed(visit, *reviews[index])
        visit = replace(visit, returning=certain, last=last)
        found.append(visit)
        given += [(one.contact, one.lasts) for one in stay.moments if one.contact is not None]
        if stay.certain or visit.review is not None:
            certain += 1
            last = (stay.start, visit.verdict)
            history.add(Past(stay.start, stay.error, visit.possible, stay.erased_at))
    return Record(tuple(found), tuple(history.visits))


def _visit(person: int, stay: Stay, history: History, world: World, before: Contact | None) -> Judged:
    """One visit by the rules."""
    case = Case(stay, world.ties(person, stay), history, tuple(world.staff.get(person, ())))
    possible = world.rules.around(stay.start, stay.error)
    settled = settlements(lambda settle: decide(case, possible[settle.pick(_WHICH_SETTINGS, len(possible))], settle))
    plain = settled.results[0]
    ambiguous = world.ambiguous(person, stay)
    answers = {(one.attribution, one.partner) for one in settled.results}
    sure = settled.complete and len(answers) == 1 and stay.certain
    if plain.rule != "staff":
        sure = sure and not ambiguous
    verdict = Verdict(plain.rule, plain.attribution, plain.partner) if sure else Verdict("undetermined", "undetermined")
    known = facts(case, possible[0], before)
    outcomes = _outcomes(settled.results) if settled.complete else _anything(case)
    return Judged(
        person,
        world.people.persons[person].name,
        stay,
        verdict,
        verdict,
        Facts() if verdict.rule == "staff" else known,
        referral=plain.referral if sure else None,
        partners=plain.partners if sure else (),
        ambiguous=ambiguous,
        doubts=settled.doubts if stay.certain else (),
        possible=_unique((*outcomes, None)) if ambiguous else outcomes,
        ties=case.ties,
    )


def _reviewed(visit: Judged, place: int, review: Review) -> Judged:
    """The visit with the verdict that a person set. The rules' own is kept beside it."""
    verdict = Verdict("review", review.attribution, review.partner)
    known: tuple[Outcome | None, ...] = (
        Outcome(review.attribution, review.partner, grants=review.attribution == "channel"),
    )
    if review.attribution == "undetermined":
        partners = sorted({tie.claim.partner for tie in visit.ties})
        open_to = [Outcome("channel", partner, grants=True) for partner in partners]
        known = _unique((*visit.possible, Outcome("natural"), *open_to))
    return replace(visit, verdict=verdict, review=review, reviewed_at=place, possible=known)


def _outcomes(results: Sequence[Decision]) -> tuple[Outcome, ...]:
    return tuple(dict.fromkeys(outcome for one in results for outcome in one.outcomes))


def _anything(case: Case) -> tuple[Outcome, ...]:
    """All that a visit with too many doubts may have come to."""
    partners = {tie.claim.partner for tie in case.ties}
    earlier = {outcome.partner for past in case.history.grants for outcome in past.outcomes if outcome}
    named = sorted(partners | {partner for partner in earlier if partner is not None})
    channel = [Outcome("channel", partner, grants) for partner in named for grants in (True, False)]
    return (Outcome("natural"), *channel, *((Outcome("staff"),) if case.staff else ()))


def _unique(outcomes: Sequence[Outcome | None]) -> tuple[Outcome | None, ...]:
    return tuple(dict.fromkeys(outcomes))
