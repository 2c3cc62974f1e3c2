"""What a channel partner can ask through its link, beside filing: what became of its referrals, and to look again.

Everything that it is told follows from its own referrals and from decisions of people about them. Nothing here judges a
visit, so not even the time that an answer takes tells whether there is one. `docs/privacy.md` says what this keeps hidden.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ..config import Config
from ..errors import ConflictError
from ..models import ReviewAct
from ..store.cases import NewReview, StoredCase, StoredReview
from ..store.claims import StoredClaim
from ..store.referrals import StoredReferral
from ..visits.claims import APPEALABLE, undecided, weightiest
from ..visits.review import Move, Reviewer, done, moved, standing
from ..visits.unjudged import Unjudged
from .cases import Store
from .listing import claim_row


class Portal:
    """Answers partners. `args["partner"]` is the caller's own, from its token; the rest comes checked."""

    def __init__(
        self, config: Config, store: Store, unjudged: Unjudged, clock: Callable[[], float] = time.time
    ) -> None:
        self._config = config
        self._store = store
        self._unjudged = unjudged
        self._clock = clock

    async def linking(self, partner: str) -> None:
        """A link is about to be made for a partner: that is an act. Raises `NotFoundError`."""
        await self._store.partners.get(partner)
        await self._store.ledger.record("partner_linked", data={"partner": partner})

    async def claim_list(self, args: dict[str, Any]) -> dict[str, Any]:
        """The partner's referrals, the latest declared first, each with what became of it."""
        partner = await self._store.partners.get(args["partner"])
        referrals = await self._store.evidence.referrals.list(partner.partner_id, None, args["limit"])
        claims = await self._store.claims.of([referral.referral_id for referral in referrals])
        return {
            "partner": partner.partner_id,
            "name": partner.name,
            "claims": [self._row(referral, claims.get(referral.referral_id, [])) for referral in referrals],
        }

    async def claim_appeal(self, args: dict[str, Any], by: str) -> dict[str, Any]:
        """Ask that a decision be looked at again, once for each outcome; `by` is the link's token."""
        referral_id: str = args["referral"]
        claim, case_id = _appealable(await self._store.claims.of_partner(referral_id, args["partner"]))
        reviewer = Reviewer(by, await self._store.tokens.name(by))

        def opens(_: StoredCase, history: Sequence[StoredReview]) -> NewReview:
            return _appeal(reviewer, referral_id, args["text"], history, self._clock())

        async with self._store.database.write() as session:
            await self._store.claims.appeal(session, claim, self._clock())
            await self._store.cases.review(session, case_id, opens)
        self._unjudged.visit((await self._store.cases.get(case_id)).visit_id)
        return {"appealed": True}

    # --- helpers ---

    def _row(self, referral: StoredReferral, claims: Sequence[StoredClaim]) -> dict[str, Any]:
        validity, decided = self._store.evidence.referrals.validity(), weightiest(claims)
        outcome = undecided(referral, validity, self._clock()) if decided is None else decided.outcome
        return claim_row(referral, validity, outcome, decided)


def _appealable(claims: Sequence[StoredClaim]) -> tuple[StoredClaim, str]:
    """What an appeal is against, and the case that it opens. Raises `ConflictError` where there is nothing to appeal against."""
    decided = weightiest(claims)
    if decided is None:
        raise ConflictError("referral: nobody has decided anything about it, so there is nothing to appeal against")
    if decided.outcome not in APPEALABLE:
        raise ConflictError("referral: the client was given to you, so there is nothing to appeal against")
    if decided.case_id is None:
        raise ConflictError("referral: the evidence was erased since, so the outcome stays as it is")
    return decided, decided.case_id


def _appeal(by: Reviewer, referral_id: str, text: str, history: Sequence[StoredReview], now: float) -> NewReview:
    """What is written of an appeal, against the last decision in a case's history."""
    last = next(review for review in reversed(history) if review.decides)
    verdict = (last.attribution or "undetermined", last.partner)
    before = standing(done(review) for review in history)
    after = moved(before, Move(ReviewAct.APPEAL, by), verdict, second_person=False)
    return NewReview(
        act=ReviewAct.APPEAL,
        state=after.state,
        at=now,
        seen=last.seen,
        token_id=by.token_id,
        token_name=by.name,
        referral_id=referral_id,
        reason=text,
    )
