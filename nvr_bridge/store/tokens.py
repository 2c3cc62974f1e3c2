"""Clients' tokens. Only their hashes are kept: a token is 256 random bits, so a plain sha256 cannot be searched."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

from sqlalchemy import delete, select

from ..errors import BugError, NotFoundError
from ..protocol import Role
from .database import Database
from .schema import PartnerRow, TokenRow


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token as it is listed."""

    token_id: str
    name: str
    role: Role
    created_at: float
    partner: str | None = None  # whom a partner's token stands for
    expires_at: float | None = None


class TokenTable:
    """The tokens."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(
        self, name: str, role: Role, partner: str | None = None, expires_at: float | None = None
    ) -> tuple[str, str]:
        """Make a token → (its id, the token). It is told only this once. Raises `NotFoundError` for an unknown partner.

        A partner's token stands for one partner, and nobody else's does.
        """
        if (role is Role.PARTNER) != (partner is not None):
            raise BugError("a token stands for a partner exactly if its role is partner")
        token_id, token = secrets.token_hex(8), secrets.token_urlsafe(32)
        async with self._db.write() as session:
            if partner is not None and await session.get(PartnerRow, partner) is None:
                raise NotFoundError(f"partner: {partner!r} is not registered; `nvr-bridge partners list` shows them")
            session.add(
                TokenRow(
                    token_id=token_id,
                    name=name,
                    role=Role(role).value,
                    digest=_digest(token),
                    created_at=time.time(),
                    partner_id=partner,
                    expires_at=expires_at,
                )
            )
        return token_id, token

    async def check(self, token: str) -> StoredToken | None:
        """The token as it is kept, or None if it is unknown, was revoked, or has expired."""
        async with self._db.read() as session:
            row = await session.scalar(select(TokenRow).where(TokenRow.digest == _digest(token)))
        if row is None or (row.expires_at is not None and row.expires_at <= time.time()):
            return None
        return _stored(row)

    async def all(self) -> list[StoredToken]:
        """Every token, the oldest first."""
        async with self._db.read() as session:
            rows = await session.scalars(select(TokenRow).order_by(TokenRow.created_at))
            return [_stored(row) for row in rows]

    async def name(self, token_id: str) -> str:
        """What the token is called; its id, for one that is not kept, such as the administrator's."""
        async with self._db.read() as session:
            row = await session.get(TokenRow, token_id)
            return token_id if row is None else row.name

    async def revoke(self, token_id: str) -> None:
        """Drop a token. Raises `NotFoundError`."""
        async with self._db.write() as session:
            if await session.get(TokenRow, token_id) is None:
                raise NotFoundError(
                    f"token_id: {token_id!r} does not exist; `nvr-bridge tokens list` shows those that do"
                )
            await session.execute(delete(TokenRow).where(TokenRow.token_id == token_id))


def _stored(row: TokenRow) -> StoredToken:
    return StoredToken(row.token_id, row.name, Role(row.role), row.created_at, row.partner_id, row.expires_at)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
