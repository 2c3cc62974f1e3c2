"""What the store keeps, as evidence: the same kinds that a scenario file holds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter

from ..models import Visit
from ..store.cases import Decision
from ..store.corrections import StoredCorrection
from ..store.referrals import StoredReferral
from ..store.registrations import Scan, StoredCheckIn
from ..store.settled import Alone
from ..store.sightings import KnownSighting
from ..store.signings import StoredSigning
from ..store.staff import StoredMark
from .evidence import (
    CheckIn,
    Contact,
    Evidence,
    Merge,
    PassEvidence,
    Presence,
    Referral,
    Review,
    Rules,
    SightingEvidence,
    Signing,
    Split,
    StaffMark,
    Withdrawal,
)
from .identity import node_of

type Key = tuple[str, float]  # whose presence, and when
type Arrived = tuple[float, Evidence]  # evidence, and when it reached the engine


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store holds that can decide something, each kind the oldest first."""

    referrals: Sequence[StoredReferral]
    scans: Sequence[Scan]
    check_ins: Sequence[StoredCheckIn]
    signings: Sequence[StoredSigning]
    sightings: Sequence[KnownSighting]
    marks: Sequence[StoredMark]
    corrections: Sequence[StoredCorrection]
    visits: Sequence[Visit]
    decisions: Sequence[Decision]


@dataclass(frozen=True, slots=True)
class Gone:
    """What retention removes: visits with all that belongs to them, the sightings of some visitors, and referrals."""

    visits: frozenset[str] = frozenset()
    sighted: frozenset[str] = frozenset()
    referrals: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.visits or self.sighted or self.referrals)


@dataclass(frozen=True, slots=True)
class Body:
    """All evidence in the order in which it arrived, and which of it each visit of the store rests on."""

    events: tuple[Evidence, ...]
    presence: Mapping[str, tuple[Key, ...]]  # by visit


def body(kept: Kept, rules: Rules, *others: Rules) -> Body:
    """What the store keeps, as evidence, to be judged under `rules` or any of the `others`."""

    def gap(at: float) -> float:
        """The shortest that can count for who was there at that time."""
        return min(settings.visit_gap for one in (rules, *others) for settings in one.until(at))

    present = [*_registered(kept), *_recognised(kept, gap)]
    seen = {visit_id for visit_id, _, _ in present}
    for visit in kept.visits:
        if visit.visitor_id is not None and visit.visit_id not in seen:
            present += _going_on(visit, visit.visitor_id, gap, rules)
    presence: dict[str, list[Key]] = {}
    for visit_id, _, event in present:
        if visit_id is not None:
            presence.setdefault(visit_id, []).append((node_of(event) or "", event.at))
    arrived = [*_claims(kept), *((at, event) for _, at, event in present), *_said(kept)]
    arrived += _reviews(kept, presence)  # last: of one instant, a reviewer saw all the rest
    events = tuple(event for _, event in sorted(arrived, key=itemgetter(0)))
    return Body(events, {visit_id: tuple(keys) for visit_id, keys in presence.items()})


def without(kept: Kept, visitor_id: str, alone: Alone) -> Kept:
    """What will be kept once this visitor is erased."""
    return replace(
        kept,
        scans=[row for row in kept.scans if row.visitor_id != visitor_id],
        check_ins=[
            row for row in kept.check_ins if row.visitor_id != visitor_id and row.check_in_id not in alone.check_ins
        ],
        signings=[_signed_by_others(row, visitor_id, alone) for row in kept.signings],
        sightings=[row for row in kept.sightings if row.visitor_id != visitor_id],
        marks=[row for row in kept.marks if row.visitor_id != visitor_id],
        corrections=[
            row for row in map(partial(_correction_of_others, visitor_id), kept.corrections) if row is not None
        ],
        visits=[replace(visit, visitor_id=None) if visit.visitor_id == visitor_id else visit for visit in kept.visits],
    )


def lapsed(kept: Kept, gone: Gone) -> Kept:
    """What will be kept once retention has removed this."""
    return replace(
        kept,
        referrals=[row for row in kept.referrals if row.referral_id not in gone.referrals],
        scans=[row for row in kept.scans if row.visit_id not in gone.visits],
        check_ins=[row for row in kept.check_ins if row.visit_id not in gone.visits],
        signings=[row for row in kept.signings if row.visit_id not in gone.visits],
        sightings=[
            row for row in kept.sightings if row.visit_id not in gone.visits and row.visitor_id not in gone.sighted
        ],
        visits=[visit for visit in kept.visits if visit.visit_id not in gone.visits],
    )


# --- helpers ------------------------------------------------------------------------------------------------------

type _Gap = Callable[[float], float]
type _Present = tuple[str | None, float, Presence]  # the visit, when it arrived, and what


def _claims(kept: Kept) -> Iterator[Arrived]:
    for row in kept.referrals:
        given = Contact(row.mask, row.full)
        yield row.filed_at, Referral(row.declared_at, row.referral_id, row.partner, given)
        if row.withdrawn_at is not None:
            yield row.withdrawn_at, Withdrawal(row.withdrawn_at, row.referral_id)


def _registered(kept: Kept) -> Iterator[_Present]:
    for scan in kept.scans:
        yield scan.visit_id, scan.at, PassEvidence(scan.at, scan.visitor_id)
    for row in kept.check_ins:
        given = Contact(row.mask, row.full)
        yield row.visit_id, row.at, CheckIn(row.at, given, row.visitor_id, row.source or "")
    for signing in kept.signings:
        if not signing.erased:
            yield signing.visit_id, signing.at, _signing(signing)


def _signing(row: StoredSigning) -> Signing:
    given = None if row.mask is None else Contact(row.mask, row.full)
    return Signing(row.at, row.signing_id, row.visitor_id, row.document, given, row.co_signers)


def _recognised(kept: Kept, gap: _Gap) -> Iterator[_Present]:
    """A track as presence from its beginning to its end, close enough together to be one visit."""
    for row in kept.sightings:
        for at in _between(row.started_at, row.at, gap(row.started_at)):
            seen = SightingEvidence(at, row.visitor_id, row.score, row.margin, zone=row.zone_id)
            yield row.visit_id, at, seen


def _going_on(visit: Visit, visitor_id: str, gap: _Gap, rules: Rules) -> Iterator[_Present]:
    """A visit of somebody recognised whose track has not ended, or whose sightings are kept no longer.

    At the bar, for what it reached is not kept; below it, where a verdict was left undetermined for good.
    """
    settings = rules.at(visit.started_at)
    clear = visit.settled is None or visit.settled["attribution"] != "undetermined"
    score = settings.match_score if clear else -1.0
    for at in _between(visit.started_at, visit.last_at, gap(visit.started_at)):
        seen = SightingEvidence(at, visitor_id, score, settings.match_margin, zone=visit.zone_id)
        yield visit.visit_id, at, seen


def _said(kept: Kept) -> Iterator[Arrived]:
    """What people at the site said of visitors."""
    for mark in kept.marks:
        yield mark.told_at, StaffMark(mark.from_at, mark.visitor_id, mark.until_at)
    for row in kept.corrections:
        yield row.at, (Split if row.kind == "split" else Merge)(row.at, row.visitors)


def _reviews(kept: Kept, presence: Mapping[str, Sequence[Key]]) -> Iterator[Arrived]:
    """What people decided, of the visits that there still is evidence of."""
    for row in kept.decisions:
        if row.visit_id in presence:
            node, at = min(presence[row.visit_id], key=itemgetter(1))
            yield row.at, Review(row.at, node, at, row.attribution, row.partner)


def _between(first: float, last: float, gap: float) -> Iterator[float]:
    yield first
    steps = int((last - first) // (gap / 2))
    yield from (first + step * gap / 2 for step in range(1, steps + 1) if first + step * gap / 2 < last)
    if last > first:
        yield last


def _signed_by_others(row: StoredSigning, visitor_id: str, alone: Alone) -> StoredSigning:
    co_signers = tuple(other for other in row.co_signers if other != visitor_id)
    if row.visitor_id == visitor_id or row.signing_id in alone.signings:
        return replace(row, visitor_id=None, document=None, full=None, mask=None, co_signers=co_signers)
    return replace(row, co_signers=co_signers)


def _correction_of_others(visitor_id: str, row: StoredCorrection) -> StoredCorrection | None:
    visitors = tuple(other for other in row.visitors if other != visitor_id)
    return replace(row, visitors=visitors) if len(visitors) > 1 else None
