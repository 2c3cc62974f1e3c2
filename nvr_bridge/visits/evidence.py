"""What attribution is decided from: events of certain kinds, each with its own time, and a site's settings.

Times are seconds since the epoch. Contacts and documents appear only as keyed hashes (`Contact`, `str`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import time
from typing import Protocol
from zoneinfo import ZoneInfo

from ..errors import InvalidError

HOUR, DAY = 3600.0, 86400.0
ATTRIBUTIONS = ("natural", "channel", "staff", "undetermined")  # what a verdict may say
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Settings:
    """A site's rules. Durations in seconds; a day is 24 h."""

    lead_time: float = 1800.0  # a referral counts only if made so long before arrival
    validity: float = 3 * DAY
    protection: float = 30 * DAY
    natural_protection: float = 72 * HOUR
    visit_gap: float = 1800.0
    winner: str = "first_declared"  # or "undetermined"
    close_of_day: time = time(20, 0)
    timezone: ZoneInfo = _UTC
    match_score: float = 0.45
    match_margin: float = 0.05
    clock_error: float = 0.0

    def at(self, _moment: float) -> Settings:
        """These, whenever: settings that nobody changes are `Rules`, too."""
        return self

    def around(self, _moment: float, _error: float) -> tuple[Settings, ...]:
        """These alone."""
        return (self,)

    def until(self, _moment: float) -> tuple[Settings, ...]:
        """These alone."""
        return (self,)

    def decides_for(self, _now: float) -> float:
        """For how many seconds evidence can decide a verdict: all three together.

        A referral brings a visit within its validity, which protects for its time, and a natural visit then keeps a
        referral from counting for that one's. What is older decides nothing any more.
        """
        return self.validity + self.protection + self.natural_protection


class Rules(Protocol):
    """A site's settings through time. A visit is judged under those that held when it began."""

    def at(self, moment: float, /) -> Settings:
        """The settings of a visit that begins at `moment`."""

    def around(self, moment: float, error: float, /) -> tuple[Settings, ...]:
        """All that may be those of a visit that begins at `moment` by a clock that is wrong by `error` at most, `at`'s first."""

    def until(self, moment: float, /) -> tuple[Settings, ...]:
        """All that were those of a visit that began at `moment` or earlier."""

    def decides_for(self, now: float, /) -> float:
        """For how many seconds, counted back from `now`, evidence can decide a verdict."""


@dataclass(frozen=True, slots=True, order=True)
class Contact:
    """A telephone number as keyed hashes: of itself (None for one that was given masked) and of its mask."""

    mask: str
    full: str | None = None

    def fits(self, other: Contact) -> bool:
        """Whether the two can be the same number: equal where both are full, else equal masks."""
        if self.full is not None and other.full is not None:
            return self.full == other.full
        return self.mask == other.mask


def contact(number: str, key: bytes) -> Contact:
    """Normalise a number, such as `+86 138-0000-0001` or `138****0001`, and hash it under `key`.

    Raises `InvalidError` for what is neither a full number nor one with its four middle digits masked.
    """
    text = re.sub(r"[\s\-().]", "", number.translate(_WIDE))
    text = re.sub(r"^(?:\+|00)86(?=1\d{2}[\d*]{8}$)", "", text)
    if re.fullmatch(r"\+?\d{7,15}", text):
        return Contact(_hash(key, "mask", _mask(text)), _hash(key, "full", text))
    if re.fullmatch(r"\d{3}\*{4}\d{4}", text):
        return Contact(_hash(key, "mask", text))
    raise InvalidError(
        "contact: neither a telephone number nor one with its four middle digits masked; write 13800000001 or 138****0001"
    )


def document(number: str, key: bytes) -> str:
    """An identity document's number as a keyed hash; spaces, case and full-width characters do not matter."""
    return _hash(key, "document", re.sub(r"\s", "", unicodedata.normalize("NFKC", number)).upper())


@dataclass(frozen=True, slots=True)
class SightingEvidence:
    """A template match."""

    at: float
    visitor: str
    score: float
    margin: float
    clock_error: float | None = None  # None: the site's
    zone: str = ""


@dataclass(frozen=True, slots=True)
class PassEvidence:
    """A visitor's own pass was scanned."""

    at: float
    visitor: str


@dataclass(frozen=True, slots=True)
class CheckIn:
    """Somebody gave a contact at the desk. Without `visitor` the contact stands for the person."""

    at: float
    contact: Contact
    visitor: str | None = None
    source: str = ""  # shown, and decides nothing


@dataclass(frozen=True, slots=True)
class Referral:
    """A channel partner's claim, declared at `at`."""

    at: float
    referral: str
    partner: str
    contact: Contact
    broker: str = ""
    expected: float | None = None  # used by no rule


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A referral was taken back."""

    at: float
    referral: str


@dataclass(frozen=True, slots=True)
class Signing:
    """A contract was signed."""

    at: float
    signing: str
    visitor: str | None
    document: str | None = None
    contact: Contact | None = None
    co_signers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StaffMark:
    """A visitor belongs to the staff, from the local day of `at`, before `until` if there is one.

    Of two marks of one visitor with the same `at` the one that ends earlier holds.
    """

    at: float
    visitor: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """A correction: these visitors are different people."""

    at: float
    visitors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """A correction: these visitors are one person."""

    at: float
    visitors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """A person set the verdict of the visit that `visitor` was on at `visit_at`."""

    at: float
    visitor: str
    visit_at: float
    attribution: str
    partner: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Erased:
    """A visitor withdrew consent."""

    at: float
    visitor: str


type Presence = SightingEvidence | PassEvidence | CheckIn | Signing
type Evidence = Presence | Referral | Withdrawal | StaffMark | Split | Merge | Review | Erased

_WIDE = {0xFF10 + digit: str(digit) for digit in range(10)} | {0xFF0B: "+", 0xFF0A: "*", 0x3000: " "}


def _mask(number: str) -> str:
    """The four digits before the last four are hidden, as partners write them."""
    return f"{number[:-8]}****{number[-4:]}"


def _hash(key: bytes, use: str, content: str) -> str:
    return hmac.new(key, f"{use}:{content}".encode(), hashlib.sha256).hexdigest()
