"""The keys. Each visitor has their own; the site key wraps them all; destroying one is what makes a withdrawal final.

Sealing is AES-256-GCM: a version byte, a random 96-bit nonce, the ciphertext with its tag. Every use has its own key,
derived with HKDF, and its own associated data, so nothing sealed for one place opens in another.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import secrets
from binascii import Error as Base64Error
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from ..errors import AskError, ConflictError, NotFoundError, RetryError
from ..store.files import UNFINISHED, make_private_directory, write_durably
from ..store.finish import to_the_end

SITE_KEY = "site.key"
VISITORS = "visitors.json"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"
_CONSENT = "consent:"
_CHECK = b"this site key wrapped these visitor keys"


def consent_key(consent_id: str) -> str:
    """Names the key that a consent's templates are sealed with: they can end before the rest of the visitor does."""
    return f"{_CONSENT}{consent_id}"


class Vault:
    """Seals and unseals. Made by `open`; key changes are on the disk when their coroutine returns."""

    def __init__(self, keys_dir: Path, site_key: bytes, wrapped: dict[str, str]) -> None:
        self._path = keys_dir / VISITORS
        self._site_key = site_key
        self._wrapped = wrapped  # replaced, never changed in place: a thread may be writing it
        self._changing = asyncio.Lock()

    @classmethod
    async def open(cls, keys_dir: Path, fresh: bool) -> Vault:
        """Open the keys, or make them where `fresh` says that the store holds nothing that needs one.

        Raises `AskError` when keys are missing, damaged, or of another site.
        """
        return await to_the_end(asyncio.to_thread(cls._open, keys_dir, fresh))

    @property
    def visitors(self) -> frozenset[str]:
        """Everybody who has a key."""
        return frozenset(name for name in self._wrapped if not name.startswith(_CONSENT))

    @property
    def consents(self) -> frozenset[str]:
        """Every consent that has a key, by `consent_key`."""
        return frozenset(name for name in self._wrapped if name.startswith(_CONSENT))

    def has_key(self, visitor_id: str) -> bool:
        """Whether what is sealed for this visitor can still be read."""
        return visitor_id in self._wrapped

    async def new_key(self, *names: str) -> None:
        """Make keys, each a visitor's or a consent's: all or none.

        Raises `ConflictError` where there is one, `RetryError` if the disk refuses.
        """
        async with self._changing:
            made = {}
            for name in names:
                if name in self._wrapped:
                    raise ConflictError(f"visitor {name}: has a key already")
                sealed = _seal(self._derive("wrap"), secrets.token_bytes(_KEY_BYTES), name.encode())
                made[name] = base64.b64encode(sealed).decode()
            await self._save(self._wrapped | made)

    async def destroy_key(self, *names: str) -> None:
        """Destroy visitors' or consents' keys for good: nothing sealed with them is ever read again.

        Does nothing where there is none. Raises `RetryError`, with the keys still there, if the disk refuses.
        """
        async with self._changing:
            kept = {key: value for key, value in self._wrapped.items() if key not in names}
            if len(kept) < len(self._wrapped):
                await self._save(kept)

    def seal(self, visitor_id: str, content: bytes, aad: bytes) -> bytes:
        """Encrypt for this visitor; `aad` names the place it is for. Raises `NotFoundError` without a key."""
        return _seal(self._visitor_key(visitor_id, "seal"), content, aad)

    def unseal(self, visitor_id: str, sealed: bytes, aad: bytes) -> bytes:
        """Decrypt. Raises `NotFoundError` without a key, `AskError` if the content was changed or is not from here."""
        return _unseal(self._visitor_key(visitor_id, "seal"), sealed, aad)

    def seal_site(self, content: bytes, aad: bytes = b"site") -> bytes:
        """Encrypt what belongs to the site, such as a camera's password."""
        return _seal(self._derive("seal"), content, aad)

    def unseal_site(self, sealed: bytes, aad: bytes = b"site") -> bytes:
        """Decrypt what belongs to the site. Raises `AskError` if it was changed or is not from here."""
        return _unseal(self._derive("seal"), sealed, aad)

    def tag(self, use: str, content: str) -> str:
        """Keyed hash under the site key (HMAC-SHA256, hexadecimal), for looking up what must not be readable."""
        return hmac.new(self._derive(f"tag {use}"), content.encode(), hashlib.sha256).hexdigest()

    def hash_key(self, use: str) -> bytes:
        """(32 bytes) A key under which values of one kind are hashed. To be held in memory only."""
        return self._derive(f"hash {use}")

    def subject(self, visitor_id: str) -> Callable[[int], str]:
        """What names this visitor in the ledger entry with that number: an HMAC under the visitor's key.

        The function outlives the key, in this process only: a withdrawal's own entry is made with it.
        """
        key = self._visitor_key(visitor_id, "subject")
        return lambda number: hmac.new(key, str(number).encode(), hashlib.sha256).hexdigest()

    async def _save(self, wrapped: dict[str, str]) -> None:
        """What is in memory changes only after, and only if, the file has."""
        await to_the_end(self._write(wrapped))

    async def _write(self, wrapped: dict[str, str]) -> None:
        try:
            await asyncio.to_thread(write_durably, self._path, _document(self._site_key, wrapped))
        except OSError as err:
            raise RetryError(
                f"keys: {self._path} cannot be written ({err.strerror}); free the disk, then try again"
            ) from err
        self._wrapped = wrapped

    def _visitor_key(self, visitor_id: str, use: str) -> bytes:
        wrapped = self._wrapped.get(visitor_id)
        if wrapped is None:
            raise NotFoundError(f"visitor {visitor_id}: has no key; they withdrew, or were never here")
        return _derive(_unseal(self._derive("wrap"), base64.b64decode(wrapped), visitor_id.encode()), use)

    def _derive(self, use: str) -> bytes:
        return _derive(self._site_key, use)

    @classmethod
    def _open(cls, keys_dir: Path, fresh: bool) -> Vault:
        make_private_directory(keys_dir)
        for name in (SITE_KEY, VISITORS):  # what a crash left unfinished may hold keys that were destroyed since
            (keys_dir / (name + UNFINISHED)).unlink(missing_ok=True)
        site_path, visitors_path = keys_dir / SITE_KEY, keys_dir / VISITORS
        if not site_path.exists():
            if not fresh:
                raise AskError(f"keys: {site_path} is missing; restore it from the key backup, or wipe the site")
            visitors_path.unlink(missing_ok=True)  # wrapped by a site key that is gone
            write_durably(site_path, secrets.token_bytes(_KEY_BYTES))
        site_key = site_path.read_bytes()
        if len(site_key) != _KEY_BYTES:
            raise AskError(f"keys: {site_path} is damaged; restore it from the key backup")
        if not visitors_path.exists():
            if not fresh:
                raise AskError(f"keys: {visitors_path} is missing; restore it from the key backup, or wipe the site")
            write_durably(visitors_path, _document(site_key, {}))
        return cls(keys_dir, site_key, _read(visitors_path, site_key))


def _document(site_key: bytes, wrapped: dict[str, str]) -> bytes:
    check = hmac.new(_derive(site_key, "check"), _CHECK, hashlib.sha256).hexdigest()
    return json.dumps({"version": 1, "check": check, "keys": wrapped}).encode()


def _read(path: Path, site_key: bytes) -> dict[str, str]:
    """Check the file whole: a key that does not unwrap now would look like a withdrawal later."""
    try:
        document = json.loads(path.read_bytes())
        wrapped, check = dict(document["keys"]), str(document["check"])
        right = hmac.compare_digest(check, json.loads(_document(site_key, {}))["check"])
        if right:
            wrap = _derive(site_key, "wrap")
            for visitor_id, sealed in wrapped.items():
                _unseal(wrap, base64.b64decode(sealed, validate=True), visitor_id.encode())
    except (ValueError, KeyError, TypeError, AttributeError, Base64Error, AskError) as err:
        raise AskError(f"keys: {path} is damaged; restore it from the key backup") from err
    if not right:
        raise AskError(f"keys: {path} was not made with this {SITE_KEY}; restore both from the same key backup")
    return wrapped


def _derive(key: bytes, use: str) -> bytes:
    return HKDFExpand(SHA256(), _KEY_BYTES, f"nvr-bridge {use}".encode()).derive(key)


def _seal(key: bytes, content: bytes, aad: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, content, aad)


def _unseal(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    if sealed[:1] != _VERSION:
        raise AskError("sealed content has an unknown version; update to the version that sealed it")
    nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, aad)
    except (InvalidTag, ValueError) as err:
        raise AskError("sealed content was changed, or was sealed elsewhere; restore it from a backup") from err
