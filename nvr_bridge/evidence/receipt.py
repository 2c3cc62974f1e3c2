"""A receipt for an erasure: what was erased and when, its place in the ledger, and the engine's signature (Ed25519).

It names nobody. The visitor's id stands in it as an HMAC under a salt that is nowhere else: whoever holds the receipt and
a copy of the data from before the erasure finds the visitor in the copy, and in what is left nothing joins to it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import InvalidError
from .chain import Data, Entry, canonical
from .checkpoint import Checkpoint, is_signed
from .merkle import root_by_path

KIND = "nvr-bridge erasure receipt"
VERSION = 1
ACT = "consent_withdrawn"  # of the ledger's entry


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as it was read. What it says holds only where `problems` finds none."""

    entry: Entry
    erased: Data  # how many rows, by table
    salt: str
    digest: str
    checkpoint: Checkpoint
    path: tuple[bytes, ...]  # from the entry to the checkpoint's root
    public: bytes
    signature: bytes

    @property
    def content(self) -> dict[str, Any]:
        """All of it but the signature, as the signature is made over it and as JSON has it."""
        sealed = {**asdict(self.checkpoint), "signature": self.checkpoint.signature.hex()}
        return {
            "kind": KIND,
            "version": VERSION,
            "cause": cause(self.entry.data),
            "erased": dict(self.erased),
            "subject": {"salt": self.salt, "digest": self.digest},
            "entry": asdict(self.entry),
            "checkpoint": sealed,
            "path": [each.hex() for each in self.path],
            "public_key": self.public.hex(),
        }

    @property
    def document(self) -> dict[str, Any]:
        """The whole receipt, JSON-able."""
        return {**self.content, "signature": self.signature.hex()}

    def signed(self, sign: Callable[[bytes], bytes]) -> Receipt:
        """The same with its signature."""
        return Receipt(
            self.entry,
            self.erased,
            self.salt,
            self.digest,
            self.checkpoint,
            self.path,
            self.public,
            sign(canonical(self.content)),
        )

    def problems(self) -> list[str]:
        """Why it proves nothing; nothing: the owner of `public` signed that this was erased."""
        found = []
        if not is_signed(canonical(self.content), self.signature, self.public):
            found.append("signature: is not that of what the receipt says")
        if self.entry.act != ACT or not self.entry.fits:
            found.append("entry: is no entry of an erasure as a ledger has it")
        if not is_signed(self.checkpoint.signed, self.checkpoint.signature, self.public):
            found.append("checkpoint: was not signed with the same key")
        leaf = bytes.fromhex(self.entry.digest)
        root = root_by_path(leaf, self.entry.number - 1, self.checkpoint.entries, self.path)
        if root is None or root.hex() != self.checkpoint.root:
            found.append("path: does not lead from the entry to the checkpoint")
        return found

    def is_about(self, visitor_id: str) -> bool:
        """Whether this visitor was erased."""
        return hmac.compare_digest(digest_of(self.salt, visitor_id), self.digest)


def digest_of(salt: str, visitor_id: str) -> str:
    """What stands for a visitor in a receipt with this salt (hexadecimal)."""
    return hmac.new(bytes.fromhex(salt), visitor_id.encode(), hashlib.sha256).hexdigest()


def cause(data: Mapping[str, object]) -> str:
    """Why somebody was erased, by the ledger's entry of it."""
    if data.get("lapsed"):
        return "lapsed"
    return "expired" if data.get("expired") else "withdrawn"


def read(document: object) -> Receipt:
    """A receipt from its JSON. Raises `InvalidError` for what is none."""
    try:
        receipt = _read(document)
    except (ValueError, KeyError, TypeError, AttributeError):
        receipt = None
    if receipt is None or receipt.document != document:
        raise InvalidError("receipt: is not one, or was damaged; give the file as the engine made it")
    return receipt


def _read(document: Any) -> Receipt:
    # What a browser saved has whole numbers without a point.
    sealed = {**document["checkpoint"], "at": float(document["checkpoint"]["at"])}
    entry = Entry(**{**document["entry"], "at": float(document["entry"]["at"])})
    bytes.fromhex(entry.digest)
    path: Sequence[str] = document["path"]
    return Receipt(
        entry=entry,
        erased=dict(document["erased"]),
        salt=bytes.fromhex(document["subject"]["salt"]).hex(),
        digest=bytes.fromhex(document["subject"]["digest"]).hex(),
        checkpoint=Checkpoint(**{**sealed, "signature": bytes.fromhex(sealed["signature"])}),
        path=tuple(bytes.fromhex(each) for each in path),
        public=bytes.fromhex(document["public_key"]),
        signature=bytes.fromhex(document["signature"]),
    )
