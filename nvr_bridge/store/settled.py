"""What goes with a visitor beside the rows that name them, and what stays of it: the verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from .schema import CheckInRow, VisitRow
from .schema_evidence import SigningRow


@dataclass(frozen=True, slots=True)
class Settled:
    """The verdicts that stay when evidence is erased, by visit and by signing."""

    visits: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    signings: Mapping[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alone:
    """Check-ins and signings that do not name the visitor, and can be nobody else's."""

    check_ins: frozenset[int]
    signings: frozenset[str]
    visits: frozenset[str]  # that they are part of


async def settle(session: AsyncSession, settled: Settled) -> None:
    """Keep these verdicts, in the caller's transaction. One that was settled before stays as it was then."""
    for visit_id, verdict in settled.visits.items():
        unsettled = (VisitRow.visit_id == visit_id, VisitRow.settled.is_(None))
        await session.execute(update(VisitRow).where(*unsettled).values(settled=verdict))
    for signing_id, verdict in settled.signings.items():
        still = (SigningRow.signing_id == signing_id, SigningRow.settled.is_(None))
        await session.execute(update(SigningRow).where(*still).values(settled=verdict))


async def told_alone(session: AsyncSession, visitor_id: str) -> Alone:
    """What was told under the visitor's documents and contacts alone, unless somebody else gave the same."""
    documents = set(await session.scalars(select(SigningRow.document).where(SigningRow.visitor_id == visitor_id)))
    documents -= set(await session.scalars(select(SigningRow.document).where(SigningRow.visitor_id != visitor_id)))
    unnamed = SigningRow.visitor_id.is_(None)
    proven = (unnamed, SigningRow.document.in_(documents))
    contacts: set[str | None] = set()
    for table in (CheckInRow, SigningRow):
        contacts |= set(await session.scalars(select(table.contact_full).where(table.visitor_id == visitor_id)))
    contacts |= set(await session.scalars(select(SigningRow.contact_full).where(*proven)))
    for table in (CheckInRow, SigningRow):
        others = (table.visitor_id != visitor_id, table.contact_full.in_(contacts))
        contacts -= set(await session.scalars(select(table.contact_full).where(*others)))
    claimed = (unnamed, SigningRow.document.is_(None), SigningRow.contact_full.in_(contacts))
    check_ins: dict[int, str] = {}
    signings: dict[str, str] = {}
    for where in (proven, claimed):
        for row in await session.execute(select(SigningRow.signing_id, SigningRow.visit_id).where(*where)):
            signings[row.signing_id] = row.visit_id
    under = (CheckInRow.visitor_id.is_(None), CheckInRow.contact_full.in_(contacts))
    for given in await session.execute(select(CheckInRow.check_in_id, CheckInRow.visit_id).where(*under)):
        check_ins[given.check_in_id] = given.visit_id
    visits = frozenset({*check_ins.values(), *signings.values()})
    return Alone(frozenset(check_ins), frozenset(signings), visits)
