"""What the fake engine answers a desk: one visit, one day's numbers, and whatever it is told to keep."""

from __future__ import annotations

from typing import Any

VISIT = {
    "visit": "v" * 8,
    "alias": "amber otter 42",
    "started_at": "2026-03-02T01:00:00.000Z",
    "earlier": 1,
    "returning": True,
}
KEPT = {"source": "set", "default": 90.0, "least": 0.0, "most": 180.0}
COUNTS = {"visits": 3, "natural": 1, "channel": 1, "staff": 0, "undetermined": 1, "unregistered": 0}
COUNTS |= {"returning": 1, "reviewed": 2}
NOTHING = dict.fromkeys(COUNTS, 0)
REPORT: dict[str, list[dict[str, Any]]] = {
    "day": [{"day": "2026-03-02", **COUNTS}],
    "partner": [{"partner": "acme", **NOTHING, "visits": 1, "channel": 1}, {"partner": None, **NOTHING, "visits": 2}],
    "zone": [{"zone": "desk", **COUNTS}, {"zone": "lane", **NOTHING}],
    "hour": [{"hour": "2026-03-02T09:00+08:00", **COUNTS}],
}


def desk(asked: dict[str, Any], cases: dict[str, dict[str, Any]]) -> Any:
    """The result of a command; None to those that have none. Cases change as they are told to."""
    match asked["type"]:
        case "pass/scan":
            return {**VISIT, "zone": asked["zone"]}
        case "report/visits":
            return REPORT[asked["by"]]
        case "engine/recognition":
            return {"recognition": asked["on"], **{key: asked[key] for key in ("zone",) if key in asked}}
        case "retention/set":
            days = {key: value for key, value in asked.items() if key not in ("id", "type", "by")}
            return {"profile": "demo", "classes": [{**KEPT, "class": kind, "days": days[kind]} for kind in days]}
        case "retention/purge":
            return {"removed": {"sightings": 3, "visitors": 1}, "due": {"visits": "2026-03-09T00:00:00.000Z"}}
        case "case/send_back" | "case/second":
            state = "changed" if asked.get("agree") else "proposed" if "agree" in asked else "sent_back"
            cases[asked["case"]] = {**cases[asked["case"]], "state": state}
            return cases[asked["case"]]
        case _:
            return None
