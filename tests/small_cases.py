"""The smallest thing that keeps `server.api.CasesApi`: it writes down what it was asked."""

from __future__ import annotations

from typing import Any

CASE: dict[str, Any] = {
    "case": "K7QF-2M9D",
    "state": "proposed",
    "visit": "v",
    "alias": "Amber Finch 12",
    "zone": "lane",
    "started_at": "2026-03-02T10:00:00.000+00:00",
    "attribution": "channel",
    "partner": "acme",
    "rule": "referral_valid",
    "risks": ["late_referral", "contact_changed"],
    "needs_review": True,
    "version": "0a1b2c3d",
}
STEP: dict[str, Any] = {
    "at": "2026-03-02T12:00:00.000+00:00",
    "act": "change",
    "state": "awaiting_second",
    "attribution": "natural",
    "partner": None,
    "by": "Ann",
    "reason": "she came by bus",
}
COUNTS = {"visits": 3, "natural": 2, "channel": 1, "staff": 0, "undetermined": 0}


class SmallCases:
    """One case."""

    def __init__(self, asked: list[tuple[Any, ...]]) -> None:
        self._asked = asked

    async def listed(self, args: dict[str, Any]) -> Any:
        self._asked.append(("cases", args))
        return [CASE]

    async def get(self, args: dict[str, Any], by: str) -> Any:
        self._asked.append(("case", args, by))
        explanation = {"why": "Referral r1 of acme was declared in time."}
        waiting = {"attribution": "natural", "partner": None}
        return {**CASE, "waiting": waiting, "explanation": explanation, "history": [STEP]}

    async def confirm(self, args: dict[str, Any], by: str) -> Any:
        self._asked.append(("confirm", args, by))
        return {**CASE, "state": "confirmed"}

    async def change(self, args: dict[str, Any], by: str) -> Any:
        self._asked.append(("change", args, by))
        return {**CASE, "state": "changed"}

    async def second(self, args: dict[str, Any], by: str) -> Any:
        self._asked.append(("second", args, by))
        return {**CASE, "state": "changed"}

    async def send_back(self, args: dict[str, Any], by: str) -> Any:
        self._asked.append(("send_back", args, by))
        return {**CASE, "state": "sent_back"}

    async def report(self, args: dict[str, Any]) -> Any:
        self._asked.append(("report", args))
        return [{args["by"]: "2026-03-02", **COUNTS, "unregistered": 1, "returning": 0, "reviewed": 2}]
