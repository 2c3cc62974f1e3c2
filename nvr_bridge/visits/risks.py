"""Facts beside a verdict that somebody should look at, whichever rule decides. Pure; times in seconds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from .doubt import Settlement
from .evidence import Contact, Settings
from .rules import Case, Claim, Decision, Tie, intercepted, late, protecting, valid, winner

# In the order in which they are listed.
Risk = Literal[
    "late_referral",
    "intercepted",
    "competing_referrals",
    "repeated_referral",
    "contact_changed",
    "unregistered_visit",
    "co_signers_differ",
    "evidence_changed",
]
RISKS: tuple[Risk, ...] = get_args(Risk)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the evidence says most plainly about a visit."""

    valid: tuple[Claim, ...] = ()
    intercepted: tuple[Claim, ...] = ()
    late: tuple[Claim, ...] = ()
    protected_by: str | None = None
    risks: tuple[Risk, ...] = ()


def facts(case: Case, settings: Settings, before: Contact | None) -> Facts:
    """Facts and risks of a visit; `before` is the contact that the person gave last before it."""
    if not case.stay.certain:
        return Facts(risks=in_order({"unregistered_visit"}))
    plain = Settlement([])
    found = list(valid(case, settings, plain))
    caught = [tie for tie in found if intercepted(tie.claim, case, settings, plain)]
    too_late = tuple(tie.claim for tie in late(case, settings, plain))
    protector = protecting(case, settings, plain)
    risks: set[Risk] = set()
    if too_late:
        risks.add("late_referral")
    if caught:
        risks.add("intercepted")
    if len({tie.claim.partner for tie in found} | ({protector} if protector and found else set())) > 1:
        risks.add("competing_referrals")
    free = [tie for tie in found if tie not in caught]
    if free and _repeated(winner(free, settings), case, settings):
        risks.add("repeated_referral")
    if _contact_changed(case, before):
        risks.add("contact_changed")
    if not any(one.registers for one in case.stay.moments):
        risks.add("unregistered_visit")
    return Facts(_claims(found), _claims(caught), too_late, protector, in_order(risks))


def in_order(risks: set[Risk]) -> tuple[Risk, ...]:
    """Risks as they are always listed."""
    return tuple(risk for risk in RISKS if risk in risks)


# --- helpers ------------------------------------------------------------------------------------------------------


def _claims(ties: Sequence[Tie]) -> tuple[Claim, ...]:
    return tuple(tie.claim for tie in ties)


def _repeated(won: Decision, case: Case, settings: Settings) -> bool:
    """Whether the winner had an earlier claim to this contact that lapsed without a visit, not long ago."""
    mine = next((tie.claim for tie in case.ties if tie.claim.referral == won.referral), None)
    if mine is None:
        return False
    for tie in case.ties:
        claim = tie.claim
        lapsed = claim.declared + settings.validity
        if (
            claim.partner == mine.partner
            and claim.declared < mine.declared
            and claim.contact.fits(mine.contact)
            and lapsed < case.stay.start <= lapsed + settings.protection
            and claim.withdrawn >= lapsed
            and not _visited(case, claim.declared, lapsed)
        ):
            return True
    return False


def _visited(case: Case, low: float, high: float) -> bool:
    visits = case.history.visits
    first = bisect_left(visits, low, key=lambda past: past.start)
    last = bisect_right(visits, high, key=lambda past: past.start)
    return any(past.outcomes[0] is not None for past in visits[first:last])


def _contact_changed(case: Case, before: Contact | None) -> bool:
    for one in case.stay.moments:
        if one.contact is not None:
            if before is not None and before.full != one.contact.full:
                return True
            before = one.contact
    return False
