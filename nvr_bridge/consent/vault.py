"""The keys. Each visitor has their own; the data key wraps them all; destroying one is what makes a withdrawal final.

Every use has its own key, derived from the data key or from the visitor's. What opens the data key is in `master.py`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from ..errors import AskError, ConflictError, NotFoundError, RetryError
from ..store.files import UNFINISHED, check_private, make_private_directory, write_durably
from ..store.finish import to_the_end
from . import destroyed
from .destroyed import DESTROYED
from .master import DATA_KEY, SITE_KEY, Unlocked, unlock
from .sealing import KEY_BYTES, derive, seal, unseal
from .visitor_keys import VISITORS, document, is_listed, read, unwrap, wrap

SITE_PLACE = b"site"  # what binds sealed content that is the site's, unless something else does
_CONSENT = "consent:"
_LOG = logging.getLogger(__name__)


def consent_key(consent_id: str) -> str:
    """Names the key that a consent's templates are sealed with: they can end before the rest of the visitor does."""
    return f"{_CONSENT}{consent_id}"


class Vault:
    """Seals and unseals. Made by `open`; key changes are on the disk when their coroutine returns."""

    def __init__(
        self, keys_dir: Path, unlocked: Unlocked, wrapped: dict[str, str], gone: frozenset[str], returned: int
    ) -> None:
        self.master_id = unlocked.master_id  # another one after each rotation
        self.by = unlocked.by
        self.changes = 0  # of the visitors' keys, since it was opened
        self.returned = (
            returned  # keys that a backup had brought back, and that were destroyed again when it was opened
        )
        self._path = keys_dir / VISITORS
        self._list = keys_dir / DESTROYED
        self._data_key = unlocked.data_key
        self._destroyed = gone
        self._wrapped = wrapped  # replaced, never changed in place: a thread may be writing it
        self._changing = asyncio.Lock()

    @classmethod
    async def open(
        cls, keys_dir: Path, fresh: bool, passphrase: str | None = None, kept: frozenset[str] = frozenset()
    ) -> Vault:
        """Open the keys, or make them where `fresh` says that the store holds nothing that needs one.

        No key that was destroyed is opened, whatever backup it came back from: `kept` is a list of them from elsewhere.

        Raises `AskError` when keys are missing, damaged, of another site, open to others, or locked by a passphrase that
        was not given or is wrong.
        """
        return await to_the_end(asyncio.to_thread(cls._open, keys_dir, fresh, passphrase, kept))

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
                made[name] = wrap(self._data_key, name, secrets.token_bytes(KEY_BYTES))
            await self._save(self._wrapped | made)

    async def destroy_key(self, *names: str) -> None:
        """Destroy visitors' or consents' keys for good: nothing sealed with them is ever read again.

        Does nothing where there is none. Raises `RetryError`, with the keys still there, if the disk refuses.
        """
        async with self._changing:
            going = {destroyed.tag(self._wrapped[name]) for name in names if name in self._wrapped}
            if going - self._destroyed:  # on the list first: from then on a start finishes it
                gone = self._destroyed | going
                await to_the_end(self._write(self._list, partial(destroyed.document, gone)))
                self._destroyed = gone
            await self._drop(names)

    async def discard_key(self, *names: str) -> None:
        """Let go of keys with which nothing was sealed that anybody asked to be erased. A backup may bring them back."""
        async with self._changing:
            await self._drop(names)

    def seal(self, visitor_id: str, content: bytes, aad: bytes) -> bytes:
        """Encrypt for this visitor; `aad` names the place it is for. Raises `NotFoundError` without a key."""
        return seal(self._visitor_key(visitor_id, "seal"), content, aad)

    def unseal(self, visitor_id: str, sealed: bytes, aad: bytes) -> bytes:
        """Decrypt. Raises `NotFoundError` without a key, `AskError` if the content was changed or is not from here."""
        return unseal(self._visitor_key(visitor_id, "seal"), sealed, aad)

    def seal_site(self, content: bytes, aad: bytes = SITE_PLACE) -> bytes:
        """Encrypt what belongs to the site, such as a camera's password."""
        return seal(self._derive("seal"), content, aad)

    def unseal_site(self, sealed: bytes, aad: bytes = SITE_PLACE) -> bytes:
        """Decrypt what belongs to the site. Raises `AskError` if it was changed or is not from here."""
        return unseal(self._derive("seal"), sealed, aad)

    def tag(self, use: str, content: str) -> str:
        """Keyed hash under the data key (HMAC-SHA256, hexadecimal), for looking up what must not be readable."""
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

    async def _drop(self, names: Collection[str]) -> None:
        kept = {key: value for key, value in self._wrapped.items() if key not in names}
        if len(kept) < len(self._wrapped):
            await self._save(kept)

    async def _save(self, wrapped: dict[str, str]) -> None:
        """What is in memory changes only after, and only if, the file has."""

        async def save() -> None:
            listed = bool(self._destroyed)
            await self._write(self._path, partial(document, self._data_key, wrapped, listed=listed))
            self._wrapped = wrapped
            self.changes += 1

        await to_the_end(save())

    async def _write(self, path: Path, content: Callable[[], bytes]) -> None:
        try:
            await asyncio.to_thread(lambda: write_durably(path, content()))  # both grow: the loop does neither
        except OSError as err:
            raise RetryError(f"keys: {path} cannot be written ({err.strerror}); free the disk, then try again") from err

    def _visitor_key(self, visitor_id: str, use: str) -> bytes:
        wrapped = self._wrapped.get(visitor_id)
        if wrapped is None:
            raise NotFoundError(f"visitor {visitor_id}: has no key; they withdrew, or were never here")
        return derive(unwrap(self._data_key, visitor_id, wrapped), use)

    def _derive(self, use: str) -> bytes:
        return derive(self._data_key, use)

    @classmethod
    def _open(cls, keys_dir: Path, fresh: bool, passphrase: str | None, kept: frozenset[str]) -> Vault:
        make_private_directory(keys_dir)
        # What a crash left unfinished may hold keys destroyed since.
        for name in (SITE_KEY, DATA_KEY, VISITORS, DESTROYED):
            (keys_dir / (name + UNFINISHED)).unlink(missing_ok=True)
        unlocked = unlock(keys_dir, fresh=fresh, passphrase=passphrase)
        path = keys_dir / VISITORS
        if not path.exists():
            if not fresh:
                raise AskError(f"keys: {path} is missing; restore it with `nvr-bridge keys restore`, or wipe the site")
            write_durably(path, document(unlocked.data_key, {}))
        check_private(path)
        content = path.read_bytes()
        wrapped = read(content, unlocked.data_key, str(path))
        gone = destroyed.held(keys_dir) | kept
        if is_listed(content) and not gone:
            _LOG.warning(
                "keys: %s is missing; restore it with `nvr-bridge keys restore`, or a backup from before an erasure may "
                "bring the visitor back",
                keys_dir / DESTROYED,
            )
        returned = destroyed.returned(wrapped, gone)
        if returned:
            wrapped = {name: each for name, each in wrapped.items() if name not in returned}
            write_durably(keys_dir / DESTROYED, destroyed.document(gone))
            write_durably(path, document(unlocked.data_key, wrapped, listed=True))
        return cls(keys_dir, unlocked, wrapped, gone, len(returned))
