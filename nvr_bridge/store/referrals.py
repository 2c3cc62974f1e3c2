"""Referrals: what partners claimed, and when it reached this engine.

A refusal depends on the partner's own referrals alone, so that nobody can probe for another's, or for who is here.
"""

from __future__ import annotations

import uuid
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, null, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..consent.ledger import Ledger
from ..consent.vault import Vault
from ..errors import AskError, ConflictError, InvalidError, NotFoundError
from . import proof
from .database import Database, rows_of
from .schema import Data, PartnerRow, ReferralRow

CLOCK_SLACK = 60.0  # seconds by which the clock of whoever files may be ahead of this engine's


@dataclass(frozen=True, slots=True)
class Filing:
    """A referral that somebody wants to file. `full` and `mask` are keyed hashes of the contact."""

    partner: str
    full: str | None  # None: the contact was given masked
    mask: str
    broker: str | None = None
    declared: float | None = None  # None: when it is filed
    expected: float | None = None


@dataclass(frozen=True, slots=True)
class StoredReferral:
    """A referral as it is kept."""

    referral_id: str
    partner: str
    broker: str | None
    full: str | None
    mask: str
    declared_at: float
    filed_at: float
    expected_at: float | None
    withdrawn_at: float | None


ARRIVED = select(
    *(ReferralRow.referral_id, ReferralRow.partner_id, null(), ReferralRow.contact_full),
    *(ReferralRow.contact_mask, ReferralRow.declared_at, ReferralRow.filed_at),
    *(ReferralRow.expected_at, ReferralRow.withdrawn_at),
)


class ReferralTable:
    """The referrals. `validity` tells the site's now: seconds that a referral lives from its own declaration."""

    def __init__(self, db: Database, vault: Vault, ledger: Ledger, validity: Callable[[], float]) -> None:
        self._db = db
        self._vault = vault
        self._ledger = ledger
        self.validity = validity

    async def file(self, filing: Filing, now: float) -> StoredReferral:
        """Keep one referral.

        Raises `NotFoundError` for an unknown partner, `InvalidError` for times that cannot be, `ConflictError` for a
        live duplicate of the partner's own.
        """
        async with self._db.write() as session:
            own = await self._own(session, {filing.partner})
            self._check(filing, now, own)
            (stored,) = await self._keep(session, [filing], now)
            return stored

    async def file_all(
        self, filings: Sequence[Filing], now: float
    ) -> tuple[Sequence[AskError | None], Sequence[StoredReferral]]:
        """Keep all of them, or none if any is refused → (for each why it is, or None; what was kept)."""
        async with self._db.write() as session:
            refusals = await self._try(session, filings, now)
            if any(refusals):
                return refusals, []
            return refusals, await self._keep(session, filings, now)

    async def refusals(self, filings: Sequence[Filing], now: float) -> Sequence[AskError | None]:
        """For each, why `file_all` would refuse it; None where it would not."""
        async with self._db.read() as session:
            return await self._try(session, filings, now)

    async def withdraw(self, referral_id: str, now: float, partner: str | None = None) -> None:
        """Take a referral back. Raises `NotFoundError`, and `ConflictError` if it was taken back already.

        For a `partner`, another's referral does not exist.
        """
        async with self._db.write() as session:
            row = await session.get(ReferralRow, referral_id)
            if row is None or partner not in {None, row.partner_id}:
                raise NotFoundError(f"referral: {referral_id!r} does not exist; `nvr-bridge referrals list` shows them")
            if row.withdrawn_at is not None:
                raise ConflictError(f"referral: {referral_id} was withdrawn already")
            row.withdrawn_at = now
            data = {"partner": row.partner_id, "proof": proof.of(proof.withdrawal(row), row.salt)}
            row.withdrawn_ledger = (
                await self._ledger.append(session, "referral_withdrawn", at=now, data={**data})
            ).number

    async def list(
        self, partner: str | None, live_at: float | None, limit: int | None = None
    ) -> Sequence[StoredReferral]:
        """The latest declared first; with `live_at` only those that are valid then."""
        where: list[ColumnElement[bool]] = []
        if partner is not None:
            where.append(ReferralRow.partner_id == partner)
        if live_at is not None:
            where += [
                ReferralRow.withdrawn_at.is_(None),
                ReferralRow.declared_at <= live_at,
                ReferralRow.declared_at >= live_at - self.validity(),
            ]
        latest = (ReferralRow.declared_at.desc(), ReferralRow.referral_id)
        async with self._db.read() as session:
            rows = await session.scalars(select(ReferralRow).where(*where).order_by(*latest).limit(limit))
            return [self._stored(row) for row in rows]

    async def arrived(self) -> Sequence[StoredReferral]:
        """Every referral in the order in which they reached this engine, without the brokers."""
        async with self._db.read() as session:
            return [StoredReferral(*row) async for row in rows_of(session, ARRIVED.order_by(ReferralRow.ledger))]

    # --- helpers ---

    async def _try(self, session: AsyncSession, filings: Sequence[Filing], now: float) -> Sequence[AskError | None]:
        own = await self._own(session, {filing.partner for filing in filings})
        found: Refusals = []
        for filing in filings:
            try:
                self._check(filing, now, own)
                found.append(None)
            except AskError as err:
                found.append(err)
        return tuple(found)

    async def _own(self, session: AsyncSession, partners: Iterable[str]) -> _Own:
        own: _Own = {}
        for partner in partners:
            if await session.get(PartnerRow, partner) is None:
                continue
            own[partner] = defaultdict(list)
            columns = (ReferralRow.contact_full, ReferralRow.contact_mask, ReferralRow.declared_at)
            kept = select(*columns).where(ReferralRow.partner_id == partner, ReferralRow.withdrawn_at.is_(None))
            for full, mask, declared_at in await session.execute(kept.order_by(ReferralRow.declared_at)):
                own[partner][full or mask].append(declared_at)
        return own

    def _check(self, filing: Filing, now: float, own: _Own) -> None:
        """Raises why it is refused; else counts it among the partner's own."""
        if filing.partner not in own:
            raise NotFoundError(f"partner: {filing.partner!r} is not registered; `nvr-bridge partners list` shows them")
        declared = _declared(filing, now)
        if filing.declared is not None and filing.declared > now + CLOCK_SLACK:
            raise InvalidError("declared: is in the future; a referral counts from when it was made")
        if filing.expected is not None and filing.expected < declared:
            raise InvalidError("expected: is before the filing; a referral is made ahead of the visit")
        times = own[filing.partner][filing.full or filing.mask]
        validity = self.validity()
        nearest = bisect_left(times, declared - validity)
        if nearest < len(times) and times[nearest] <= declared + validity:
            raise ConflictError(
                "referral: this partner has a live one of the same contact; withdraw that, or let it lapse"
            )
        insort(times, declared)

    async def _keep(self, session: AsyncSession, filings: Sequence[Filing], now: float) -> Sequence[StoredReferral]:
        rows = [
            ReferralRow(
                referral_id=uuid.uuid4().hex,
                partner_id=filing.partner,
                broker_sealed=None if filing.broker is None else self._vault.seal_site(filing.broker.encode()),
                contact_full=filing.full,
                contact_mask=filing.mask,
                declared_at=_declared(filing, now),
                filed_at=now,
                expected_at=filing.expected,
                withdrawn_at=None,
                salt=proof.new_salt(),
            )
            for filing in filings
        ]
        acts: list[Data] = [
            {"partner": row.partner_id, "proof": proof.of(proof.referral(row), row.salt)} for row in rows
        ]
        for row, entry in zip(rows, await self._ledger.append_all(session, "referral_filed", now, acts), strict=True):
            row.ledger = entry.number
        session.add_all(rows)
        return [self._stored(row) for row in rows]

    def _stored(self, row: ReferralRow) -> StoredReferral:
        return StoredReferral(
            referral_id=row.referral_id,
            partner=row.partner_id,
            broker=None if row.broker_sealed is None else self._vault.unseal_site(row.broker_sealed).decode(),
            full=row.contact_full,
            mask=row.contact_mask,
            declared_at=row.declared_at,
            filed_at=row.filed_at,
            expected_at=row.expected_at,
            withdrawn_at=row.withdrawn_at,
        )


type Refusals = list[AskError | None]
type _Own = dict[str, defaultdict[str, list[float]]]  # partner → contact as given → when declared, not withdrawn


def _declared(filing: Filing, now: float) -> float:
    return now if filing.declared is None else min(filing.declared, now)
