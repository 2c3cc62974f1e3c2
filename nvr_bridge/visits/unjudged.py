"""What has to be judged again because its evidence changed: a moment later, so that what comes together is judged once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

SOON = 0.3  # seconds after something was said, claimed or corrected, or somebody came or left
LATER = 3.0  # seconds after somebody who is known to be here was seen again


@dataclass(frozen=True, slots=True)
class Batch:
    """Where evidence changed: on visits, by referrals, or about visitors."""

    visits: frozenset[str] = frozenset()
    referrals: frozenset[str] = frozenset()
    visitors: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.visits or self.referrals or self.visitors)


class Unjudged:
    """Whoever stores evidence says so here, after it is committed. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._visits: set[str] = set()
        self._referrals: set[str] = set()
        self._visitors: set[str] = set()
        self._due = float("inf")

    def visit(self, visit_id: str, *, soon: bool = True) -> None:
        """A visit began, went on or ended, or somebody said something on it; not `soon` if it only went on."""
        self._visits.add(visit_id)
        self._wait(SOON if soon else LATER)

    def referrals(self, referral_ids: Iterable[str]) -> None:
        """Referrals were filed or withdrawn."""
        self._referrals.update(referral_ids)
        self._wait(SOON)

    def visitors(self, visitor_ids: Iterable[str]) -> None:
        """Somebody said who these visitors are, or that they belong to the staff."""
        self._visitors.update(visitor_ids)
        self._wait(SOON)

    def put(self, batch: Batch, *, soon: bool) -> None:
        """What an engine that stopped had left, or what was taken and could not be judged now: then not `soon`."""
        self._visits |= batch.visits
        self._referrals |= batch.referrals
        self._visitors |= batch.visitors
        self._wait(SOON if soon else LATER)

    def take(self, *, now: bool = False) -> Batch:
        """All of it, if some of it is due; with `now` even if it is not."""
        if not now and self._clock() < self._due:
            return Batch()
        batch = Batch(frozenset(self._visits), frozenset(self._referrals), frozenset(self._visitors))
        self._visits.clear()
        self._referrals.clear()
        self._visitors.clear()
        self._due = float("inf")
        return batch

    def _wait(self, seconds: float) -> None:
        if self._visits or self._referrals or self._visitors:
            self._due = min(self._due, self._clock() + seconds)
