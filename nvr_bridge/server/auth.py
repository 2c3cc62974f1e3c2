"""Who a client is: tokens, the codes that they are paired with, and the command line's own token."""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidError, RateLimitedError, UnauthorizedError
from ..protocol import Role
from ..store.files import ADMIN_TOKEN, write_durably

if TYPE_CHECKING:
    from ..store.tokens import TokenTable

CODE_SECONDS = 600.0  # a pairing code's life
CODES_AT_ONCE = 16  # more than these, and the oldest no longer holds
WRONG_CODES = 5  # wrong pairing codes in all …
WRONG_SECONDS = 60.0  # … within this time, and then none is looked at: 50 guesses at 10⁸ codes in a code's life
TEXT_LIMIT = 255  # characters of a client's name
ADMIN_ID = "admin"  # the token id of the command line


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a connection stands for."""

    token_id: str
    role: Role
    partner: str | None = None  # whom a partner's token stands for
    expires_at: float | None = None  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class PairingCode:
    """Eight digits that are good for one token."""

    code: str
    role: Role
    expires_at: float  # seconds since the epoch

    def __str__(self) -> str:
        return f"{self.code[:4]} {self.code[4:]}"


@dataclass(frozen=True, slots=True)
class _Pending:
    role: Role
    name: str | None
    until: float  # on the authority's clock


class Authority:
    """Lets clients in. One for the server."""

    def __init__(self, tokens: TokenTable, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds and never goes back."""
        self._tokens = tokens
        self._clock = clock
        self._pending: dict[str, _Pending] = {}
        self._wrong: deque[float] = deque(maxlen=WRONG_CODES)
        self._revoked: set[str] = set()
        self._admin = secrets.token_urlsafe(32)

    async def write_admin_token(self, data_dir: Path) -> None:
        """Leave this run's administrator token where only this user can read it. It dies with the process."""
        await asyncio.to_thread(write_durably, data_dir / ADMIN_TOKEN, self._admin.encode())

    def pairing_code(self, role: Role, name: str | None = None) -> PairingCode:
        """A new code. `name` is what the token will be called, unless the client says."""
        self._drop_expired()
        while len(self._pending) >= CODES_AT_ONCE:
            del self._pending[next(iter(self._pending))]
        code = _digits()
        while code in self._pending:
            code = _digits()
        self._pending[code] = _Pending(role, name, self._clock() + CODE_SECONDS)
        return PairingCode(code, role, time.time() + CODE_SECONDS)

    async def pair(self, code: str, name: str, *, role: Role | None = None) -> tuple[Identity, str]:
        """Trade a code for a token, which is told only this once. With `role`, a code for any other counts as wrong.

        Raises `UnauthorizedError` for a code that is wrong, used or expired, `RateLimitedError` after too many such.
        """
        self._refuse_guessing()
        self._drop_expired()
        digits = re.sub(r"[\s-]", "", code)
        pending = self._pending.get(digits)
        if pending is not None and role is not None and pending.role is not role:
            pending = None  # and stays good for whom it was made
        else:
            self._pending.pop(digits, None)  # taken before anything is awaited: two clients cannot both have it
        if pending is None:
            self._wrong.append(self._clock())
            raise UnauthorizedError("code: wrong, used or expired; make a new one with `nvr-bridge pair`")
        try:
            token_id, token = await self._tokens.add(_text("name", name or pending.name or pending.role), pending.role)
        except BaseException:
            self._pending[digits] = pending
            raise
        return Identity(token_id, pending.role), token

    async def authenticate(self, token: str) -> Identity:
        """Whose token this is. Raises `UnauthorizedError`."""
        if not token.isascii():  # no token is, and a header's bytes that are no UTF-8 could not even be encoded
            raise UnauthorizedError(_UNKNOWN)
        if hmac.compare_digest(token.encode(), self._admin.encode()):
            return Identity(ADMIN_ID, Role.ADMIN)
        found = await self._tokens.check(token)
        # Revoked while the store was being asked: what it said no longer holds.
        if found is None or found.token_id in self._revoked:
            raise UnauthorizedError(_UNKNOWN)
        return Identity(found.token_id, found.role, found.partner, found.expires_at)

    async def revoke(self, token_id: str) -> None:
        """The token opens nothing any more. Raises `NotFoundError` from the store."""
        await self._tokens.revoke(token_id)
        self._revoked.add(token_id)

    def _refuse_guessing(self) -> None:
        if len(self._wrong) < WRONG_CODES:
            return
        wait = self._wrong[0] + WRONG_SECONDS - self._clock()
        if wait > 0:
            raise RateLimitedError(f"code: {WRONG_CODES} wrong ones within a minute; try again in {wait:.0f} s")

    def _drop_expired(self) -> None:
        now = self._clock()
        self._pending = {code: pending for code, pending in self._pending.items() if pending.until > now}


_UNKNOWN = (
    "token: not known here, revoked or expired; pair again with a code from `nvr-bridge pair`, or ask for a new link"
)


def _digits() -> str:
    return f"{secrets.randbelow(100_000_000):08}"


def _text(field: str, value: str) -> str:
    text = " ".join(value.split())
    if not text or len(text) > TEXT_LIMIT:
        raise InvalidError(f"{field}: must be a text of 1 to {TEXT_LIMIT} characters")
    return text
