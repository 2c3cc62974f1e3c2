"""What the store holds about one case, as the ledger committed to it: each fact with what opens its entry."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from . import proof
from .database import Database
from .proof import Content
from .schema import CheckInRow, PassScanRow, ReferralRow, SightingRow
from .schema_cases import CaseRow, ReviewRow
from .schema_evidence import SigningRow

Kind = Literal["sighting", "pass", "check_in", "signing", "referral", "withdrawal", "verdict", "review"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact. Without salt and number (of an older version, or erased) nothing proves it."""

    kind: Kind
    row: int | str  # its id in its table
    content: Content
    salt: str | None
    ledger: int | None


class RecordedFacts:
    """Reads the store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_visit(self, visit_id: str) -> Sequence[Recorded]:
        """What a visit consists of, the oldest first."""
        async with self._db.read() as session:
            seen = await session.scalars(
                select(SightingRow).where(SightingRow.visit_id == visit_id, SightingRow.score.is_not(None))
            )
            scans = await session.scalars(select(PassScanRow).where(PassScanRow.visit_id == visit_id))
            check_ins = await session.scalars(select(CheckInRow).where(CheckInRow.visit_id == visit_id))
            signed = await session.scalars(select(SigningRow).where(SigningRow.visit_id == visit_id))
            found = [
                *(Recorded("sighting", row.sighting_id, proof.sighting(row), row.salt, row.ledger) for row in seen),
                *(Recorded("pass", row.scan_id, proof.scan(row), row.salt, row.ledger) for row in scans),
                *(
                    Recorded("check_in", row.check_in_id, proof.check_in(row), row.salt, row.ledger)
                    for row in check_ins
                ),
                *(Recorded("signing", row.signing_id, proof.signing(row), row.salt, row.ledger) for row in signed),
            ]
        return sorted(found, key=lambda fact: (fact.content["at"], fact.kind, str(fact.row)))

    async def of_referrals(self, referral_ids: Collection[str]) -> Sequence[Recorded]:
        """That they were filed, the first declared first, and that they were taken back."""
        found = []
        async with self._db.read() as session:
            wanted = select(ReferralRow).where(ReferralRow.referral_id.in_(referral_ids))
            for row in await session.scalars(wanted.order_by(ReferralRow.declared_at, ReferralRow.referral_id)):
                found.append(Recorded("referral", row.referral_id, proof.referral(row), row.salt, row.ledger))
                if row.withdrawn_at is not None:
                    taken_back = proof.withdrawal(row)
                    found.append(Recorded("withdrawal", row.referral_id, taken_back, row.salt, row.withdrawn_ledger))
        return found

    async def told(self, case_id: str) -> Sequence[Recorded]:
        """The verdict that was told of a case last, if one was."""
        async with self._db.read() as session:
            row = await session.get(CaseRow, case_id)
            if row is None or row.told_at is None:
                return []
            return [Recorded("verdict", case_id, proof.verdict(row), row.salt, row.ledger)]

    async def of_case(self, case_id: str, reasons: Mapping[int, str | None]) -> Sequence[Recorded]:
        """What happened to a case, the oldest first; `reasons` are readable, by review."""
        async with self._db.read() as session:
            wanted = select(ReviewRow).where(ReviewRow.case_id == case_id).order_by(ReviewRow.review_id)
            return [
                Recorded("review", row.review_id, proof.review(row, reasons.get(row.review_id)), row.salt, row.ledger)
                for row in await session.scalars(wanted)
            ]
