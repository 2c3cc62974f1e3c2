"""The evidence that can concern some visits, read through the indexes: as far as `visits.components` would connect it.

From what is known (visitors, contacts, documents, …) every row that shares it is looked up, then what those rows name, until
nothing new is found. All of it is one snapshot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from ..models import Visit
from .cases import DECISIONS, Decision
from .corrections import CORRECTED, CORRECTIONS, StoredCorrection
from .database import PAGE, Database, rows_of
from .referrals import ARRIVED, StoredReferral
from .registrations import CHECK_INS, SCANS, Scan, StoredCheckIn
from .schema import CheckInRow, PassScanRow, ReferralRow, SightingRow, VisitRow
from .schema_cases import CaseRow, ReviewRow
from .schema_evidence import CorrectedRow, CorrectionRow, CoSignerRow, SigningRow, StaffRow
from .sightings import KNOWN, KnownSighting
from .signings import CO_SIGNERS, SIGNINGS, StoredSigning
from .staff import MARKS, StoredMark
from .visits import VISITS

type Keys = dict[str, set[Any]]  # by kind: the values that connect
type _Columns = Mapping[str, InstrumentedAttribute[Any]]
type _Wanted = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Around:
    """What was found, each kind in the order in which the whole store is read."""

    referrals: Sequence[StoredReferral]
    scans: Sequence[Scan]
    check_ins: Sequence[StoredCheckIn]
    signings: Sequence[StoredSigning]
    sightings: Sequence[KnownSighting]
    marks: Sequence[StoredMark]
    corrections: Sequence[StoredCorrection]
    visits: Sequence[Visit]
    decisions: Sequence[Decision]


class Reach:
    """Reads what belongs together."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def around(
        self, visits: Collection[str] = (), referrals: Collection[str] = (), visitors: Collection[str] = ()
    ) -> Around:
        """All evidence that is connected with any of these, and the visits that it is part of."""
        start: Keys = {"visitor": {*visitors}, "referral": {*referrals}}
        async with self._db.read() as session:
            for columns in _OF_VISITS:
                start = _joined(start, await _named(session, columns, {"visit": {*visits}}))
            return await _rows(session, await _closure(session, start), visits)


# --- helpers ------------------------------------------------------------------------------------------------------

_CONTACT: _Columns = {"contact": CheckInRow.contact_full, "mask": CheckInRow.contact_mask}
_SIGNED: _Columns = {
    "signing": SigningRow.signing_id,
    "visitor": SigningRow.visitor_id,
    "document": SigningRow.document,
    "contact": SigningRow.contact_full,
    "mask": SigningRow.contact_mask,
}
# What each row connects.
_LINKS: tuple[_Columns, ...] = (
    {"visitor": CheckInRow.visitor_id, **_CONTACT},
    _SIGNED,
    {"signing": CoSignerRow.signing_id, "visitor": CoSignerRow.visitor_id},
    {"correction": CorrectedRow.correction_id, "visitor": CorrectedRow.visitor_id},
    {"referral": ReferralRow.referral_id, "contact": ReferralRow.contact_full, "mask": ReferralRow.contact_mask},
)
# Whose visits they are.
_OF_VISITS: tuple[_Columns, ...] = (
    {"visit": VisitRow.visit_id, "visitor": VisitRow.visitor_id},
    {"visit": PassScanRow.visit_id, "visitor": PassScanRow.visitor_id},
    {"visit": SightingRow.visit_id, "visitor": SightingRow.visitor_id},
    {"visit": CheckInRow.visit_id, "visitor": CheckInRow.visitor_id, **_CONTACT},
    {"visit": SigningRow.visit_id, **_SIGNED},
)


async def _closure(session: AsyncSession, start: Keys) -> Keys:
    """Everything that rows connect with `start`."""
    known: Keys = defaultdict(set)
    seen_masks: set[str] = set()
    new = start
    while any(new.values()):
        masks = new.get("mask", set()) - seen_masks
        seen_masks |= masks
        new = {**new, "mask": await _claimed(session, masks)}
        known = _joined(known, new)
        found: Keys = {}
        for columns in _LINKS:
            found = _joined(found, await _named(session, columns, new))
        new = {kind: values - known.get(kind, set()) for kind, values in found.items() if kind != "mask"}
        new["mask"] = found.get("mask", set()) - seen_masks
    return known


async def _claimed(session: AsyncSession, masks: set[str]) -> set[str]:
    """Those masks that a masked referral has: only these connect."""
    wanted = select(ReferralRow.contact_mask).where(ReferralRow.contact_full.is_(None))
    return {row[0] async for row in _some(session, wanted, {"mask": ReferralRow.contact_mask}, {"mask": masks})}


async def _named(session: AsyncSession, columns: _Columns, keys: Keys) -> Keys:
    """All that the rows name which hold any of `keys`; not which visits they are part of."""
    named: Keys = {kind: set() for kind in columns if kind != "visit"}
    wanted = select(*(columns[kind] for kind in named))
    async for row in _some(session, wanted, columns, keys):
        for name, value in zip(named, row, strict=True):
            if value is not None:
                named[name].add(value)
    return named


async def _rows(session: AsyncSession, keys: Keys, visits: Collection[str]) -> Around:
    async def read[T](
        wanted: _Wanted, make: Callable[..., T], order: Sequence[InstrumentedAttribute[Any]], columns: _Columns
    ) -> list[T]:
        """The rows that hold any of the keys, each once, in their order."""
        found: dict[tuple[Any, ...], T] = {}
        async for row in _some(session, wanted.add_columns(*order), columns, keys):
            found[row[-len(order) :]] = make(*row[: -len(order)])
        return [found[place] for place in sorted(found)]

    scans = await read(SCANS, Scan, (PassScanRow.at, PassScanRow.scan_id), {"visitor": PassScanRow.visitor_id})
    given = {"visitor": CheckInRow.visitor_id, "contact": CheckInRow.contact_full}
    check_ins = await read(CHECK_INS, StoredCheckIn, (CheckInRow.at, CheckInRow.check_in_id), given)
    signings = await read(SIGNINGS, StoredSigning, (SigningRow.at, SigningRow.signing_id), _SIGNED)
    others = await _grouped(session, CO_SIGNERS, CoSignerRow.signing_id, [one.signing_id for one in signings])
    sightings = await read(KNOWN, KnownSighting, (SightingRow.sighting_id,), {"visitor": SightingRow.visitor_id})
    said = {"correction": CorrectionRow.correction_id}
    corrections = await read(CORRECTIONS, StoredCorrection, (CorrectionRow.correction_id,), said)
    corrected = await _grouped(session, CORRECTED, CorrectedRow.correction_id, keys.get("correction", ()))
    present = (one.visit_id for rows in (scans, check_ins, signings, sightings) for one in rows)
    keys = {**keys, "visit": {*visits, *present} - {None}}
    whose = {"visitor": VisitRow.visitor_id, "visit": VisitRow.visit_id}
    decided = {"visit": CaseRow.visit_id}
    return Around(
        referrals=await read(ARRIVED, StoredReferral, (ReferralRow.ledger,), _LINKS[-1]),
        scans=scans,
        check_ins=check_ins,
        signings=[replace(one, co_signers=tuple(others[one.signing_id])) for one in signings],
        sightings=sightings,
        marks=await read(MARKS, StoredMark, (StaffRow.mark_id,), {"visitor": StaffRow.visitor_id}),
        corrections=[replace(one, visitors=tuple(corrected[one.correction_id])) for one in corrections],
        visits=await read(VISITS, Visit, (VisitRow.started_at, VisitRow.visit_id), whose),
        decisions=await read(DECISIONS, Decision, (ReviewRow.review_id,), decided),
    )


async def _grouped(
    session: AsyncSession, wanted: _Wanted, column: InstrumentedAttribute[Any], values: Iterable[Any]
) -> dict[Any, list[str]]:
    found: dict[Any, list[str]] = defaultdict(list)
    async for key, visitor_id in _some(session, wanted, {"key": column}, {"key": {*values}}):
        found[key].append(visitor_id)
    return found


async def _some(
    session: AsyncSession, wanted: _Wanted, columns: _Columns, keys: Keys
) -> AsyncIterator[tuple[Any, ...]]:
    """The rows that hold any of the keys. One that holds several may come more than once."""
    pairs = ((kind, value) for kind in columns for value in keys.get(kind, ()))
    for part in batched(pairs, PAGE, strict=False):
        values: Keys = defaultdict(set)
        for kind, value in part:
            values[kind].add(value)
        # Each of these columns has an index, and SQLite uses all of them.
        any_of = or_(*(columns[kind].in_(some) for kind, some in values.items()))
        async for row in rows_of(session, wanted.where(any_of)):
            yield row


def _joined(one: Keys, other: Keys) -> Keys:
    return {kind: one.get(kind, set()) | other.get(kind, set()) for kind in one.keys() | other.keys()}
