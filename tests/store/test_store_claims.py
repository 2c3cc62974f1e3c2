"""Claims: what decisions made of referrals, once appealed against for each outcome, and cut off by an erasure."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from store_site import NOW, Site

from nvr_bridge.errors import ConflictError, NotFoundError
from nvr_bridge.models import CaseState, Outcome, ReviewAct
from nvr_bridge.store.cases import NewReview
from nvr_bridge.store.claims import StoredClaim
from nvr_bridge.store.referrals import Filing
from nvr_bridge.store.schema_cases import ReviewRow
from nvr_bridge.store.schema_claims import ClaimRow

DAY = date(2026, 9, 21)


class Story:
    """Two partners' referrals, a visitor, and the case of their visit."""

    def __init__(self, site: Site, mine: str, theirs: str, visitor: str, case_id: str) -> None:
        self.site = site
        self.mine = mine
        self.theirs = theirs
        self.visitor = visitor
        self.case_id = case_id

    async def decide(self, outcomes: dict[str, Outcome], now: float = NOW) -> None:
        async with self.site.db.write() as session:
            await self.site.claims.decide(session, self.case_id, outcomes, DAY, now)

    async def claim(self) -> StoredClaim:
        (claim,) = (await self.site.claims.of([self.mine]))[self.mine]
        return claim

    async def appeal(self, now: float = NOW) -> None:
        claim = await self.claim()
        async with self.site.db.write() as session:
            await self.site.claims.appeal(session, claim, now)

    async def outcomes(self) -> dict[str, list[Outcome]]:
        found = await self.site.claims.of([self.mine, self.theirs])
        return {referral: [claim.outcome for claim in claims] for referral, claims in found.items()}


@pytest.fixture
async def story(site: Site) -> Story:
    await site.partners.add("acme", "Acme Homes", NOW)
    await site.partners.add("best", "Best Homes", NOW)
    mine = await site.referrals.file(Filing("acme", "f" * 64, "a" * 64), NOW)
    theirs = await site.referrals.file(Filing("best", "f" * 64, "a" * 64), NOW)
    visitor = (await site.grant(1)).consent.visitor_id
    visit, _ = await site.visits.begin(visitor, "desk", NOW)
    case = (await site.cases.of([visit.visit_id]))[visit.visit_id]
    return Story(site, mine.referral_id, theirs.referral_id, visitor, case.case_id)


async def test_a_later_decision_replaces_the_one_before(story: Story) -> None:
    assert await story.outcomes() == {}
    await story.decide({story.mine: Outcome.GIVEN, story.theirs: Outcome.NOT_GIVEN})
    assert await story.outcomes() == {story.mine: [Outcome.GIVEN], story.theirs: [Outcome.NOT_GIVEN]}
    await story.decide({story.mine: Outcome.NOT_GIVEN})
    assert await story.outcomes() == {story.mine: [Outcome.NOT_GIVEN]}
    await story.decide({})
    assert await story.outcomes() == {}


async def test_one_appeal_for_each_outcome(story: Story) -> None:
    await story.decide({story.mine: Outcome.NOT_GIVEN})
    await story.appeal(NOW + 1)
    with pytest.raises(ConflictError, match="have appealed against this outcome already"):
        await story.appeal(NOW + 2)
    await story.decide({story.mine: Outcome.NOT_GIVEN}, NOW + 3)
    with pytest.raises(ConflictError):
        await story.appeal(NOW + 4)
    claim = await story.claim()
    assert (claim.appealed_at, claim.decided_at) == (NOW + 1, NOW + 3)
    await story.decide({story.mine: Outcome.DECLARED_LATE}, NOW + 5)
    with pytest.raises(ConflictError):  # against what the partner saw before
        async with story.site.db.write() as session:
            await story.site.claims.appeal(session, claim, NOW + 6)
    await story.appeal(NOW + 6)


async def test_for_a_partner_anothers_referral_does_not_exist(story: Story) -> None:
    await story.decide({story.mine: Outcome.GIVEN, story.theirs: Outcome.NOT_GIVEN})
    refusals = []
    for referral_id in (story.theirs, "f" * 32):
        with pytest.raises(NotFoundError) as refused:
            await story.site.claims.of_partner(referral_id, "acme")
        refusals.append(str(refused.value).replace(referral_id, "ID"))
    assert refusals[0] == refusals[1]
    (claim,) = await story.site.claims.of_partner(story.theirs, "best")
    assert (claim.outcome, claim.day) == (Outcome.NOT_GIVEN, DAY)


async def test_after_an_erasure_the_answer_stays_and_leads_nowhere(story: Story) -> None:
    site = story.site
    await story.decide({story.mine: Outcome.NOT_GIVEN})
    async with site.db.write() as session:
        appeal = NewReview(ReviewAct.APPEAL, CaseState.APPEALED, NOW, referral_id=story.mine, reason="she is ours")
        await site.cases.review(session, story.case_id, lambda _case, _history: appeal)
    await site.records.withdraw(story.visitor, NOW + 1)
    (claim,) = await site.claims.of_partner(story.mine, "acme")
    assert (claim.outcome, claim.case_id) == (Outcome.NOT_GIVEN, None)
    async with site.db.read() as session:
        assert list(await session.scalars(select(ReviewRow.referral_id))) == [None]
        assert list(await session.scalars(select(ClaimRow.case_id))) == [None]
