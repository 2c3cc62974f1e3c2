"""An entry of the ledger, and the digest that chains it to the one before.

Standard library only: a pack that holds entries is checked with this where no engine is.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

type Data = dict[str, str | int | float | bool | None]

GENESIS = "0" * 64  # what the first entry follows


@dataclass(frozen=True, slots=True)
class Entry:
    """One processing act."""

    number: int  # 1, 2, 3 … without a gap
    at: float
    act: str
    zone_id: str | None
    subject: str | None
    data: Data
    previous: str  # the digest of the entry before
    digest: str

    @property
    def fits(self) -> bool:
        """Whether the digest is that of the content."""
        return self.digest == digest_of(
            self.number, self.at, self.act, self.zone_id, self.subject, self.data, self.previous
        )


def digest_of(
    number: int, at: float, act: str, zone_id: str | None, subject: str | None, data: Data, previous: str
) -> str:
    """sha256 (hexadecimal) of an entry's columns in one canonical form, the digest of the entry before among them."""
    return hashlib.sha256(canonical([number, at, act, zone_id, subject, data, previous])).hexdigest()


def canonical(content: object) -> bytes:
    """The one way to write a JSON value: keys in order, nothing between, UTF-8."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
