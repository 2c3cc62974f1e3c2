"""The one account of a simulated device, and the two ways to prove it: HTTP digest and WS-Security.

Both are verified as a strict device does, and failures are counted: like the real ones, it locks.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from xml.etree.ElementTree import Element

from aiohttp import web

_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DIGEST_TYPE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
_FIELD = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that a device received."""

    service: str  # "onvif" or "isapi"
    operation: str  # SOAP operation, or "GET /path"
    user: str | None  # whose login came with it
    accepted: bool


@dataclass
class DeviceClock:
    """A device's own clock, which may be wrong by `skew` seconds."""

    skew: float = 0.0

    def now(self) -> float:
        """Seconds since the epoch, as the device believes."""
        return time.time() + self.skew


@dataclass
class Account:
    """User, password, and how often somebody got them wrong."""

    username: str
    password: str = field(repr=False)
    lock_after: int = 5
    failures: int = 0
    attempts: int = 0  # logins presented, right or wrong

    @property
    def locked(self) -> bool:
        """Whether the device refuses the right password too."""
        return self.failures >= self.lock_after

    def presented(self, *, right: bool) -> bool:
        """Count a login; whether it is let in."""
        self.attempts += 1
        if self.locked:
            return False
        self.failures = 0 if right else self.failures + 1
        return right


class HttpDigest:
    """RFC 7616 with MD5 and qop=auth, which is what installed devices speak."""

    def __init__(self, account: Account, realm: str) -> None:
        self._account = account
        self._realm = realm
        self._nonces: dict[str, int] = {}  # nonce → highest request count seen

    def challenge(self) -> dict[str, str]:
        """The headers of a 401."""
        nonce = secrets.token_hex(16)
        self._nonces[nonce] = 0
        while len(self._nonces) > 100:
            del self._nonces[next(iter(self._nonces))]
        return {"WWW-Authenticate": f'Digest qop="auth", realm="{self._realm}", nonce="{nonce}", stale="FALSE"'}

    def user(self, request: web.Request) -> str | None:
        """Whose login the request carries, right or wrong; also of a Basic one, which is never right."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            return base64.b64decode(rest).decode(errors="replace").partition(":")[0]
        return _fields(rest).get("username") if scheme.lower() == "digest" else None

    def check(self, request: web.Request) -> bool:
        """Verify a login that is there, and count it."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        return self._account.presented(
            right=scheme.lower() == "digest" and self._right(request.method, request.raw_path, _fields(rest))
        )

    def _right(self, method: str, path: str, given: dict[str, str]) -> bool:
        nonce, count = given.get("nonce", ""), given.get("nc", "")
        if given.get("username") != self._account.username or given.get("uri") != path or given.get("qop") != "auth":
            return False
        # A count that does not rise is a replay.
        if nonce not in self._nonces or not count or int(count, 16) <= self._nonces[nonce]:
            return False
        self._nonces[nonce] = int(count, 16)
        secret = _md5(f"{self._account.username}:{self._realm}:{self._account.password}")
        expected = _md5(f"{secret}:{nonce}:{count}:{given.get('cnonce', '')}:auth:{_md5(f'{method}:{path}')}")
        return secrets.compare_digest(expected, given.get("response", ""))


class WsSecurity:
    """The UsernameToken profile with a password digest, checked against the device's own clock."""

    def __init__(self, account: Account, clock: DeviceClock, window: float = 10.0) -> None:
        self._account = account
        self._clock = clock
        self._window = window
        self._nonces: deque[str] = deque(maxlen=1_000)

    def user(self, envelope: Element) -> str | None:
        """Whose login the envelope carries, right or wrong."""
        token = envelope.find(f".//{{{_WSSE}}}UsernameToken")
        return token.findtext(f"{{{_WSSE}}}Username", "") if token is not None else None

    def check(self, envelope: Element) -> bool:
        """Verify a login that is there, and count it."""
        token = envelope.find(f".//{{{_WSSE}}}UsernameToken")
        return self._account.presented(right=token is not None and self._right(token))

    def _right(self, token: Element) -> bool:
        password = token.find(f"{{{_WSSE}}}Password")
        nonce = token.findtext(f"{{{_WSSE}}}Nonce", "")
        created = token.findtext(f"{{{_WSU}}}Created", "")
        if password is None or password.get("Type") != _DIGEST_TYPE or not nonce or nonce in self._nonces:
            return False
        self._nonces.append(nonce)
        if not created.endswith("Z"):
            return False
        if abs(datetime.fromisoformat(created).timestamp() - self._clock.now()) > self._window:
            return False
        mixed = base64.b64decode(nonce) + created.encode() + self._account.password.encode()
        expected = base64.b64encode(hashlib.sha1(mixed, usedforsecurity=False).digest()).decode()
        user = token.findtext(f"{{{_WSSE}}}Username", "")
        return user == self._account.username and secrets.compare_digest(expected, password.text or "")


def _fields(credentials: str) -> dict[str, str]:
    return {key: quoted or plain for key, quoted, plain in _FIELD.findall(credentials)}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
