"""Who agreed to what: consents, templates and aliases, from the agreement to the withdrawal."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..errors import ErasureOwedError, NotFoundError, RetryError
from ..events import EventLog
from ..evidence.receipt import ACT
from ..models import Channel, Consent, Event, EventKind
from ..store.database import Database
from ..store.finish import to_the_end
from ..store.schema import ConsentRow, TemplateRow, VisitorRow
from ..store.settled import Settled
from .agreements import Agreements, checked, consent_of
from .alias import new_alias, plain
from .erasure import Withdrawn, erase_rows, ids_of
from .ledger import Ledger
from .receipts import counted, promise
from .recovery import look
from .templates import Template, unsealed
from .vault import Vault, consent_key

if TYPE_CHECKING:
    from ..models import Embedding

_LOG = logging.getLogger(__name__)

type Settle = Callable[[str], Awaitable[Settled]]


@dataclass(frozen=True, slots=True)
class Granted:
    """A consent that the store has committed, and what comes with it."""

    consent: Consent
    alias: str
    templates: tuple[Template, ...]
    event: Event


class Records:
    """The visitors. Made by `open`."""

    def __init__(
        self, db: Database, vault: Vault, ledger: Ledger, log: EventLog, notice_hash: str | None = None
    ) -> None:
        """`notice_hash` names the notice in force; None: whatever was agreed to counts."""
        self._notice_hash = notice_hash
        self._db = db
        self._vault = vault
        self._ledger = ledger
        self._log = log
        self._aliases: dict[str, str] = {}  # by visitor
        self._agreements = Agreements(vault, ledger, log)
        self._agreed: dict[str, Consent] = {}  # the consent in force of each visitor who gave one
        self._changing = asyncio.Lock()
        self.version = 0  # another one whenever visitors or their consents changed

    @classmethod
    async def open(
        cls,
        db: Database,
        vault: Vault,
        ledger: Ledger,
        log: EventLog,
        clock: Callable[[], float] = time.time,
        notice_hash: str | None = None,
        settle: Settle | None = None,
    ) -> Records:
        """Finish what a crash interrupted, and read who agreed and what they are called.

        `settle` gives the verdicts that stay of a visitor whom a crash left half erased; without, none does.
        """
        records = cls(db, vault, ledger, log, notice_hash)
        await to_the_end(records._recover(clock(), settle))
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

    def consent(self, visitor_id: str) -> Consent | None:
        """What the visitor agreed to, as it is in force."""
        return self._agreed.get(visitor_id)

    def covers(self, consent: Consent) -> bool:
        """Whether it was given under the notice in force. Until it is renewed, one that was not lets nobody be recognised."""
        return self._notice_hash is None or consent.notice_hash == self._notice_hash

    @property
    def in_force(self) -> Mapping[str, Consent]:
        """Every consent in force, by visitor."""
        return self._agreed

    @property
    def unreadable(self) -> frozenset[str]:
        """Visitors whose key is gone and whose rows are not: a withdrawal stopped halfway."""
        return frozenset(visitor_id for visitor_id in self._aliases if not self._vault.has_key(visitor_id))

    async def visitor_for(self, alias: str) -> str | None:
        """Whose alias this is, however it was typed."""
        wanted = select(VisitorRow.visitor_id).where(VisitorRow.alias_tag == self._tag(alias))
        async with self._db.read() as session:
            return await session.scalar(wanted)

    async def consents(self) -> list[Consent]:
        """Every consent in force, the oldest first."""
        async with self._db.read() as session:
            in_force = select(ConsentRow).where(ConsentRow.superseded_at.is_(None))
            rows = await session.scalars(in_force.order_by(ConsentRow.granted_at))
            return [consent_of(row) for row in rows if self._vault.has_key(row.visitor_id)]

    async def expired(self, now: float) -> list[str]:
        """The visitors whose consent has run out: to be withdrawn."""
        return [visitor_id for visitor_id, consent in self._agreed.items() if consent.expires_at <= now]

    async def templates(self, pack: str = "default") -> list[Template]:
        """Every template that this pack's embedder made, and that somebody may be recognised by now."""
        async with self._db.read() as session:
            wanted = select(TemplateRow).where(TemplateRow.pack == pack).order_by(TemplateRow.template_id)
            rows = list(await session.scalars(wanted))
        found = await asyncio.to_thread(lambda: [unsealed(self._vault, row) for row in rows])
        return [
            replace(template, zones=self._agreed[template.visitor_id].zones)
            for template in found
            if template and self._stands(template)
        ]

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
        zones: Sequence[str] = (),
        channel: Channel = Channel.DESK,
        pack: str = "default",
    ) -> Granted:
        """Remember a visitor who agreed: keys, consent, templates and alias, all of it or none.

        `embeddings` are (dimension,) of one person. Raises `InvalidError` without one, or for an expiry that has passed.
        """
        about = (zone_id, notice_hash, language, purpose, now, expires_at, guardian, tuple(zones), channel)
        consent = checked(Consent(uuid.uuid4().hex, uuid.uuid4().hex, *about), embeddings)
        async with self._changing:
            return await to_the_end(self._grant(consent, embeddings, pack))

    async def renew(
        self,
        visitor_id: str,
        *,
        zone_id: str,
        notice_hash: str,
        language: str,
        purpose: str,
        expires_at: float,
        guardian: bool,
        now: float,
        embeddings: Sequence[Embedding] | None = None,
        zones: Sequence[str] = (),
        channel: Channel = Channel.DESK,
        pack: str = "default",
    ) -> Granted:
        """A visitor who is remembered agreed again: another consent in place of the one before, under the same alias.

        The templates are of `embeddings`; without, those that there are. They are sealed with the new consent's key, and
        the old one's is destroyed. Raises as `grant` does, and `NotFoundError` for a visitor without a consent.
        """
        about = (zone_id, notice_hash, language, purpose, now, expires_at, guardian, tuple(zones), channel)
        consent = checked(Consent(uuid.uuid4().hex, visitor_id, *about), embeddings)
        async with self._changing:
            return await to_the_end(self._renew(consent, embeddings, pack))

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
        async def write(session: AsyncSession, _: str) -> tuple[tuple[Template, ...], Event]:
            return await self._agreements.add(session, consent, embeddings, pack)

        key = consent_key(consent.consent_id)
        alias, (templates, event) = await self._remember(consent.visitor_id, write, key)
        self._agreed[consent.visitor_id] = consent
        self.version += 1
        return Granted(consent, alias, templates, event)

    async def _renew(self, consent: Consent, embeddings: Sequence[Embedding] | None, pack: str) -> Granted:
        visitor_id = consent.visitor_id
        alias, before = self._aliases.get(visitor_id), self._agreed.get(visitor_id)
        if alias is None or before is None:
            raise NotFoundError("alias: no visitor of this alias has a consent to renew; let them agree, by their face")
        key = consent_key(consent.consent_id)
        await self._vault.new_key(key)
        committed = False
        try:
            async with self._db.write() as session:
                templates, event = await self._agreements.renew(session, consent, embeddings, pack)
            committed = True
        finally:
            if not committed:
                await self._vault.discard_key(key)
        self._agreed[visitor_id] = consent
        self.version += 1
        await self._vault.destroy_key(consent_key(before.consent_id))
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
                await self._vault.discard_key(visitor_id, *keys)
        self._aliases[visitor_id] = alias
        return alias, written

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
        await self._vault.destroy_key(visitor_id, *self._keys_of(visitor_id))
        async with self._db.write(erases=await ids_of(self._db, visitor_id)) as session:
            withdrawn = await self._erase(session, visitor_id, alias, now, subject, settled, lapsed=lapsed)
        del self._aliases[visitor_id]
        self._agreed.pop(visitor_id, None)
        self.version += 1
        if erased is not None:
            erased(withdrawn)
        try:
            await self._db.checkpoint()
        except RetryError as err:
            raise ErasureOwedError(str(err)) from err
        return withdrawn

    async def _lapse(self, visitor_id: str, now: float) -> int:
        await self._vault.destroy_key(*self._keys_of(visitor_id))
        async with self._db.write(erases=await ids_of(self._db, lapsing=[visitor_id])) as session:
            ended = await self._agreements.end(session, visitor_id, now)
        self._agreed.pop(visitor_id, None)
        self.version += 1
        return ended

    def _keys_of(self, visitor_id: str) -> list[str]:
        consent = self._agreed.get(visitor_id)
        return [consent_key(consent.consent_id)] if consent else []

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
        in_force = (ConsentRow.visitor_id == visitor_id, ConsentRow.superseded_at.is_(None))
        until = select(func.max(ConsentRow.expires_at)).where(*in_force)
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

    async def _recover(self, now: float, settle: Settle | None) -> None:
        left = await look(self._db, self._vault)
        if left.orphans:
            await self._vault.discard_key(*left.orphans)
        if left.keyless or left.lapsing:
            stays = {visitor_id: await settle(visitor_id) for visitor_id in sorted(left.keyless)} if settle else {}
            async with self._db.write(erases=await ids_of(self._db, *left.keyless, lapsing=left.lapsing)) as session:
                for visitor_id in sorted(left.keyless):
                    await self._erase(session, visitor_id, "", now, None, stays.get(visitor_id, Settled()))
                for visitor_id in sorted(left.lapsing):
                    await self._agreements.end(session, visitor_id, now)
            try:
                await self._db.checkpoint()
            except RetryError as err:
                _LOG.warning("%s", err)
        gone = left.keyless | left.lapsing
        self._agreed = {one.visitor_id: one for one in left.agreed if one.visitor_id not in gone}
        held = [row for row in left.visitors if row.visitor_id not in left.keyless]
        self._aliases = await asyncio.to_thread(lambda: {row.visitor_id: self._unseal_alias(row) for row in held})

    def _stands(self, template: Template) -> bool:
        """Whether the consent that it rests on still holds, and was given under the notice in force."""
        consent = self._agreed.get(template.visitor_id)
        if consent is None or consent.consent_id != template.consent_id:
            return False
        return self.covers(consent) and self._vault.has_key(template.visitor_id)

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
