"""A checkpoint: the engine's signature (Ed25519) under how many entries its ledger had, and the root of their tree."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .chain import canonical

KEY_BYTES = 32
SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the ledger was at a moment."""

    number: int  # 1, 2, 3 … without a gap
    engine_id: str
    entries: int
    root: str  # of the Merkle tree over their digests, hexadecimal
    at: float
    signature: bytes = b""

    @property
    def signed(self) -> bytes:
        """What the signature is made over."""
        return canonical(
            ["nvr-bridge ledger checkpoint", self.engine_id, self.number, self.entries, self.root, self.at]
        )

    def told(self) -> dict[str, Any]:
        """As it stands in a pack and goes over the wire."""
        return {
            "number": self.number,
            "engine": self.engine_id,
            "entries": self.entries,
            "root": self.root,
            "at": self.at,
            "signature": self.signature.hex(),
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Checkpoint:
        """What `told` gave. Raises `ValueError`, `KeyError` or `TypeError` for what it did not."""
        signature = bytes.fromhex(told["signature"])
        return cls(told["number"], told["engine"], told["entries"], told["root"], told["at"], signature)


def is_signed(content: bytes, signature: bytes, public_key: bytes) -> bool:
    """Whether `signature` is that of `content` by the owner of `public_key` (32 bytes)."""
    if len(public_key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def fingerprint(public_key: bytes) -> str:
    """What a person compares: sha256 of the public key, hexadecimal."""
    return hashlib.sha256(public_key).hexdigest()
