"""What a partner is told of a referral: what follows from the referral itself, until a person has decided a case. Pure.

A decision says of every referral that counted for the visit, or came late for it, whether the visit was given to it. Of
visits that nobody has decided, or that a referral had lapsed for, and of other partners, nothing is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..models import Outcome
from ..store.claims import StoredClaim
from ..store.referrals import StoredReferral
from .attribution import Judged

DECIDED = (Outcome.GIVEN, Outcome.NOT_GIVEN, Outcome.DECLARED_LATE)  # in the order of their weight
APPEALABLE = frozenset({Outcome.NOT_GIVEN, Outcome.DECLARED_LATE})


def claimed(visit: Judged, attribution: str, partner: str | None) -> dict[str, Outcome]:
    """What a decision on a visit makes of referrals, by referral."""
    if attribution == "undetermined":
        return {}
    won = [claim.referral for claim in visit.facts.valid if claim.partner == partner]
    if partner is not None and not won and visit.computed.partner != partner:
        won = _nearest(visit, partner)
    found = dict.fromkeys(won, Outcome.GIVEN)
    for claim in visit.facts.valid:
        found.setdefault(claim.referral, Outcome.NOT_GIVEN)
    for claim in visit.facts.late:
        found.setdefault(claim.referral, Outcome.DECLARED_LATE)
    return found


def weightiest(claims: Sequence[StoredClaim]) -> StoredClaim | None:
    """The one that is told, of those that several cases made of one referral; of equal ones the earliest visit's."""
    return min(claims, key=lambda claim: (DECIDED.index(claim.outcome), claim.day), default=None)


def undecided(referral: StoredReferral, validity: float, now: float) -> Outcome:
    """What is told of a referral while no decision is: nothing but what whoever filed it knows already."""
    if referral.withdrawn_at is not None:
        return Outcome.WITHDRAWN
    return Outcome.LAPSED if referral.declared_at + validity < now else Outcome.OPEN


# --- helpers ------------------------------------------------------------------------------------------------------


def _nearest(visit: Judged, partner: str) -> list[str]:
    """The referral by which a reviewer may have given a visit to a partner to whom the rules did not."""
    start = visit.stay.start
    theirs = [tie.claim for tie in visit.ties if tie.claim.partner == partner]
    late = [claim.referral for claim in visit.facts.late if claim.partner == partner]
    early = [claim.referral for claim in theirs if claim.declared <= start <= claim.withdrawn]
    return late[:1] or early[-1:]
