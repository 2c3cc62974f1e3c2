"""Claims: what decisions made of partners' referrals. Written with the decision; a partner is told its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ..errors import ConflictError, NotFoundError
from ..models import Outcome
from .database import Database
from .schema import ReferralRow
from .schema_claims import ClaimRow

SOME = 500  # referrals asked about at once


@dataclass(frozen=True, slots=True)
class StoredClaim:
    """What the latest decision of one case made of one referral."""

    referral_id: str
    case_id: str | None  # None: the visitor's evidence was erased since
    outcome: Outcome  # one that a person decided
    day: date  # the visit's, local to the site
    decided_at: float
    appealed_at: float | None


class ClaimTable:
    """The claims."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, referral_ids: Sequence[str]) -> dict[str, list[StoredClaim]]:
        """What was decided about some referrals, by referral."""
        found: dict[str, list[StoredClaim]] = {}
        async with self._db.read() as session:
            for first in range(0, len(referral_ids), SOME):
                some = select(ClaimRow).where(ClaimRow.referral_id.in_(referral_ids[first : first + SOME]))
                for row in await session.scalars(some.order_by(ClaimRow.claim_id)):
                    found.setdefault(row.referral_id, []).append(_stored(row))
        return found

    async def of_partner(self, referral_id: str, partner: str) -> list[StoredClaim]:
        """What was decided about a referral of this partner's. Raises `NotFoundError`, also for another's."""
        async with self._db.read() as session:
            row = await session.get(ReferralRow, referral_id)
        if row is None or row.partner_id != partner:
            raise NotFoundError(f"referral: {referral_id!r} does not exist; the list of referrals shows those that do")
        return (await self.of([referral_id])).get(referral_id, [])

    async def decide(
        self, session: AsyncSession, case_id: str, outcomes: Mapping[str, Outcome], day: date, now: float
    ) -> None:
        """Write, with a decision, what it made of referrals, and of no others.

        Where the outcome is what it was, it stays known whether the partner appealed against it.
        """
        wanted = dict(outcomes)
        for row in await session.scalars(select(ClaimRow).where(ClaimRow.case_id == case_id)):
            outcome = wanted.pop(row.referral_id, None)
            if outcome is None:
                await session.execute(delete(ClaimRow).where(ClaimRow.claim_id == row.claim_id))
                continue
            if outcome != row.outcome:
                row.appealed_at = None
            row.outcome, row.day, row.decided_at = outcome, day.isoformat(), now
        session.add_all(
            ClaimRow(referral_id=referral_id, case_id=case_id, outcome=outcome, day=day.isoformat(), decided_at=now)
            for referral_id, outcome in wanted.items()
        )

    async def appeal(self, session: AsyncSession, claim: StoredClaim, now: float) -> None:
        """Note, with an appeal, that there was one. Raises `ConflictError` for a second against the same outcome.

        And for an outcome that is another one by now.
        """
        mine = (
            ClaimRow.referral_id == claim.referral_id,
            ClaimRow.case_id == claim.case_id,
            ClaimRow.outcome == claim.outcome.value,
        )
        noted = await session.execute(
            update(ClaimRow)
            .where(*mine, ClaimRow.appealed_at.is_(None))
            .values(appealed_at=now)
            .returning(ClaimRow.claim_id)
        )
        if noted.one_or_none() is None:
            raise ConflictError("referral: you have appealed against this outcome already; the site will look at it")


def _stored(row: ClaimRow) -> StoredClaim:
    day = date.fromisoformat(row.day)
    return StoredClaim(row.referral_id, row.case_id, Outcome(row.outcome), day, row.decided_at, row.appealed_at)
