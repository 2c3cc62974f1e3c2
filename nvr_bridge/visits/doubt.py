"""Deciding where some facts are in doubt: decide once for each way in which they could be settled, and compare. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal

from .timeline import near

# What deciding one visit may cost; beyond it everything counts as possible.
LIMIT = 256  # ways to settle the doubts
WORK = 1024  # doubts asked about


# What can be in doubt.
What = Literal[
    "earlier_visit",
    "masked_contact",
    "lead_time",
    "validity",
    "withdrawal",
    "protection",
    "natural_protection",
    "intercepted_before",
    "staff_from",
    "staff_until",
    "visit_gap",
    "overlap",
    "settings",
]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A fact that the evidence leaves open. `about` names a referral, or is the start of an earlier visit."""

    what: What
    about: Hashable = None
    difference: float | None = None  # seconds from the bound
    error: float | None = None  # seconds


class Settlement:
    """One way to settle every doubt. The same doubt is settled the same way each time it is asked about."""

    def __init__(self, path: list[int]) -> None:
        self._path = path
        self.taken: list[tuple[Doubt, int, int]] = []  # the doubt, which way, of how many
        self._settled: dict[tuple[What, Hashable], int] = {}

    def pick(self, doubt: Doubt, ways: int) -> int:
        """Which of so many ways: 0, what the evidence says most plainly, in the first settlement."""
        key = (doubt.what, doubt.about)
        if ways < 2:
            return 0
        if key not in self._settled:
            way = self._path[len(self.taken)] if len(self.taken) < len(self._path) else 0
            self.taken.append((doubt, way, ways))
            self._settled[key] = way
        return self._settled[key]

    def holds(self, plain: bool, doubt: Doubt) -> bool:
        """A fact that the clocks show as `plain`, and that is in doubt."""
        return plain == (self.pick(doubt, 2) == 0)

    def at_least(self, value: float, bound: float, error: float, what: What, about: Hashable) -> bool:
        """Whether `value` ≥ `bound`; in doubt where they differ by the error or less."""
        plain = value >= bound
        if not near(value, bound, error):
            return plain
        return self.holds(plain, Doubt(what, about, value - bound, error))


@dataclass(frozen=True, slots=True)
class Settled[T]:
    """What every settlement came to, the plainest first; `complete` unless there were too many."""

    results: tuple[T, ...]
    doubts: tuple[Doubt, ...]
    complete: bool


def settlements[T: Hashable](decide: Callable[[Settlement], T]) -> Settled[T]:
    """Decide in every way in which the doubts can be settled, each different result once."""
    results: dict[T, None] = {}
    doubts: dict[Doubt, None] = {}
    path: list[int] = []
    work = 0
    for _ in range(LIMIT):
        one = Settlement(path)
        results[decide(one)] = None
        doubts |= dict.fromkeys(doubt for doubt, _, _ in one.taken)
        path = _next(one)
        if not path:
            return Settled(tuple(results), tuple(doubts), complete=True)
        work += len(one.taken)
        if work > WORK:
            break
    return Settled(tuple(results), tuple(doubts), complete=False)


# --- helpers ------------------------------------------------------------------------------------------------------


def _next(one: Settlement) -> list[int]:
    """The next path, depth first; empty after the last."""
    path = [way for _, way, _ in one.taken]
    while path:
        _, _, ways = one.taken[len(path) - 1]
        if path[-1] + 1 < ways:
            path[-1] += 1
            return path
        path.pop()
    return path
