"""What a crash left half-done: keys without their rows, and rows without their keys."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from ..models import Consent
from ..store.database import Database
from ..store.schema import ConsentRow, TemplateRow, VisitorRow
from .agreements import consent_of
from .vault import Vault, consent_key

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Remains:
    """The store and the keys, held against each other."""

    visitors: Sequence[VisitorRow]  # all
    agreed: Sequence[Consent]  # all that are in force
    orphans: frozenset[str]  # keys that nothing of the store has: to be destroyed
    keyless: frozenset[str]  # visitors whose keys are gone: to be erased
    lapsing: frozenset[str]  # visitors whose consent's key is gone, and who stay: what they agreed to is to be ended


async def look(db: Database, vault: Vault) -> Remains:
    """Compare, and say what is found. Whatever is readable only with a key that is gone is gone, so the key decides."""
    async with db.read() as session:
        visitors = list(await session.scalars(select(VisitorRow)))
        in_force = select(ConsentRow).where(ConsentRow.superseded_at.is_(None))
        agreed = [consent_of(row) for row in await session.scalars(in_force)]
        sealed = set(await session.scalars(select(TemplateRow.consent_id).where(TemplateRow.own_key)))
    known = {row.visitor_id for row in visitors}
    keyless = frozenset(known - vault.visitors)
    kept = {consent_key(one.consent_id) for one in agreed if one.visitor_id not in keyless}
    locked = [one for one in agreed if consent_key(one.consent_id) not in vault.consents]
    orphans = (vault.visitors - known) | (vault.consents - kept)
    lapsing = frozenset(one.visitor_id for one in locked if one.consent_id in sealed) - keyless
    if orphans:
        _LOG.warning("consent: removing %d keys that no visitor of the store has", len(orphans))
    if keyless or lapsing:
        ends = (len(keyless), len(lapsing))
        _LOG.warning("consent: erasing %d visitors, and %d consents, whose keys are gone", *ends)
    return Remains(visitors, agreed, orphans, keyless, lapsing)
