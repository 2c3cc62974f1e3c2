"""What the fake engine does when somebody at the hub sets or switches something: it says the new state to all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fake_engine import FakeEngine

SITE = {
    "name": "Riverside",
    "visits_today": 0,
    "natural_today": 0,
    "channel_today": 0,
    "staff_today": 0,
    "undetermined_today": 0,
    "unregistered_today": 0,
    "returning_share": None,
    "people_present": 0,
    "day_started_at": "2026-03-01T16:00:00.000+00:00",
}


def days(key: str, value: float, most: float) -> dict[str, Any]:
    """A setting that is a number of days."""
    said = {"key": key, "value": value, "default": most, "source": "profile"}
    return {**said, "unit": "d", "min": 1.0, "max": most, "step": 1.0}


def problem(key: str, **names: str) -> dict[str, Any]:
    """Something that a person has to do, as it is said of what it is about."""
    return {"key": key, "names": names}


def because(*reasons: str) -> dict[str, Any]:
    """A zone that is not armed for these reasons, and should be; or that is, without any."""
    problems = [problem(reasons[0], reasons=", ".join(reasons))] if reasons else []
    return {"armed": not reasons, "reasons": list(reasons), "problems": problems}


SETTINGS = [
    days("retention_templates", 90.0, 180.0),
    days("retention_visits", 365.0, 730.0),
    {**days("attribution_lead_time", 30.0, 1440.0), "unit": "min"},
    {
        "key": "attribution_winner",
        "value": "first_declared",
        "default": "first_declared",
        "source": "profile",
        "options": ["first_declared", "undetermined"],
    },
    days("a_setting_of_a_newer_engine", 1.0, 2.0),
]


ENGINE = {
    "id": "e" * 32,
    "name": "Riverside",
    "version": "0.1.0",
    "profile": "demo",
    "armed": False,
    "subjects": 1,
    "embeddings": 0,
    "embeddings_without_permit": 0,
    "permits": 0,
    "tracks": 0,
    "sign_ttl": 1.0,
    "watch": {
        "subjects_warning": 1000,
        "oldest_template": "2026-03-02T09:00:00.000+00:00",
        "to_renew": 2,
        "erasures_overdue": 0,
        "log_cut": True,
        "last_purge": None,
        "next_purge": "2026-03-02T10:00:00.000+00:00",
        "reasons": ["assessment_missing", "sign_unknown"],
        "assessment_expires_at": None,
        "keys_by": "file",
        "keys_backed_up_at": None,
    },
    "cases_waiting": 0,
    "search_p99_ms": 1.23,
    "recognition": True,
    "settings": SETTINGS,
    "problems": [],
}


async def control(engine: FakeEngine, asked: dict[str, Any]) -> None:
    """Do what was asked for, if it is one of these."""
    match asked["type"]:
        case "settings/set":
            settings = engine.engine["settings"]
            changed = [{**it, "value": asked["value"]} if it["key"] == asked["key"] else it for it in settings]
            await engine.engine_is(settings=changed)
        case "engine/recognition" if asked.get("zone") in engine.zones:
            await engine.zone_is(asked["zone"], recognition=asked["on"])
        case "engine/recognition" if "zone" not in asked:
            await engine.engine_is(recognition=asked["on"])
        case "camera/recognition":
            await engine.camera_is(asked["camera"], recognition=asked["on"])
