"""When presence belongs to a visit, and when a visit is over. Pure functions; times in seconds since the epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from ..models import Known, Visit
from .evidence import Settings


def continues(visit: Visit, at: float, gap: float) -> bool:
    """Whether presence at `at` extends `visit`: up to and including `gap` after its last presence."""
    return visit.ended_at is None and at - visit.last_at <= gap


def overdue(visits: Iterable[Visit], now: float, gap: Callable[[float], float]) -> list[Visit]:
    """The open visits that nothing at or before `now` can extend any more, the longest over first.

    `gap` is the visit gap by when a visit began.
    """
    over = (visit for visit in visits if not continues(visit, now, gap(visit.started_at)))
    return sorted(over, key=lambda visit: visit.last_at)


def confidence_band(known: Known, settings: Settings) -> str:
    """ "high" where a verdict may rest on it that it was this visitor, by the site's `match`; else "low"."""
    sure = known.score >= settings.match_score and known.margin >= settings.match_margin
    return "high" if sure else "low"


def day_start(now: float, timezone: ZoneInfo) -> float:
    """Local midnight of the day that `now` falls in."""
    local = datetime.fromtimestamp(now, timezone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp()
