"""From presence to visits: what opens one, what extends it, and how sure that is. Pure; times in seconds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .evidence import CheckIn, Contact, PassEvidence, Presence, Rules, SightingEvidence, Signing

_NONE: Mapping[int, bool] = {}


@dataclass(frozen=True, slots=True)
class Moment:
    """One presence of one person. `node` is the visitor id, or what stands for it."""

    at: float
    error: float
    node: str
    kind: str  # "sighting", "pass", "check_in" or "signing"
    certain: bool = True  # False for a sighting below the match bar
    contact: Contact | None = None
    proven: bool = False  # by a clear template match or by a document
    lasts: float = float("inf")  # when the evidence was erased
    score: float | None = None
    margin: float | None = None

    @property
    def registers(self) -> bool:
        """Whether somebody at the site took note of the person."""
        return self.kind != "sighting"


@dataclass(frozen=True, slots=True)
class Stay:
    """The extent of a visit. `error` is how far its start may be from where the clocks show it."""

    start: float
    error: float
    end: float
    moments: tuple[Moment, ...]
    certain: bool  # False where all sightings are ambiguous

    @property
    def first(self) -> float:
        """When its first presence was, ambiguous or not."""
        return self.moments[0].at

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Contacts given in it, each once, in the order of time."""
        return tuple(dict.fromkeys(moment.contact for moment in self.moments if moment.contact is not None))

    @property
    def erased_at(self) -> float:
        """When the first of its evidence was erased; infinite if it is all there."""
        return min(moment.lasts for moment in self.moments)


def moment(event: Presence, node: str, rules: Rules, lasts: float = float("inf")) -> Moment:
    """What `event` says of whoever `node` is."""
    match event:
        case SightingEvidence():
            settings = rules.at(event.at)
            clear = event.score >= settings.match_score and event.margin >= settings.match_margin
            error = settings.clock_error if event.clock_error is None else event.clock_error
            return Moment(event.at, error, node, "sighting", clear, None, clear, lasts, event.score, event.margin)
        case PassEvidence():
            return Moment(event.at, 0.0, node, "pass", lasts=lasts)
        case CheckIn():
            return Moment(event.at, 0.0, node, "check_in", contact=event.contact, lasts=lasts)
        case Signing():
            proven = event.document is not None
            return Moment(event.at, 0.0, node, "signing", contact=event.contact, proven=proven, lasts=lasts)


def in_order(moments: Iterable[Moment]) -> list[Moment]:
    """By time; of several at one instant the least exact first, so that it sets the start."""
    return sorted(moments, key=_rank)


def doubtful_gaps(moments: Sequence[Moment], rules: Rules) -> dict[int, bool]:
    """Indices of those presences in time order of which the clocks cannot say whether they open a visit or extend one.

    With each, whether it opens one as the clocks show it.
    """
    count = len(moments)
    if not any(one.error for one in moments):
        return {}
    # When the presences from each index on may have begun, if every clock is as wrong as it may be.
    soonest = [float("inf")] * (count + 1)
    for index in range(count - 1, -1, -1):
        soonest[index] = min(soonest[index + 1], moments[index].at - moments[index].error)
    latest, found, gap = float("-inf"), {}, rules.at(moments[0].at).visit_gap
    for index in range(1, count):
        before, one = moments[index - 1], moments[index]
        latest = max(latest, before.at + before.error)
        apart = one.at - before.at
        closer = apart > gap and soonest[index] - latest <= gap
        if near(apart, gap, one.error + before.error) or closer:
            found[index] = apart > gap
        if apart > gap:
            gap = rules.at(one.at).visit_gap
    return found


def stays(moments: Sequence[Moment], rules: Rules, settled: Mapping[int, bool] = _NONE) -> list[Stay]:
    """Visits made of presences in time order, each as long as nothing is missing for the gap that held when it began.

    `settled` says of some indices whether they open a visit; of all others the clocks do.
    """
    groups: list[list[Moment]] = []
    gap = 0.0
    for index, one in enumerate(moments):
        opens = index == 0 or settled.get(index, one.at - moments[index - 1].at > gap)
        if opens:
            groups.append([one])
            gap = rules.at(one.at).visit_gap
        else:
            groups[-1].append(one)
    return [_stay(group) for group in groups]


def near(difference: float, bound: float, error: float) -> bool:
    """Whether `difference` is so close to `bound` that an error of so many seconds could put it on the other side."""
    return error > 0 and abs(difference - bound) <= error


def covering(all_stays: Sequence[Stay], at: float, rules: Rules) -> int | None:
    """Index of the visit, of those in time order, that somebody was on at `at` or had ended at most its gap before."""
    index = bisect_right(all_stays, at, key=lambda stay: stay.first) - 1
    if index < 0 or at > all_stays[index].end + rules.at(all_stays[index].first).visit_gap:
        return None
    return index


def local_day(at: float, rules: Rules) -> date:
    """The site's calendar day."""
    return datetime.fromtimestamp(at, rules.at(at).timezone).date()


def day_start(at: float, rules: Rules) -> float:
    """The beginning of the local day of `at`."""
    return datetime.combine(local_day(at, rules), datetime.min.time(), rules.at(at).timezone).timestamp()


def next_close(at: float, rules: Rules) -> float:
    """The first close of day after `at`."""
    day, settings = local_day(at, rules), rules.at(at)
    for offset in (0, 1):
        close = datetime.combine(day + timedelta(days=offset), settings.close_of_day, settings.timezone).timestamp()
        if close > at:
            return close
    return datetime.combine(day + timedelta(days=2), settings.close_of_day, settings.timezone).timestamp()


# --- helpers ------------------------------------------------------------------------------------------------------


def _rank(one: Moment) -> tuple[float, float, str, str, str, bool, bool, float, float]:
    given = (one.contact.full or "") if one.contact else ""
    return (one.at, -one.error, one.node, one.kind, given, one.certain, one.proven, one.score or 0.0, one.margin or 0.0)


def _stay(group: list[Moment]) -> Stay:
    opening = next((one for one in group if one.certain), group[0])
    start = opening.at
    certain = [one for one in group if one.certain]
    # A presence shortly after the first may have come before it, if its own clock is wrong enough.
    error = max((one.error - (one.at - start) for one in certain), default=0.0)
    return Stay(start, max(opening.error, error), group[-1].at, tuple(group), certain=bool(certain))
