"""attribution: replaying evidence, from a thousand events to a million: what one event costs must not grow."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator

from nvr_bridge.visits.evidence import (
    CheckIn,
    Evidence,
    PassEvidence,
    Referral,
    Review,
    Settings,
    SightingEvidence,
    Signing,
    contact,
)
from nvr_bridge.visits.replay import replay

from .measure import Figure, once

SIZES = (1_000, 10_000, 100_000, 1_000_000)
DAY = 86400.0
BEGIN = 1_772_413_200.0
KEY = b"bench"


def run(seconds: float) -> Iterator[Figure]:
    """Microseconds of CPU for each event, beside what it takes among a thousand."""
    settings = Settings(clock_error=2.0)
    first: float | None = None
    for size in SIZES:
        events = evidence(size)
        gc.collect()
        taken = [once(lambda events=events: replay(events, settings)).cpu for _ in range(max(1, 20_000 // size))]  # type: ignore[misc]
        each = min(taken) / size * 1e6
        first = each if first is None else first
        yield Figure("attribution", f"replay of {size:,} events", each, "µs an event", "among 1,000 events", first)


def evidence(size: int) -> list[Evidence]:
    """Visits of people who are seen, checked in, referred, signed and reviewed, thirty people to a day, in time order."""
    rng = random.Random(7)
    found: list[Evidence] = []
    person = 0
    while len(found) < size:
        person += 1
        number = contact(f"13{rng.randrange(10)}{rng.randrange(10**8):08d}", KEY)
        masked = contact(f"{rng.randrange(130, 140)}****{rng.randrange(10**4):04d}", KEY)
        at = BEGIN + person // 30 * DAY + rng.uniform(0, DAY / 3)
        if rng.random() < 0.5:
            claim = number if rng.random() < 0.7 else masked
            found.append(Referral(at - rng.uniform(0, DAY), f"r{person}", f"p{person % 9}", claim))
        for visit in range(rng.randrange(1, 4)):
            visitor = f"v{person}" if rng.random() < 0.8 else f"v{person}-{visit}"
            found.append(PassEvidence(at, visitor))
            score = 0.6 if rng.random() < 0.9 else 0.4
            found += [SightingEvidence(at + 300 * k, f"v{person}", score, 0.2) for k in (1, 2, 3)]
            found.append(CheckIn(at + 60, number, visitor))
            at += rng.uniform(1, 9) * DAY
        if rng.random() < 0.1:
            found.append(Signing(at, f"s{person}", f"v{person}", f"d{person}", None, (f"w{person}",)))
            if rng.random() < 0.5:
                found.append(Review(at + DAY, f"v{person}", at, "natural"))
    return sorted(found[:size], key=lambda event: event.at)
