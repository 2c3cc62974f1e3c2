"""Who agreed to what: consents, templates and aliases, from the agreement to the withdrawal."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..errors import ErasureOwedError, InvalidError, NotFoundError, RetryError
from ..events import EventLog
from ..evidence.receipt import ACT
from ..models import Consent, Event, EventKind, RetentionClass
from ..store.database import Database
from ..store.finish import to_the_end
from ..store.schema import ConsentRow, Data, TemplateRow, VisitorRow
from ..store.settled import Settled
from .alias import new_alias, plain
from .erasure import Withdrawn, erase_rows
from .ledger import Ledger
from .receipts import counted, promise
from .templates import Template, sealed, unsealed
from .vault import Vault, consent_key

if TYPE_CHECKING:
    from ..models import Embedding

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Granted:
    """A consent that the store has committed, and what comes with it."""

    consent: Consent
    alias: str
    templates: tuple[Template, ...]
    event: Event


class Records:
    """The visitors. Made by `open`."""

    def __init__(self, db: Database, vault: Vault, ledger: Ledger, log: EventLog) -> None:
        self._db = db
        self._vault = vault
        self._ledger = ledger
        self._log = log
        self._aliases: dict[str, str] = {}  # by visitor
        self._agreed: dict[str, frozenset[str]] = {}  # the consents of those who gave one
        self._changing = asyncio.Lock()

    @classmethod
    async def open(
        cls, db: Database, vault: Vault, ledger: Ledger, log: EventLog, clock: Callable[[], float] = time.time
    ) -> Records:
        """Finish what a crash interrupted, and read the aliases."""
        records = cls(db, vault, ledger, log)
        await to_the_end(records._recover(clock()))
        return records

    @property
    def subjects(self) -> int:
        """How many people agreed to be remembered; holders of a pass alone are not among them."""
        return len(self._agreed)

    def alias(self, visitor_id: str) -> str | None:
        """What the visitor is called, or None once they withdrew."""
        return self._aliases.get(visitor_id)

    def agreed(self, visitor_id: str) -> bool:
        """Whether the visitor agreed to be recognised; who holds a pass alone did not."""
        return visitor_id in self._agreed

    async def visitor_for(self, alias: str) -> str | None:
        """Whose alias this is, however it was typed."""
        wanted = select(VisitorRow.visitor_id).where(VisitorRow.alias_tag == self._tag(alias))
        async with self._db.read() as session:
            return await session.scalar(wanted)

    async def consents(self) -> list[Consent]:
        """Every consent that is kept, the oldest first."""
        async with self._db.read() as session:
            rows = await session.scalars(select(ConsentRow).order_by(ConsentRow.granted_at))
            return [_consent(row) for row in rows if self._vault.has_key(row.visitor_id)]

    async def expired(self, now: float) -> list[str]:
        """The visitors none of whose consents reaches beyond `now`: to be withdrawn."""
        over = (
            select(ConsentRow.visitor_id).group_by(ConsentRow.visitor_id).having(func.max(ConsentRow.expires_at) <= now)
        )
        async with self._db.read() as session:
            return list(await session.scalars(over))

    async def templates(self, pack: str = "default") -> list[Template]:
        """Every template that this pack's embedder made."""
        async with self._db.read() as session:
            wanted = select(TemplateRow).where(TemplateRow.pack == pack).order_by(TemplateRow.template_id)
            rows = list(await session.scalars(wanted))
        found = await asyncio.to_thread(lambda: [unsealed(self._vault, row) for row in rows])
        return [template for template in found if template and self._stands(template)]

    async def grant(
        self,
        *,
        zone_id: str,
        notice_hash: str,
        language: str,
        purpose: str,
        expires_at: float,
        guardian: bool,
        embeddings: Sequence[Embedding],
        now: float,
        pack: str = "default",
    ) -> Granted:
        """Remember a visitor who agreed: key, consent, templates and alias, all of it or none.

        `embeddings` are (dimension,) of one person. Raises `InvalidError` without one, or for an expiry that has passed.
        """
        if not embeddings or not all(vector.ndim == 1 and np.isfinite(vector).all() for vector in embeddings):
            raise InvalidError("embeddings: at least one is needed, each a vector of finite numbers")
        if expires_at <= now:
            raise InvalidError("expires_at: has passed; give a time to come")
        visitor_id = uuid.uuid4().hex
        consent = Consent(
            uuid.uuid4().hex, visitor_id, zone_id, notice_hash, language, purpose, now, expires_at, guardian
        )
        async with self._changing:
            return await to_the_end(self._grant(consent, embeddings, pack))

    async def admit(self, write: Callable[[AsyncSession, str], Awaitable[None]]) -> tuple[str, str]:
        """Somebody who is not to be recognised: key, alias and what `write` adds → (the visitor, the alias)."""
        visitor_id = uuid.uuid4().hex
        async with self._changing:
            alias, _ = await to_the_end(self._remember(visitor_id, write))
        return visitor_id, alias

    async def compared(self, zone_id: str, runs: int) -> None:
        """A face was embedded, and then not remembered after all: that is an act too, and all that is left of it."""
        if runs:
            await self._ledger.record("compared", zone_id, {"runs": runs})

    def changing(self) -> asyncio.Lock:
        """Held while visitors come and go: whoever holds it finds those of a moment ago."""
        return self._changing

    async def withdraw(
        self,
        visitor_id: str,
        now: float,
        erased: Callable[[Withdrawn], None] | None = None,
        settled: Settled | None = None,
        *,
        lapsed: bool = False,
    ) -> Withdrawn:
        """Erase a visitor for good: the keys, the rows, and what the write-ahead log holds of them.

        `erased` is called once the store has committed, before the log is cut and anything else is written: what is to be
        told is then told in its turn, also if the log cannot be cut or the caller is cancelled. `settled` are the
        verdicts that stay. `lapsed`: nobody withdrew, but nothing of the visitor is to be kept any longer.

        Raises `NotFoundError`, and `ErasureOwedError` if another program keeps the log from being cut. After any other
        `RetryError` (a full disk) it can be called again.
        """
        async with self._changing:
            return await to_the_end(self._withdraw(visitor_id, now, erased, settled or Settled(), lapsed))

    async def lapse(self, visitor_id: str, now: float) -> int:
        """End what a visitor agreed to, and keep what else there is of them → how many templates that were.

        The consents' keys are destroyed first, so that no backup's copy can be read either. Does nothing for a visitor
        without a consent. The caller has the log cut.
        """
        async with self._changing:
            return await to_the_end(self._lapse(visitor_id, now))

    async def _grant(self, consent: Consent, embeddings: Sequence[Embedding], pack: str) -> Granted:
        async def write(session: AsyncSession, visitor_id: str) -> tuple[tuple[Template, ...], Event]:
            await session.execute(insert(ConsentRow).values(asdict(consent)))
            templates = tuple([await self._store(session, consent, vector, pack) for vector in embeddings])
            event = await self._log.append(
                session,
                kind=EventKind.CONSENT_GRANTED,
                occurred_at=consent.granted_at,
                zone_id=consent.zone_id,
                visitor_id=visitor_id,
            )
            await self._ledger.append(
                session,
                "consent_granted",
                at=consent.granted_at,
                zone_id=consent.zone_id,
                visitor_id=visitor_id,
                data={"notice_hash": consent.notice_hash, "templates": len(templates), "guardian": consent.guardian},
            )
            return templates, event

        key = consent_key(consent.consent_id)
        alias, (templates, event) = await self._remember(consent.visitor_id, write, key)
        self._agreed[consent.visitor_id] = frozenset({consent.consent_id})
        return Granted(consent, alias, templates, event)

    async def _remember[T](
        self, visitor_id: str, write: Callable[[AsyncSession, str], Awaitable[T]], *keys: str
    ) -> tuple[str, T]:
        """Keys, an alias, and what `write` adds in the same transaction: all of it or none → (the alias, that)."""
        await self._vault.new_key(visitor_id, *keys)
        committed = False
        try:
            async with self._db.write() as session:
                alias = await self._free_alias(session)
                sealed = self._vault.seal(visitor_id, alias.encode(), b"alias")
                await session.execute(
                    insert(VisitorRow).values(visitor_id=visitor_id, alias_tag=self._tag(alias), alias_sealed=sealed)
                )
                written = await write(session, visitor_id)
            committed = True
        finally:
            if not committed:
                await self._vault.destroy_key(visitor_id, *keys)
        self._aliases[visitor_id] = alias
        return alias, written

    async def _store(self, session: AsyncSession, consent: Consent, vector: Embedding, pack: str) -> Template:
        row = sealed(self._vault, consent.visitor_id, consent.consent_id, vector, pack)
        session.add(row)
        await session.flush()
        return Template(row.template_id, consent.visitor_id, consent.consent_id, vector.astype(np.float32))

    async def _withdraw(
        self,
        visitor_id: str,
        now: float,
        erased: Callable[[Withdrawn], None] | None,
        settled: Settled,
        lapsed: bool,
    ) -> Withdrawn:
        alias = self._aliases.get(visitor_id)
        if alias is None:
            raise NotFoundError(f"visitor {visitor_id}: is not remembered; they withdrew, or were never here")
        # A key that is gone already was destroyed by a call that then failed: this one does the rest.
        subject = self._vault.subject(visitor_id) if self._vault.has_key(visitor_id) else None
        await self._vault.destroy_key(visitor_id, *map(consent_key, self._agreed.get(visitor_id, ())))
        async with self._db.write() as session:
            withdrawn = await self._erase(session, visitor_id, alias, now, subject, settled, lapsed=lapsed)
        del self._aliases[visitor_id]
        self._agreed.pop(visitor_id, None)
        if erased is not None:
            erased(withdrawn)
        try:
            await self._db.checkpoint()
        except RetryError as err:
            raise ErasureOwedError(str(err)) from err
        return withdrawn

    async def _lapse(self, visitor_id: str, now: float) -> int:
        consents = self._agreed.get(visitor_id, frozenset())
        await self._vault.destroy_key(*map(consent_key, consents))
        async with self._db.write() as session:
            ended = await self._end(session, visitor_id, now)
        self._agreed.pop(visitor_id, None)
        return ended

    async def _end(self, session: AsyncSession, visitor_id: str, now: float) -> int:
        templates = TemplateRow.visitor_id == visitor_id
        ended = await session.scalar(select(func.count()).select_from(TemplateRow).where(templates)) or 0
        await session.execute(delete(TemplateRow).where(templates))
        await session.execute(delete(ConsentRow).where(ConsentRow.visitor_id == visitor_id))
        data: Data = {"class": RetentionClass.TEMPLATES.value, "removed": ended}
        await self._ledger.append(session, "purged", at=now, visitor_id=visitor_id, data=data)
        return ended

    async def _erase(
        self,
        session: AsyncSession,
        visitor_id: str,
        alias: str,
        now: float,
        subject: Callable[[int], str] | None,
        settled: Settled,
        *,
        lapsed: bool = False,
    ) -> Withdrawn:
        until = select(func.max(ConsentRow.expires_at)).where(ConsentRow.visitor_id == visitor_id)
        expires_at = (await session.execute(until)).scalar_one_or_none()
        data = {"expired": expires_at is not None and expires_at <= now}
        if lapsed:
            data["lapsed"] = True
        counts = await counted(session, visitor_id)
        zone_id, visit_ids = await erase_rows(session, visitor_id, settled)
        event = await self._log.append(
            session, kind=EventKind.CONSENT_WITHDRAWN, occurred_at=now, zone_id=zone_id, data={**data}
        )
        entry = await self._ledger.append(session, ACT, at=now, zone_id=zone_id or None, subject=subject, data={**data})
        promise(session, entry, visitor_id, counts)
        return Withdrawn(alias, visit_ids, event, entry.number)

    async def _recover(self, now: float) -> None:
        async with self._db.read() as session:
            rows = list(await session.scalars(select(VisitorRow)))
            agreed = [(one, whose) for one, whose in await session.execute(_OWNERS)]
            sealed = set(await session.scalars(select(TemplateRow.consent_id).where(TemplateRow.own_key)))
        known = {row.visitor_id for row in rows}
        keyless = sorted(known - self._vault.visitors)
        kept = {consent_key(one) for one, whose in agreed if whose not in keyless}
        orphans = (self._vault.visitors - known) | (self._vault.consents - kept)
        if orphans:
            _LOG.warning("consent: destroying %d keys that no visitor of the store has", len(orphans))
            await self._vault.destroy_key(*orphans)
        lapsing = {whose for one, whose in agreed if one in sealed and consent_key(one) not in self._vault.consents}
        for visitor_id in sorted(lapsing.difference(keyless)):
            _LOG.warning("consent: ending a consent whose key is gone")
            async with self._db.write() as session:
                await self._end(session, visitor_id, now)
        if keyless:
            _LOG.warning("consent: erasing %d visitors whose keys are gone", len(keyless))
            async with self._db.write() as session:
                for visitor_id in keyless:
                    await self._erase(session, visitor_id, "", now, None, Settled())
        if keyless or lapsing:
            try:
                await self._db.checkpoint()
            except RetryError as err:
                _LOG.warning("%s", err)
        self._agreed = _by_visitor(agreed, lapsing.union(keyless))
        held = [row for row in rows if row.visitor_id not in keyless]
        self._aliases = await asyncio.to_thread(lambda: {row.visitor_id: self._unseal_alias(row) for row in held})

    def _stands(self, template: Template) -> bool:
        """Whether the consent that it rests on has not ended meanwhile."""
        held = template.consent_id in self._agreed.get(template.visitor_id, ())
        return held and self._vault.has_key(template.visitor_id)

    async def _free_alias(self, session: AsyncSession) -> str:
        while True:
            alias = new_alias()
            taken = select(exists().where(VisitorRow.alias_tag == self._tag(alias)))
            if not (await session.execute(taken)).scalar_one():
                return alias

    def _tag(self, alias: str) -> str:
        return self._vault.tag("alias", plain(alias))

    def _unseal_alias(self, row: VisitorRow) -> str:
        return self._vault.unseal(row.visitor_id, row.alias_sealed, b"alias").decode()


_OWNERS = select(ConsentRow.consent_id, ConsentRow.visitor_id)


def _by_visitor(consents: Iterable[tuple[str, str]], gone: Collection[str]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for consent_id, visitor_id in consents:
        if visitor_id not in gone:
            found[visitor_id] = found.get(visitor_id, frozenset()) | {consent_id}
    return found


def _consent(row: ConsentRow) -> Consent:
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
    )
