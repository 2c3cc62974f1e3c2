"""Counts of visits by what they came to: for each day, partner, zone or hour. Pure. Nothing is said of money, or of anybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from .telling import Case

QUARTER = 900.0  # seconds: no clock on earth changes at a time that is no multiple of it


@dataclass(frozen=True, slots=True)
class Counted:
    """A visit as a report sees it."""

    started_at: float
    zone_id: str
    case: Case | None  # its verdict; None where nothing is left to judge it by
    reviewed: bool  # whether somebody decided on it


@dataclass(slots=True)
class Counts:
    """How many visits, and of them how many came to what."""

    visits: int = 0
    natural: int = 0
    channel: int = 0
    staff: int = 0
    undetermined: int = 0
    unregistered: int = 0
    returning: int = 0
    reviewed: int = 0

    def add(self, visit: Counted) -> None:
        """One more."""
        self.visits += 1
        self.reviewed += visit.reviewed
        if visit.case is None:
            return
        attribution = visit.case["attribution"]
        self.natural += attribution == "natural"
        self.channel += attribution == "channel"
        self.staff += attribution == "staff"
        self.undetermined += attribution == "undetermined"
        self.unregistered += "unregistered_visit" in visit.case["risks"]
        self.returning += visit.case["earlier"] > 0


COLUMNS = tuple(field.name for field in fields(Counts))


def report(
    visits: Iterable[Counted], by: str, first: date, last: date, zone_ids: Iterable[str], clock: ZoneInfo
) -> list[dict[str, str | int | None]]:
    """A row for each day, hour or zone of the period, and for each partner that a visit was given to; `by` is one of these four.

    Days and hours are the site's own: where the clocks change, a day has 23 or 25 hours. Visits that were given to no
    partner are the row whose `partner` is None.
    """
    counts: dict[str | None, Counts] = {key: Counts() for key in _rows(by, first, last, zone_ids, clock)}
    for visit in visits:
        counts.setdefault(_row_of(visit, by, clock), Counts()).add(visit)
    if by == "partner":  # by name, and those of nobody last
        counts = dict(sorted(counts.items(), key=lambda entry: (entry[0] is None, entry[0] or "")))
    return [{by: key, **{column: getattr(count, column) for column in COLUMNS}} for key, count in counts.items()]


# --- helpers ------------------------------------------------------------------------------------------------------


def _rows(by: str, first: date, last: date, zone_ids: Iterable[str], clock: ZoneInfo) -> Iterator[str]:
    """The rows that there are even where nobody came."""
    match by:
        case "day":
            yield from (day.isoformat() for day in _days(first, last))
        case "hour":
            yield from _hours(first, last, clock)
        case "zone":
            yield from zone_ids


def _row_of(visit: Counted, by: str, clock: ZoneInfo) -> str | None:
    match by:
        case "day":
            return datetime.fromtimestamp(visit.started_at, clock).date().isoformat()
        case "hour":
            return _hour(visit.started_at, clock)
        case "zone":
            return visit.zone_id
        case _:
            return visit.case["partner"] if visit.case else None


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _hours(first: date, last: date, clock: ZoneInfo) -> Iterator[str]:
    """The name of every hour, some of them several times over."""
    at = datetime.combine(first, time.min, clock).timestamp()
    end = datetime.combine(last + timedelta(days=1), time.min, clock).timestamp()
    while at < end:
        yield _hour(at, clock)
        at += QUARTER


def _hour(at: float, clock: ZoneInfo) -> str:
    """The hour that the site's clocks showed, with its offset: one that came twice is two."""
    local = datetime.fromtimestamp(at, clock)
    fixed = local.astimezone(timezone(local.utcoffset() or timedelta()))  # so that no other minute has another
    return fixed.replace(minute=0, second=0, microsecond=0).isoformat(timespec="minutes")
