"""Cases: one for each visit, and their histories. A case is written with its visit, a review only ever added."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from sqlalchemy import and_, exists, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from .. import codes
from ..consent.ledger import Ledger
from ..consent.vault import Vault
from ..errors import NotFoundError
from ..models import CaseState, ReviewAct
from . import proof
from .database import PAGE, Database, rows_of
from .schema import VisitRow
from .schema_cases import CaseRow, ReviewRow

CODE = 8  # characters of a case's id: 40 bits


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case as it is kept."""

    case_id: str
    visit_id: str
    state: CaseState
    told: dict[str, Any] | None  # the verdict as it was last told; None: not yet
    opened_at: float


@dataclass(frozen=True, slots=True)
class NewReview:
    """Something that happens to a case."""

    act: ReviewAct
    state: CaseState  # of the case, from here on
    at: float
    attribution: str | None = None
    partner: str | None = None
    seen: dict[str, Any] | None = None  # the verdict as it is now
    token_id: str | None = None  # None: the engine itself
    token_name: str | None = None
    user_id: str | None = None
    referral_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StoredReview:
    """A review as it is kept, with its reason readable: None where there was none, or it was erased."""

    review_id: int
    case_id: str
    act: ReviewAct
    state: CaseState
    at: float
    attribution: str | None
    partner: str | None
    seen: dict[str, Any] | None
    token_id: str | None
    token_name: str | None
    user_id: str | None
    referral_id: str | None
    reason: str | None
    ledger: int | None

    @property
    def decides(self) -> bool:
        """Whether from here on the visit has this verdict."""
        return self.act in {ReviewAct.CONFIRM, ReviewAct.AGREE} or (
            self.act is ReviewAct.CHANGE and self.state is CaseState.CHANGED
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict that somebody set."""

    visit_id: str
    at: float
    attribution: str
    partner: str | None


_DECIDES = or_(  # as `StoredReview.decides`
    ReviewRow.act.in_([ReviewAct.CONFIRM.value, ReviewAct.AGREE.value]),
    and_(ReviewRow.act == ReviewAct.CHANGE.value, ReviewRow.state == CaseState.CHANGED.value),
)
DECISIONS = (
    select(CaseRow.visit_id, ReviewRow.at, ReviewRow.attribution, ReviewRow.partner)
    .join(CaseRow, CaseRow.case_id == ReviewRow.case_id)
    .where(_DECIDES)
)


_CASES = select(CaseRow.case_id, CaseRow.visit_id, CaseRow.state, CaseRow.told, CaseRow.opened_at)
_OPEN = CaseRow.state.not_in([state.value for state in (CaseState.CONFIRMED, CaseState.CHANGED, CaseState.CLOSED)])

_REVIEWED = CaseRow.case_id.in_(select(ReviewRow.case_id))  # few are, of very many: these are looked up one by one

# Given a case and its history, the oldest first: what happens to it, if anything. Raises why nothing may.
type Decide = Callable[[StoredCase, Sequence[StoredReview]], NewReview | None]


class CaseTable:
    """The cases."""

    def __init__(self, db: Database, vault: Vault, ledger: Ledger) -> None:
        self._db = db
        self._vault = vault
        self._ledger = ledger

    async def get(self, case_id: str) -> StoredCase:
        """The case of this id, however it was typed. Raises `NotFoundError`."""
        async with self._db.read() as session:
            return _case(await _row(session, case_id))

    async def of(self, visit_ids: Iterable[str]) -> dict[str, StoredCase]:
        """The cases of some visits, by visit."""
        found: dict[str, StoredCase] = {}
        async with self._db.read() as session:
            for part in batched(visit_ids, PAGE, strict=False):
                some = _CASES.where(CaseRow.visit_id.in_(part))
                found |= {
                    visit_id: StoredCase(case_id, visit_id, CaseState(state), *rest)
                    for case_id, visit_id, state, *rest in await session.execute(some)
                }
        return found

    async def history(self, case_id: str) -> Sequence[StoredReview]:
        """All that happened to a case, the oldest first."""
        async with self._db.read() as session:
            return await self._history(session, await _row(session, case_id))

    async def waiting(self) -> frozenset[str]:
        """The visits whose cases somebody put in question, whenever that was: reviewed before, and open."""
        wanted = select(CaseRow.visit_id).where(_OPEN, _REVIEWED)
        async with self._db.read() as session:
            return frozenset(await session.scalars(wanted))

    async def told_since(self, since: float) -> Sequence[tuple[str, str, int, dict[str, Any] | None]]:
        """Of the visits that began at `since` or later: visit, zone, earlier visits, and the verdict as last told."""
        wanted = (
            select(VisitRow.visit_id, VisitRow.zone_id, VisitRow.earlier, CaseRow.told)
            .join(CaseRow, CaseRow.visit_id == VisitRow.visit_id)
            .where(VisitRow.started_at >= since)
        )
        async with self._db.read() as session:
            return [(row[0], row[1], row[2], row[3]) async for row in rows_of(session, wanted)]

    async def may_wait(self, since: float, until: float) -> frozenset[str]:
        """The visits that began in [since, until) whose cases wait for somebody, or of which nothing was told yet."""
        waits = or_(
            CaseRow.state != CaseState.PROPOSED.value,
            CaseRow.told.is_(None),
            CaseRow.told["needs_review"].as_boolean(),
        )
        wanted = (
            select(CaseRow.visit_id)
            .join(VisitRow, VisitRow.visit_id == CaseRow.visit_id)
            .where(VisitRow.started_at >= since, VisitRow.started_at < until, _OPEN, waits)
        )
        async with self._db.read() as session:
            return frozenset(await session.scalars(wanted))

    async def count_waiting(self, before: float) -> int:
        """How many cases of visits that began before then wait for somebody, as last told: of those in `waiting`."""
        wanted = (
            select(func.count())
            .select_from(CaseRow)
            .join(VisitRow, VisitRow.visit_id == CaseRow.visit_id)
            .where(VisitRow.started_at < before, _OPEN, _REVIEWED, CaseRow.told["needs_review"].as_boolean())
        )
        async with self._db.read() as session:
            return await session.scalar(wanted) or 0

    async def decisions(self) -> Sequence[Decision]:
        """Every verdict that somebody set, the oldest first."""
        async with self._db.read() as session:
            return [Decision(*row) async for row in rows_of(session, DECISIONS.order_by(ReviewRow.review_id))]

    async def tell(self, session: AsyncSession, case_id: str, told: dict[str, Any], at: float) -> bool:
        """Keep, in the caller's write transaction, what is told of a case → whether that is another thing than before.

        That a visit has another verdict than it had is an act.
        """
        row = await _row(session, case_id)
        before, row.told = row.told, told
        if _verdict(before) != _verdict(told):
            row.told_at, row.salt = at, proof.new_salt()
            named = self._ledger.nameable(await _visitor(session, row))
            act = {"proof": proof.of(proof.verdict(row), row.salt)}
            entry = await self._ledger.append(session, "verdict_told", at=at, visitor_id=named, data={**act})
            row.ledger = entry.number
        return before != told

    async def review(self, session: AsyncSession, case_id: str, decide: Decide) -> StoredReview | None:
        """Add to a case's history, in the caller's write transaction, what `decide` makes of the case, if anything.

        Raises `NotFoundError`, and what `decide` raises.
        """
        case = await _row(session, case_id)
        visitor_id = await _visitor(session, case)
        new = decide(_case(case), await self._history(session, case))
        if new is None:
            return None
        row = ReviewRow(
            case_id=case.case_id,
            act=new.act.value,
            state=new.state.value,
            at=new.at,
            attribution=new.attribution,
            partner=new.partner,
            seen=new.seen,
            token_id=new.token_id,
            token_name=new.token_name,
            user_id=new.user_id,
            referral_id=new.referral_id,
            reason_sealed=None if new.reason is None else self._seal(visitor_id, new.reason, case.case_id),
            salt=proof.new_salt(),
        )
        act = await self._ledger.append(
            session,
            f"case_{new.act.value}",
            at=new.at,
            visitor_id=self._ledger.nameable(visitor_id),
            data={"proof": proof.of(proof.review(row, new.reason), row.salt)},
        )
        row.ledger = act.number
        session.add(row)
        case.state = new.state.value
        await session.flush()
        return self._review(row, visitor_id)

    async def _history(self, session: AsyncSession, case: CaseRow) -> Sequence[StoredReview]:
        visitor_id = await _visitor(session, case)
        rows = select(ReviewRow).where(ReviewRow.case_id == case.case_id).order_by(ReviewRow.review_id)
        return [self._review(row, visitor_id) for row in await session.scalars(rows)]

    def _review(self, row: ReviewRow, visitor_id: str | None) -> StoredReview:
        sealed = row.reason_sealed
        return StoredReview(
            review_id=row.review_id,
            case_id=row.case_id,
            act=ReviewAct(row.act),
            state=CaseState(row.state),
            at=row.at,
            attribution=row.attribution,
            partner=row.partner,
            seen=row.seen,
            token_id=row.token_id,
            token_name=row.token_name,
            user_id=row.user_id,
            referral_id=row.referral_id,
            reason=None if sealed is None else self._unseal(visitor_id, sealed, row.case_id),
            ledger=row.ledger,
        )

    def _seal(self, visitor_id: str | None, reason: str, case_id: str) -> bytes:
        if visitor_id is None:
            return self._vault.seal_site(reason.encode())
        return self._vault.seal(visitor_id, reason.encode(), reason_place(case_id))

    def _unseal(self, visitor_id: str | None, sealed: bytes, case_id: str) -> str | None:
        """None while the visitor is withdrawing: their key is gone already."""
        if visitor_id is None:
            return self._vault.unseal_site(sealed).decode()
        if not self._vault.has_key(visitor_id):
            return None
        return self._vault.unseal(visitor_id, sealed, reason_place(case_id)).decode()


async def open_case(session: AsyncSession, visit_id: str, at: float) -> str:
    """Write a new visit's case in the caller's write transaction → its id."""
    while True:
        case_id = codes.new(CODE)
        if not (await session.execute(select(exists().where(CaseRow.case_id == case_id)))).scalar_one():
            break
    values = {"case_id": case_id, "visit_id": visit_id, "state": CaseState.PROPOSED.value, "opened_at": at}
    await session.execute(insert(CaseRow).values(values))
    return case_id


# --- helpers ------------------------------------------------------------------------------------------------------


def _verdict(told: dict[str, Any] | None) -> list[Any] | None:
    """What of it the rules made, or a reviewer."""
    return None if told is None else [told.get(key) for key in proof.VERDICT]


async def _row(session: AsyncSession, case_id: str) -> CaseRow:
    row = await session.get(CaseRow, codes.grouped(codes.plain(case_id)))
    if row is None:
        raise NotFoundError(f"case: {case_id[:40]!r} does not exist; `nvr-bridge cases list` shows a day's cases")
    return row


async def _visitor(session: AsyncSession, case: CaseRow) -> str | None:
    return await session.scalar(select(VisitRow.visitor_id).where(VisitRow.visit_id == case.visit_id))


def _case(row: CaseRow) -> StoredCase:
    return StoredCase(row.case_id, row.visit_id, CaseState(row.state), row.told, row.opened_at)


def reason_place(case_id: str) -> bytes:
    """What binds a sealed reason to its case."""
    return f"review {case_id}".encode()
