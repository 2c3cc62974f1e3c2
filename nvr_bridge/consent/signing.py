"""The key that signs what others are to trust: checkpoints of the ledger, and evidence packs. One for the site, Ed25519.

Its file holds the public half for everybody who can read the folder, and the private half sealed under the site key.
"""

from __future__ import annotations

import asyncio
import base64
import json
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..errors import AskError
from ..evidence.checkpoint import KEY_BYTES, fingerprint
from ..store.files import UNFINISHED, write_durably
from ..store.finish import to_the_end
from .vault import Vault

SIGNING_KEY = "signing.key"
_PLACE = b"signing key "


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Signs. Made by `open`."""

    public: bytes  # 32
    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    async def open(cls, keys_dir: Path, vault: Vault, fresh: bool) -> SigningKey:
        """Open the key, or make it where `fresh` says that nothing was signed yet.

        Raises `AskError` where it is missing, damaged, or of another site.
        """
        return await to_the_end(asyncio.to_thread(cls._open, keys_dir / SIGNING_KEY, vault, fresh))

    @property
    def fingerprint(self) -> str:
        """What a person compares."""
        return fingerprint(self.public)

    def sign(self, content: bytes) -> bytes:
        """The signature: 64 bytes, always the same for the same content."""
        return self._private.sign(content)

    @classmethod
    def _open(cls, path: Path, vault: Vault, fresh: bool) -> SigningKey:
        path.with_name(path.name + UNFINISHED).unlink(missing_ok=True)
        if path.exists():
            try:
                return cls._unseal(path, vault)
            except AskError:
                if not fresh:
                    raise
        elif not fresh:
            raise AskError(f"keys: {path} is missing; restore it from the key backup, or wipe the site")
        write_durably(path, _document(Ed25519PrivateKey.generate(), vault))
        return cls._unseal(path, vault)

    @classmethod
    def _unseal(cls, path: Path, vault: Vault) -> SigningKey:
        public, sealed = _read(path)
        try:
            return cls(public, Ed25519PrivateKey.from_private_bytes(vault.unseal_site(sealed, _PLACE + public)))
        except (AskError, ValueError) as err:
            raise AskError(
                f"keys: {path} is damaged, or of another site; restore it from the key backup, or wipe the site"
            ) from err


def public_key(keys_dir: Path) -> bytes:
    """The public half, as the file has it: needs no other key. Blocks. Raises `AskError`."""
    path = keys_dir / SIGNING_KEY
    if not path.is_file():
        raise AskError(f"keys: {path} is missing; the engine makes it when it first starts")
    return _read(path)[0]


def _document(private: Ed25519PrivateKey, vault: Vault) -> bytes:
    public = private.public_key().public_bytes_raw()
    sealed = vault.seal_site(private.private_bytes_raw(), _PLACE + public)
    return json.dumps({"version": 1, "public": public.hex(), "sealed": base64.b64encode(sealed).decode()}).encode()


def _read(path: Path) -> tuple[bytes, bytes]:
    """(the public half, the private one sealed)."""
    try:
        document = json.loads(path.read_bytes())
        public = bytes.fromhex(document["public"])
        sealed = base64.b64decode(document["sealed"], validate=True)
    except (ValueError, KeyError, TypeError, Base64Error) as err:
        raise AskError(f"keys: {path} is damaged; restore it from the key backup") from err
    except OSError as err:
        raise AskError(
            f"keys: {path} cannot be read ({err.strerror}); run this as the user that the engine runs as"
        ) from err
    if len(public) != KEY_BYTES:
        raise AskError(f"keys: {path} is damaged; restore it from the key backup")
    return public, sealed
