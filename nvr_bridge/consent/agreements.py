"""Consents and the templates that rest on them, as rows: written, renewed and ended in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ..errors import InvalidError
from ..events import EventLog
from ..models import Channel, Consent, Event, EventKind, RetentionClass
from ..store.schema import ConsentRow, Data, TemplateRow
from .ledger import Ledger
from .templates import Template, sealed, unsealed
from .vault import Vault

if TYPE_CHECKING:
    from ..models import Embedding


class Agreements:
    """One for the store. Keys are made before, and destroyed after, by the caller."""

    def __init__(self, vault: Vault, ledger: Ledger, log: EventLog) -> None:
        self._vault = vault
        self._ledger = ledger
        self._log = log

    async def add(
        self, session: AsyncSession, consent: Consent, embeddings: Sequence[Embedding], pack: str
    ) -> tuple[tuple[Template, ...], Event]:
        """A first consent, and what was measured with it."""
        return await self._write(session, consent, embeddings, pack, "consent_granted", "templates")

    async def renew(
        self, session: AsyncSession, consent: Consent, embeddings: Sequence[Embedding] | None, pack: str
    ) -> tuple[tuple[Template, ...], Event]:
        """A consent in place of the visitor's others, which stay as a record of what they agreed to before.

        The templates are of `embeddings`; without, those that there are, sealed anew: they rest on the new consent alone.
        Raises `InvalidError` where there is none.
        """
        mine = TemplateRow.visitor_id == consent.visitor_id
        measured = embeddings is not None
        if embeddings is None:
            rows = await session.scalars(select(TemplateRow).where(mine, TemplateRow.pack == pack))
            held = [template for row in rows if (template := unsealed(self._vault, row)) is not None]
            embeddings = [template.embedding for template in held]
        if not embeddings:
            raise InvalidError("alias: there is no template to renew; let the visitor agree again, by their face")
        await session.execute(delete(TemplateRow).where(mine))
        others = (ConsentRow.visitor_id == consent.visitor_id, ConsentRow.superseded_at.is_(None))
        await session.execute(update(ConsentRow).where(*others).values(superseded_at=consent.granted_at))
        count = "templates" if measured else "kept"  # only what was measured is an embedding that somebody may count
        return await self._write(session, consent, embeddings, pack, "consent_renewed", count)

    async def end(self, session: AsyncSession, visitor_id: str, now: float) -> int:
        """Nothing that the visitor agreed to stays → how many templates there were."""
        templates = TemplateRow.visitor_id == visitor_id
        ended = await session.scalar(select(func.count()).select_from(TemplateRow).where(templates)) or 0
        await session.execute(delete(TemplateRow).where(templates))
        await session.execute(delete(ConsentRow).where(ConsentRow.visitor_id == visitor_id))
        data: Data = {"class": RetentionClass.TEMPLATES.value, "removed": ended}
        await self._ledger.append(session, "purged", at=now, visitor_id=self._ledger.nameable(visitor_id), data=data)
        return ended

    async def _write(
        self, session: AsyncSession, consent: Consent, embeddings: Sequence[Embedding], pack: str, act: str, count: str
    ) -> tuple[tuple[Template, ...], Event]:
        await session.execute(insert(ConsentRow).values(asdict(consent) | {"zones": [*consent.zones]}))
        templates = tuple([await self._store(session, consent, vector, pack) for vector in embeddings])
        event = await self._log.append(
            session,
            kind=EventKind.CONSENT_GRANTED,
            occurred_at=consent.granted_at,
            zone_id=consent.zone_id,
            visitor_id=consent.visitor_id,
            data={"renewed": True} if act == "consent_renewed" else {},
        )
        await self._ledger.append(
            session,
            act,
            at=consent.granted_at,
            zone_id=consent.zone_id,
            visitor_id=consent.visitor_id,
            data={
                "notice_hash": consent.notice_hash,
                count: len(templates),
                "guardian": consent.guardian,
                "channel": consent.channel.value,
            },
        )
        return templates, event

    async def _store(self, session: AsyncSession, consent: Consent, vector: Embedding, pack: str) -> Template:
        row = sealed(self._vault, consent.visitor_id, consent.consent_id, vector, pack)
        session.add(row)
        await session.flush()
        return Template(
            row.template_id, consent.visitor_id, consent.consent_id, vector.astype(np.float32), consent.zones
        )


def consent_of(row: ConsentRow) -> Consent:
    """A row as a value."""
    return Consent(
        consent_id=row.consent_id,
        visitor_id=row.visitor_id,
        zone_id=row.zone_id,
        notice_hash=row.notice_hash,
        language=row.language,
        purpose=row.purpose,
        granted_at=row.granted_at,
        expires_at=row.expires_at,
        guardian=row.guardian,
        zones=tuple(row.zones or ()),
        channel=Channel(row.channel),
        superseded_at=row.superseded_at,
    )


def checked(consent: Consent, embeddings: Sequence[Embedding] | None) -> Consent:
    """The consent, or `InvalidError` for one that has expired, or for embeddings that are none."""
    if embeddings is not None and not (embeddings and all(map(_measured, embeddings))):
        raise InvalidError("embeddings: at least one is needed, each a vector of finite numbers")
    if consent.expires_at <= consent.granted_at:
        raise InvalidError("expires_at: has passed; give a time to come")
    return consent


def _measured(vector: Embedding) -> bool:
    return vector.ndim == 1 and bool(np.isfinite(vector).all())
