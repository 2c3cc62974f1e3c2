"""Timing: what a section reports, and how long a thing takes on this machine."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


class Unavailable(Exception):  # noqa: N818 - not an error: a section says what it lacks
    """A section cannot run here; the message says what it needs."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement, and the plain way of doing the same beside it."""

    section: str
    name: str
    value: float
    unit: str
    reference: str = ""
    reference_value: float | None = None

    @property
    def ratio(self) -> float | None:
        """`value` / `reference_value`."""
        return self.value / self.reference_value if self.reference_value else None

    def row(self) -> dict[str, object]:
        """JSON-able."""
        return {
            "section": self.section,
            "name": self.name,
            "value": round(self.value, 4),
            "unit": self.unit,
            "reference": self.reference or None,
            "reference_value": None if self.reference_value is None else round(self.reference_value, 4),
            "ratio": None if self.ratio is None else round(self.ratio, 3),
        }


@dataclass(frozen=True, slots=True)
class Spent:
    """What a call took, in seconds."""

    wall: float
    cpu: float  # all threads of this process


def once(work: Callable[[], object]) -> Spent:
    """One call, timed."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def side_by_side(works: Iterable[Callable[[], object]], seconds: float) -> list[float]:
    """Median milliseconds of CPU per call of each, in turns so that the machine's moods hit all alike.

    Each is called once unmeasured, and at least five times measured.
    """
    candidates = list(works)
    for work in candidates:
        work()
    taken: list[list[float]] = [[] for _ in candidates]
    ends = time.perf_counter() + seconds * len(candidates)
    while time.perf_counter() < ends or len(taken[0]) < 5:
        for work, times in zip(candidates, taken, strict=True):
            times.append(once(work).cpu * 1000)
    return [statistics.median(times) for times in taken]


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` (0…1) of all are not above, as the demo's check counts."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
