"""The rules for one visit, in the order of the rule list: the first that applies decides. Pure; times in seconds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .doubt import Doubt, Settlement
from .evidence import Contact, Settings
from .timeline import Stay, next_close

RULES_VERSION = "1"

# In their order. A person's review goes before all of them.
Rule = Literal[
    "review",
    "staff",
    "undetermined",
    "channel_protected",
    "natural_protected",
    "referral_valid",
    "late_referral",
    "natural",
]


@dataclass(frozen=True, slots=True)
class Claim:
    """A referral, with when it was taken back if it was."""

    referral: str
    partner: str
    declared: float
    contact: Contact
    withdrawn: float = float("inf")


@dataclass(frozen=True, slots=True)
class Tie:
    """A claim that a visit's contacts lead to; `doubtful` where its mask fits others who visited then, too."""

    claim: Claim
    doubtful: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an earlier visit came to; `grants` if it began a partner's protection."""

    attribution: str
    partner: str | None = None
    grants: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier visit: all that it may have come to, the plainest first; None if it may have been somebody else's."""

    start: float
    error: float
    outcomes: tuple[Outcome | None, ...]
    lasts: float = float("inf")  # when its evidence was erased; it counts for no visit that starts later
    guest: int = 0  # which of the visits that may be this person's, counted from 1; 0 for the person's own

    @property
    def key(self) -> tuple[float, int]:
        """What tells it from the person's other earlier visits."""
        return (self.start, self.guest)


@dataclass(slots=True)
class History:
    """A person's earlier visits, in time order, and of them those that may have begun a protection."""

    visits: list[Past] = field(default_factory=list)
    grants: list[Past] = field(default_factory=list)
    error: float = 0.0  # the greatest of theirs

    def add(self, past: Past) -> None:
        """The next one."""
        self.visits.append(past)
        self.error = max(self.error, past.error)
        if any(outcome is not None and outcome.grants for outcome in past.outcomes):
            self.grants.append(past)


@dataclass(frozen=True, slots=True)
class StaffTime:
    """When a person belongs to the staff."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Case:
    """A visit and all that the rules ask about. `ties` are in the order of declaration."""

    stay: Stay
    ties: tuple[Tie, ...]
    history: History
    staff: tuple[StaffTime, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What one settlement of the doubts comes to."""

    rule: Rule
    attribution: str
    partner: str | None = None
    referral: str | None = None
    partners: tuple[str, ...] = ()  # between whom it stands, where the winner is undetermined

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What it may be for a later visit."""
        if self.partners:
            return tuple(Outcome("channel", partner, grants=True) for partner in self.partners)
        return (Outcome(self.attribution, self.partner, grants=self.rule == "referral_valid"),)


def decide(case: Case, settings: Settings, settle: Settlement) -> Decision:
    """The first rule that applies, with every doubt settled as `settle` says."""
    if _is_staff(case, settle):
        return Decision("staff", "staff")
    protector = protecting(case, settings, settle)
    if protector is not None:
        return Decision("channel_protected", "channel", protector)
    found = list(valid(case, settings, settle))
    free = [tie for tie in found if not intercepted(tie.claim, case, settings, settle)]
    if found and not free:
        return Decision("natural_protected", "natural")
    if free:
        return winner(free, settings)
    if any(True for _ in late(case, settings, settle)):
        return Decision("late_referral", "natural")
    return Decision("natural", "natural")


def protecting(case: Case, settings: Settings, settle: Settlement) -> str | None:
    """The partner whom an earlier visit gave a protection that still holds: of several, the one given last."""
    stay = case.stay
    for past in reversed(case.history.grants):
        error = stay.error + past.error
        if stay.start - past.start > settings.protection + stay.error + case.history.error:
            return None
        if past.start >= stay.start or past.lasts < stay.start:
            continue
        outcome = _outcome(past, settle)
        if (
            outcome is not None
            and outcome.grants
            and settle.at_least(settings.protection, stay.start - past.start, error, "protection", past.key)
        ):
            return outcome.partner
    return None


def valid(case: Case, settings: Settings, settle: Settlement) -> Iterator[Tie]:
    """Ties whose claim holds for the visit, in the order of declaration."""
    start, error = case.stay.start, case.stay.error
    for tie in _declared(case.ties, start - settings.validity - error, start - settings.lead_time + error):
        claim = tie.claim
        if (
            settle.at_least(start - settings.lead_time, claim.declared, error, "lead_time", claim.referral)
            and settle.at_least(claim.declared + settings.validity, start, error, "validity", claim.referral)
            and settle.at_least(claim.withdrawn, start, error, "withdrawal", claim.referral)
            and _tied(tie, settle)
        ):
            yield tie


def late(case: Case, settings: Settings, settle: Settlement) -> Iterator[Tie]:
    """Ties whose claim came too late for the visit, but before it or its day was over."""
    start, error = case.stay.start, case.stay.error
    until = max(case.stay.end, next_close(start, settings))
    for tie in _declared(case.ties, start - settings.lead_time - error, until):
        claim = tie.claim
        early = settle.at_least(start - settings.lead_time, claim.declared, error, "lead_time", claim.referral)
        if not early and claim.declared < until and _tied(tie, settle):
            yield tie


def intercepted(claim: Claim, case: Case, settings: Settings, settle: Settlement) -> bool:
    """Whether the person had come naturally before the claim could count, and not long before."""
    visits = case.history.visits
    slack = case.history.error
    low = claim.declared - settings.natural_protection
    high = claim.declared + settings.lead_time
    first = bisect_left(visits, low - slack, key=_start)
    for past in visits[first : bisect_right(visits, high + slack, key=_start)]:
        if past.start >= case.stay.start or past.lasts < case.stay.start:
            continue
        about = (claim.referral, *past.key)
        before = past.start < high
        if (error := past.error) > 0 and abs(past.start - high) <= error:
            before = settle.holds(before, Doubt("intercepted_before", about, past.start - high, error))
        if not before or not settle.at_least(past.start, low, error, "natural_protection", about):
            continue
        outcome = _outcome(past, settle)
        if outcome is not None and outcome.attribution == "natural":
            return True
    return False


def winner(free: Sequence[Tie], settings: Settings) -> Decision:
    """Whose visit it is, of claims that are valid and not intercepted, in the order of declaration."""
    partners = tuple(sorted({tie.claim.partner for tie in free}))
    first = free[0].claim
    if settings.winner == "first_declared":
        partners = tuple(sorted({tie.claim.partner for tie in free if tie.claim.declared == first.declared}))
    if len(partners) > 1:
        return Decision("referral_valid", "undetermined", partners=partners)
    return Decision("referral_valid", "channel", first.partner, first.referral)


# --- helpers ------------------------------------------------------------------------------------------------------


def _start(past: Past) -> float:
    return past.start


def _declared(ties: Sequence[Tie], low: float, high: float) -> Sequence[Tie]:
    """Ties declared from `low` to `high`."""
    first = bisect_left(ties, low, key=lambda tie: tie.claim.declared)
    return ties[first : bisect_right(ties, high, key=lambda tie: tie.claim.declared)]


def _outcome(past: Past, settle: Settlement) -> Outcome | None:
    return past.outcomes[settle.pick(Doubt("earlier_visit", past.key), len(past.outcomes))]


def _tied(tie: Tie, settle: Settlement) -> bool:
    return not tie.doubtful or settle.holds(True, Doubt("masked_contact", tie.claim.referral))


def _is_staff(case: Case, settle: Settlement) -> bool:
    start, error = case.stay.start, case.stay.error
    for mark in case.staff:
        about = (mark.start, mark.end)
        if settle.at_least(start, mark.start, error, "staff_from", about) and not settle.at_least(
            start, mark.end, error, "staff_until", about
        ):
            return True
    return False
