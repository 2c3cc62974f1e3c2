"""Sealing: AES-256-GCM under keys derived with HKDF, so that nothing sealed for one place opens in another.

What is sealed is a version byte, a random 96-bit nonce, and the ciphertext with its tag.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from ..errors import AskError

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


def derive(key: bytes, use: str) -> bytes:
    """(32 bytes) The key for one use."""
    return HKDFExpand(SHA256(), KEY_BYTES, f"nvr-bridge {use}".encode()).derive(key)


def seal(key: bytes, content: bytes, aad: bytes) -> bytes:
    """Encrypt; `aad` names the place it is for."""
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, content, aad)


def unseal(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Decrypt. Raises `AskError` if it was changed or is not from here."""
    if sealed[:1] != _VERSION:
        raise AskError("sealed content has an unknown version; update to the version that sealed it")
    nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, aad)
    except (InvalidTag, ValueError) as err:
        raise AskError("sealed content was changed, or was sealed elsewhere; restore it from a backup") from err
