"""Visits, sightings and replays as clients are shown them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from .models import Visit
from .store.sightings import StoredSighting
from .visits.casebook import Case, Days
from .visits.replay import Day
from .visits.rules import RULES_VERSION


def visit_row(visit: Visit, case: Case, alias: str | None) -> dict[str, Any]:
    """A visit with its verdict; without one where its evidence is lost."""
    earlier = case.get("earlier", visit.earlier)
    return {
        "visit": visit.visit_id,
        "alias": alias,
        "zone": visit.zone_id,
        "started_at": iso(visit.started_at),
        "last_at": iso(visit.last_at),
        "ended_at": iso(visit.ended_at) if visit.ended_at is not None else None,
        "earlier": earlier,
        "returning": earlier > 0,
        "attribution": case.get("attribution"),
        "partner": case.get("partner"),
        "rule": case.get("rule"),
        "risks": case.get("risks", []),
        "needs_review": case.get("needs_review", False),
        "evidence_erased": case.get("evidence_erased", False),
    }


def sighting_row(row: StoredSighting, alias: str | None) -> dict[str, Any]:
    """A sighting."""
    return {
        "camera": row.camera_id,
        "zone": row.zone_id,
        "track": row.track_id,
        "started_at": iso(row.started_at),
        "at": iso(row.at),
        "ended_at": iso(row.ended_at) if row.ended_at is not None else None,
        "who": "known" if row.reason is None else "unknown",
        "reason": row.reason,
        "alias": alias,
        "score": row.score,
        "margin": row.margin,
        "visit": row.visit_id,
    }


def replay_result(days: Days, shown: Callable[[Visit, Case], dict[str, Any]]) -> dict[str, Any]:
    """A replay: every visit; or, where it was replayed under other settings too, those that would change."""
    result = {
        "rules_version": RULES_VERSION,
        "judged": len(days.visits),
        "evidence_erased": days.erased,
        "daily": [_counts(day) for day in days.daily],
    }
    if not days.compared:
        return {**result, "visits": [shown(one.visit, one.now) for one in days.visits]}
    changed = [one for one in days.visits if one.other != one.now]
    return {
        **result,
        "visits": [{**shown(one.visit, one.now), "would_be": one.other} for one in changed],
        "daily_would_be": [_counts(day) for day in days.other_daily],
    }


def iso(moment: float) -> str:
    """A time as it goes over the wire."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def _counts(day: Day) -> dict[str, Any]:
    return {
        "date": day.day.isoformat(),
        "unregistered": day.unregistered,
        "natural": day.natural,
        "channel": day.channel,
        "undetermined": day.undetermined,
    }
