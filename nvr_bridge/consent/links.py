"""Links to visitors' own pages: a token that is told once, and opens nothing after a withdrawal."""

from __future__ import annotations

import secrets

from sqlalchemy import delete, insert, select

from ..errors import NotFoundError, UnauthorizedError
from ..store.database import Database
from ..store.schema_links import LinkRow
from .ledger import Ledger
from .records import Records
from .vault import Vault

_BYTES = 32
_LONGEST = 100  # characters of anything that is looked up


class Links:
    """The tokens, of which only keyed hashes are kept, and whose page each opens."""

    def __init__(self, db: Database, vault: Vault, ledger: Ledger, records: Records) -> None:
        self._db = db
        self._vault = vault
        self._ledger = ledger
        self._records = records

    async def issue(self, visitor_id: str, now: float, *, expires_at: float | None = None) -> str:
        """Make a token, told only this once. Raises `NotFoundError` once the visitor withdrew."""
        token = secrets.token_urlsafe(_BYTES)
        async with self._records.changing(), self._db.write() as session:
            if self._records.alias(visitor_id) is None:
                raise NotFoundError(
                    "visitor: is not remembered any more, so a link would show nothing; ask them to agree again"
                )
            await session.execute(delete(LinkRow).where(LinkRow.expires_at <= now))
            values = {"token_tag": self._tag(token), "visitor_id": visitor_id, "issued_at": now}
            await session.execute(insert(LinkRow).values(**values, expires_at=expires_at))
            await self._ledger.append(session, "link_issued", at=now, visitor_id=visitor_id)
        return token

    async def owner(self, token: str, now: float) -> str:
        """The visitor whose page it opens. Raises `UnauthorizedError`, the same whatever is wrong with it."""
        visitor_id = None
        if len(token) <= _LONGEST:
            opens = (LinkRow.token_tag == self._tag(token), (LinkRow.expires_at.is_(None)) | (LinkRow.expires_at > now))
            async with self._db.read() as session:
                visitor_id = await session.scalar(select(LinkRow.visitor_id).where(*opens))
        if visitor_id is None or not self._vault.has_key(visitor_id):
            raise UnauthorizedError(
                "link: opens nothing; what it opened was erased, or it was never a link of this site"
            )
        return visitor_id

    def _tag(self, token: str) -> str:
        return self._vault.tag("link", token)
