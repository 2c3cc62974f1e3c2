"""Clients' tokens. Only their hashes are kept: a token is 256 random bits, so a plain sha256 cannot be searched."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

from sqlalchemy import delete, select

from ..errors import NotFoundError
from ..protocol import Role
from .database import Database
from .schema import TokenRow


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token as it is listed."""

    token_id: str
    name: str
    role: Role
    created_at: float


class TokenTable:
    """The tokens."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, name: str, role: Role) -> tuple[str, str]:
        """Make a token → (its id, the token). It is told only this once."""
        token_id, token = secrets.token_hex(8), secrets.token_urlsafe(32)
        async with self._db.write() as session:
            session.add(
                TokenRow(
                    token_id=token_id, name=name, role=Role(role).value, digest=_digest(token), created_at=time.time()
                )
            )
        return token_id, token

    async def check(self, token: str) -> tuple[str, Role] | None:
        """(its id, its role), or None if it is unknown or was revoked."""
        async with self._db.read() as session:
            row = await session.scalar(select(TokenRow).where(TokenRow.digest == _digest(token)))
            return (row.token_id, Role(row.role)) if row else None

    async def all(self) -> list[StoredToken]:
        """Every token, the oldest first."""
        async with self._db.read() as session:
            rows = await session.scalars(select(TokenRow).order_by(TokenRow.created_at))
            return [StoredToken(row.token_id, row.name, Role(row.role), row.created_at) for row in rows]

    async def revoke(self, token_id: str) -> None:
        """Drop a token. Raises `NotFoundError`."""
        async with self._db.write() as session:
            if await session.get(TokenRow, token_id) is None:
                raise NotFoundError(
                    f"token_id: {token_id!r} does not exist; `nvr-bridge tokens list` shows those that do"
                )
            await session.execute(delete(TokenRow).where(TokenRow.token_id == token_id))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
