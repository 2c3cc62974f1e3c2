"""Made-up evidence for the property tests: a few people, numbers that look alike, and times on each side of every bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from nvr_bridge.visits.evidence import (
    CheckIn,
    Contact,
    Evidence,
    Merge,
    PassEvidence,
    Referral,
    Settings,
    SightingEvidence,
    Signing,
    Split,
    StaffMark,
    Withdrawal,
    contact,
)
from nvr_bridge.visits.explain import output
from nvr_bridge.visits.replay import replay

KEY = b"story"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
BEGIN = 1_772_413_200.0  # 2026-03-02 09:00 in Shanghai
SETTINGS = Settings(
    validity=DAY,
    protection=2 * DAY,
    natural_protection=DAY,
    close_of_day=time(20, 0),
    timezone=ZoneInfo("Asia/Shanghai"),
    clock_error=2.0,
)
# The first two have the same mask, and so have the next two.
NUMBERS = ("13800000001", "13811110001", "13900000002", "13922220002", "13700000003")
VISITORS = ("v1", "v2", "v3", "v4")
PARTNERS = ("acme", "beta")

# Half hours and days are where the bounds of the rules fall; a second or two more is what a clock may be wrong by.
times = st.builds(
    lambda days, halves, seconds: BEGIN + days * DAY + halves * 30 * MINUTE + seconds,
    st.sampled_from((0, 0, 0, 1, 1, 2, 3)),
    st.integers(0, 4),
    st.sampled_from((0.0, 0.0, 0.0, -2.0, -1.0, 1.0, 2.0, 3.0, 600.0)),
)
visitors = st.sampled_from(VISITORS)
_written = st.sampled_from((NUMBERS[0], NUMBERS[0], *NUMBERS))
numbers = _written.map(lambda number: contact(number, KEY))
masked = _written.map(lambda number: contact(f"{number[:3]}****{number[-4:]}", KEY))
pairs = st.lists(visitors, min_size=2, max_size=2, unique=True).map(tuple)


@st.composite
def stories(draw: st.DrawFn, longest: int = 14) -> list[Evidence]:
    """Events in any order, without reviews and erasures; every sighting has a score of its own, to be known by."""
    found: list[Evidence] = []
    for index in range(draw(st.integers(0, 3))):
        found += _registered(draw, index)
    for index in range(draw(st.integers(1, longest))):
        kind = draw(st.sampled_from(_KINDS))
        found.append(_event(draw, kind, index))
    named = [event.referral for event in found if isinstance(event, Referral)]
    if named and draw(st.booleans()):
        found.append(Withdrawal(draw(times), draw(st.sampled_from(named))))
    return found


def rows(events: Sequence[Evidence], settings: Settings = SETTINGS) -> dict[str, Any]:
    """What is printed of them."""
    return output(replay(events, settings), settings)


def exact(event: Evidence, shift: float) -> Evidence:
    """A sighting by a clock that was wrong by `shift` of its error, and is known to be right now."""
    if not isinstance(event, SightingEvidence):
        return event
    error = SETTINGS.clock_error if event.clock_error is None else event.clock_error
    return replace(event, at=event.at + shift * error, clock_error=0.0)


# --- helpers ------------------------------------------------------------------------------------------------------

_KINDS = (
    ("sighting",) * 4 + ("pass",) * 3 + ("check_in",) * 4 + ("referral",) * 5 + ("signing", "staff", "split", "merge")
)


def _registered(draw: st.DrawFn, index: int) -> list[Evidence]:
    """A visit that leads to a referral: seen or scanned, and checked in."""
    at, visitor, number = draw(times), draw(visitors), draw(numbers)
    seen = SightingEvidence(at, visitor, 0.7 + index / 1000, 0.2, draw(st.sampled_from((None, 0.0, 5.0))))
    claim = contact_of(draw, number)
    declared = at - draw(st.sampled_from((30 * MINUTE, HOUR, DAY))) + draw(st.sampled_from((-2.0, 0.0, 1.0)))
    referral = Referral(declared, f"q{index}", draw(st.sampled_from(PARTNERS)), claim)
    return [draw(st.sampled_from((seen, PassEvidence(at, visitor)))), CheckIn(at + MINUTE, number, visitor), referral]


def contact_of(draw: st.DrawFn, number: Contact) -> Contact:
    """The number in full, or with its middle masked."""
    return draw(st.sampled_from((number, Contact(number.mask))))


def _event(draw: st.DrawFn, kind: str, index: int) -> Evidence:
    at = draw(times)
    match kind:
        case "sighting":
            score = (0.4 if draw(st.integers(0, 4)) == 0 else 0.6) + index / 1000
            return SightingEvidence(at, draw(visitors), score, 0.2, draw(st.sampled_from((None, 0.0, 5.0))))
        case "pass":
            return PassEvidence(at, draw(visitors))
        case "check_in":
            return CheckIn(at, draw(numbers), draw(st.one_of(visitors, st.none())))
        case "referral":
            return Referral(at, f"r{index}", draw(st.sampled_from(PARTNERS)), draw(st.one_of(numbers, masked)))
        case "signing":
            signer, other = draw(pairs)
            co_signers = (other,) if draw(st.booleans()) else ()
            document = draw(st.sampled_from((None, "d1", "d2")))
            given = draw(st.one_of(numbers, st.none()))
            return Signing(at, f"s{index}", signer, document, given, co_signers)
        case "staff":
            return StaffMark(at, draw(visitors), draw(st.sampled_from((None, at + DAY))))
        case "split":
            return Split(at, draw(pairs))
        case _:
            return Merge(at, draw(pairs))
