"""Corrections of who is who: visitors who are one person, or who are not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ..consent.ledger import Ledger
from ..errors import ConflictError, NotFoundError
from . import proof
from .database import Database, rows_of
from .schema import VisitorRow
from .schema_evidence import CorrectedRow, CorrectionRow, CoSignerRow, SigningRow

type Kind = Literal["split", "merge"]

_ACTS = {"split": "identity_split", "merge": "identity_merged"}


@dataclass(frozen=True, slots=True)
class StoredCorrection:
    """A correction, with those of its visitors who have not withdrawn: two at least."""

    correction_id: int
    kind: str
    at: float
    visitors: tuple[str, ...] = ()


CORRECTIONS = select(CorrectionRow.correction_id, CorrectionRow.kind, CorrectionRow.at)
CORRECTED = select(CorrectedRow.correction_id, CorrectedRow.visitor_id).order_by(CorrectedRow.visitor_id)


class CorrectionTable:
    """The corrections. Of two that contradict each other the later holds."""

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def correct(self, kind: Kind, visitors: Sequence[str], now: float) -> StoredCorrection:
        """Say of two or more visitors that they are one person, or different people.

        Raises `NotFoundError` for a visitor who has withdrawn, and `ConflictError` where it would change nothing: those
        who signed together are never one, and those who signed with one document are never two.
        """
        names = sorted(visitors)
        async with self._db.write() as session:
            present = set(await session.scalars(select(VisitorRow.visitor_id).where(VisitorRow.visitor_id.in_(names))))
            if len(present) < len(names):
                raise NotFoundError("aliases: one of them is no visitor's any more")
            if kind == "merge":
                await _refuse_co_signers(session, present)
            else:
                await _refuse_same_document(session, present)
            correction = CorrectionRow(kind=kind, at=now)
            session.add(correction)
            await session.flush()
            for visitor_id in names:
                await self._add(session, correction, visitor_id)
            return StoredCorrection(correction.correction_id, kind, now, tuple(names))

    async def all(self) -> Sequence[StoredCorrection]:
        """Every correction, the oldest first."""
        async with self._db.read() as session:
            members: dict[int, list[str]] = defaultdict(list)
            async for correction_id, visitor_id in rows_of(session, CORRECTED):
                members[correction_id].append(visitor_id)
            wanted = CORRECTIONS.order_by(CorrectionRow.correction_id)
            found = [StoredCorrection(*row) async for row in rows_of(session, wanted)]
        return [replace(one, visitors=tuple(members[one.correction_id])) for one in found]

    # --- helpers ---

    async def _add(self, session: AsyncSession, correction: CorrectionRow, visitor_id: str) -> None:
        row = CorrectedRow(correction_id=correction.correction_id, visitor_id=visitor_id, salt=proof.new_salt())
        act = {"proof": proof.of(proof.corrected(row, correction), row.salt)}
        entry = await self._ledger.append(
            session, _ACTS[correction.kind], at=correction.at, visitor_id=visitor_id, data={**act}
        )
        row.ledger = entry.number
        session.add(row)
        await session.flush()


async def _refuse_co_signers(session: AsyncSession, visitors: set[str]) -> None:
    others = select(CoSignerRow.signing_id, CoSignerRow.visitor_id).where(CoSignerRow.visitor_id.in_(visitors))
    signers = select(SigningRow.signing_id, SigningRow.visitor_id).where(SigningRow.visitor_id.in_(visitors))
    signed: dict[str, set[str | None]] = defaultdict(set)
    for wanted in (others, signers):
        for signing_id, visitor_id in await session.execute(wanted):
            signed[signing_id].add(visitor_id)
    if any(len(both) > 1 for both in signed.values()):
        raise ConflictError("aliases: two of them signed one contract together, so they are not one person")


async def _refuse_same_document(session: AsyncSession, visitors: set[str]) -> None:
    wanted = select(SigningRow.document, SigningRow.visitor_id).where(
        SigningRow.visitor_id.in_(visitors), SigningRow.document.is_not(None)
    )
    owners: dict[str | None, set[str | None]] = defaultdict(set)
    for document, visitor_id in await session.execute(wanted):
        owners[document].add(visitor_id)
    if any(len(both) > 1 for both in owners.values()):
        raise ConflictError("aliases: two of them signed with the same document, so they are one person")
