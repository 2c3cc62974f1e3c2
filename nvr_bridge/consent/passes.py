"""Passes: a random code that stands for a visitor who is not recognised. Only the code's keyed hash is kept."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from .. import codes
from ..errors import NotFoundError
from ..store.database import Database
from ..store.schema import PassRow
from .ledger import Ledger
from .records import Records
from .vault import Vault

_LENGTH = 16  # characters: 80 bits


class Passes:
    """The passes, and whose they are."""

    def __init__(self, db: Database, vault: Vault, ledger: Ledger, records: Records) -> None:
        self._db = db
        self._vault = vault
        self._ledger = ledger
        self._records = records

    async def issue(self, now: float) -> tuple[str, str]:
        """Make a pass for somebody new → (its code, told only this once; the alias that it goes by)."""
        code = codes.new(_LENGTH)

        async def write(session: AsyncSession, visitor_id: str) -> None:
            await self._write(session, code, visitor_id, now)

        _, alias = await self._records.admit(write)
        return code, alias

    async def issue_again(self, visitor_id: str, now: float) -> str:
        """Make one more pass for a visitor who is known → its code. Raises `NotFoundError` once they withdrew."""
        code = codes.new(_LENGTH)
        async with self._records.changing(), self._db.write() as session:
            if self._records.alias(visitor_id) is None:
                raise NotFoundError("alias: no visitor has it any more")
            await self._write(session, code, visitor_id, now)
        return code

    async def holder(self, code: str) -> str:
        """The visitor whom the code stands for, however it was typed. Raises `NotFoundError`."""
        wanted = select(PassRow.visitor_id).where(PassRow.code_tag == self._tag(code))
        async with self._db.read() as session:
            visitor_id = await session.scalar(wanted)
        if visitor_id is None or not self._vault.has_key(visitor_id):
            raise NotFoundError("code: no pass of this site has it; type it again, or issue a new pass")
        return visitor_id

    async def _write(self, session: AsyncSession, code: str, visitor_id: str, now: float) -> None:
        tag = self._tag(code)
        await session.execute(insert(PassRow).values(code_tag=tag, visitor_id=visitor_id, issued_at=now))
        await self._ledger.append(session, "pass_issued", at=now, visitor_id=visitor_id)

    def _tag(self, code: str) -> str:
        return self._vault.tag("pass", codes.plain(code))
