"""Signed contracts, each written with the visit that it opens or extends. Documents and contacts are keyed hashes."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..consent.ledger import Ledger
from ..models import Visit
from . import proof
from .database import Database, rows_of, within
from .schema_evidence import CoSignerRow, SigningRow
from .visits import Also


@dataclass(frozen=True, slots=True)
class NewSigning:
    """A contract that is signed now. Without a visitor, the document or else the contact stands for the person."""

    zone_id: str
    at: float
    visitor_id: str | None = None
    document: str | None = None
    full: str | None = None  # of the contact: its keyed hash, and that of its mask
    mask: str | None = None
    co_signers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredSigning:
    """A signing as it is kept: nobody's, once the visitor withdrew. A list leaves the co-signers out."""

    signing_id: str
    visitor_id: str | None
    document: str | None
    full: str | None
    mask: str | None
    zone_id: str
    at: float
    visit_id: str
    settled: dict[str, Any] | None  # the verdict as it was when its evidence was erased
    co_signers: tuple[str, ...] = ()

    @property
    def erased(self) -> bool:
        """Whether nothing says any more who signed."""
        return self.visitor_id is None and self.document is None and self.full is None


SIGNINGS = select(
    *(SigningRow.signing_id, SigningRow.visitor_id, SigningRow.document, SigningRow.contact_full),
    *(SigningRow.contact_mask, SigningRow.zone_id, SigningRow.at, SigningRow.visit_id, SigningRow.settled),
)
CO_SIGNERS = select(CoSignerRow.signing_id, CoSignerRow.visitor_id).order_by(CoSignerRow.visitor_id)


class SigningTable:
    """The signings and their co-signers."""

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    def sign(self, signing: NewSigning) -> tuple[str, Also]:
        """A new signing's id, and what writes it."""
        signing_id = uuid.uuid4().hex

        async def write(session: AsyncSession, visit: Visit) -> None:
            await self._write(session, signing_id, signing, visit.visit_id)

        return signing_id, write

    async def all(self) -> Sequence[StoredSigning]:
        """Every signing, the oldest first."""
        async with self._db.read() as session:
            others: dict[str, list[str]] = defaultdict(list)
            async for signing_id, visitor_id in rows_of(session, CO_SIGNERS):
                others[signing_id].append(visitor_id)
            wanted = SIGNINGS.order_by(SigningRow.at, SigningRow.signing_id)
            found = [StoredSigning(*row) async for row in rows_of(session, wanted)]
        return [replace(one, co_signers=tuple(others[one.signing_id])) for one in found]

    async def list(
        self, since: float | None, until: float | None, zone_id: str | None, limit: int
    ) -> Sequence[StoredSigning]:
        """The newest `limit` signings in [since, until), the newest first."""
        where = within(SigningRow.at, since, until, SigningRow.zone_id, zone_id)
        wanted = SIGNINGS.where(*where).order_by(SigningRow.at.desc(), SigningRow.signing_id).limit(limit)
        async with self._db.read() as session:
            return [StoredSigning(*row) async for row in rows_of(session, wanted)]

    async def signer(self, document: str) -> str | None:
        """The one visitor who signed with this document; None where there is none, or several."""
        wanted = select(SigningRow.visitor_id).where(
            SigningRow.document == document, SigningRow.visitor_id.is_not(None)
        )
        async with self._db.read() as session:
            found = list(await session.scalars(wanted.distinct().limit(2)))
        return found[0] if len(found) == 1 else None

    async def proven(self, visitor_id: str) -> bool:
        """Whether the visitor signed with a document."""
        wanted = select(exists().where(SigningRow.visitor_id == visitor_id, SigningRow.document.is_not(None)))
        async with self._db.read() as session:
            return bool((await session.execute(wanted)).scalar_one())

    # --- helpers ---

    async def _write(self, session: AsyncSession, signing_id: str, signing: NewSigning, visit_id: str) -> None:
        row = SigningRow(
            signing_id=signing_id,
            visitor_id=signing.visitor_id,
            document=signing.document,
            contact_full=signing.full,
            contact_mask=signing.mask,
            zone_id=signing.zone_id,
            at=signing.at,
            visit_id=visit_id,
            salt=proof.new_salt(),
            settled=None,
        )
        at, zone_id = signing.at, signing.zone_id
        act = {"proof": proof.of(proof.signing(row), row.salt)}
        entry = await self._ledger.append(
            session, "signed", at=at, zone_id=zone_id, visitor_id=signing.visitor_id, data={**act}
        )
        row.ledger = entry.number
        session.add(row)
        await session.flush()
        for visitor_id in sorted(signing.co_signers):
            other = CoSignerRow(signing_id=signing_id, visitor_id=visitor_id, salt=proof.new_salt())
            act = {"proof": proof.of(proof.co_signer(other), other.salt)}
            entry = await self._ledger.append(
                session, "co_signed", at=at, zone_id=zone_id, visitor_id=visitor_id, data={**act}
            )
            other.ledger = entry.number
            session.add(other)
        await session.flush()
