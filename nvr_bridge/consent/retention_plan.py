"""What retention is due to remove, and when something is due next. Pure: facts, limits and a time in, a plan out.

What is a visitor's counts from their last visit, so that it goes together and no verdict is judged on half of its
evidence; what is nobody's counts from when it was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..models import RetentionClass
from .retention import Limits

# What nobody's rows are counted by, one row at a time.
BY_AGE = (RetentionClass.SIGHTINGS, RetentionClass.VISITS, RetentionClass.REFERRALS, RetentionClass.EVENTS)


@dataclass(frozen=True, slots=True)
class Holder:
    """What is kept of one visitor, as far as a plan needs it. Times; None where there is nothing of the kind."""

    visitor_id: str
    agreed_at: float | None = None  # the latest consent
    issued_at: float | None = None  # the latest pass
    visited_at: float | None = None  # the end, so far, of the latest visit
    sighted_at: float | None = None  # the latest sighting


@dataclass(frozen=True, slots=True)
class Plan:
    """What is due now."""

    erase: tuple[str, ...]  # visitors of whom nothing is to be kept
    templates: tuple[str, ...]  # visitors whose templates and consents go; something else of theirs stays
    sightings: tuple[str, ...]  # visitors whose sightings go
    visits: tuple[str, ...]  # visitors whose visits go, with passes and check-ins
    before: Mapping[RetentionClass, float]  # what is nobody's and from before this goes
    aged: frozenset[RetentionClass]  # of which there is something that is nobody's and goes
    next: Mapping[RetentionClass, float | None]  # when something that stays now is due; None: nothing is kept

    @property
    def empty(self) -> bool:
        """Whether nothing is due."""
        return not (self.erase or self.templates or self.sightings or self.visits or self.aged)


def plan(now: float, holders: Iterable[Holder], oldest: Mapping[RetentionClass, float | None], limits: Limits) -> Plan:
    """`oldest` is when the oldest of nobody's rows of each class was made."""
    due: dict[str, list[str]] = {"erase": [], "templates": [], "sightings": [], "visits": []}
    next_due: dict[RetentionClass, float | None] = dict.fromkeys(RetentionClass)

    def wait(kind: RetentionClass, until: float) -> None:
        soonest = next_due[kind]
        next_due[kind] = until if soonest is None else min(soonest, until)

    for holder in holders:
        ends = _ends(holder, limits)
        kept = {kind: end for kind, end in ends.items() if end > now}
        if not kept.keys() - {RetentionClass.SIGHTINGS}:
            due["erase"].append(holder.visitor_id)
            continue
        for kind in ends.keys() - kept.keys():
            due[kind.value].append(holder.visitor_id)
        for kind, end in kept.items():
            wait(kind, end)
    before = {kind: now - limits[kind].seconds for kind in BY_AGE}
    made = {kind: at for kind in BY_AGE if (at := oldest.get(kind)) is not None}
    for kind, at in made.items():
        wait(kind, max(now, at + limits[kind].seconds))
    return Plan(
        **{key: tuple(ids) for key, ids in due.items()},
        before=before,
        aged=frozenset(kind for kind, at in made.items() if at < before[kind]),
        next=next_due,
    )


def _ends(holder: Holder, limits: Limits) -> dict[RetentionClass, float]:
    """When each class of what is kept of a visitor ends."""
    since = {
        RetentionClass.TEMPLATES: _latest(holder.agreed_at, holder.visited_at)
        if holder.agreed_at is not None
        else None,
        RetentionClass.VISITS: _latest(holder.issued_at, holder.visited_at),
        RetentionClass.SIGHTINGS: _latest(holder.sighted_at, holder.visited_at)
        if holder.sighted_at is not None
        else None,
    }
    return {kind: at + limits[kind].seconds for kind, at in since.items() if at is not None}


def _latest(*times: float | None) -> float | None:
    return max((time for time in times if time is not None), default=None)
