"""What whoever answers for the site may change while the engine runs: each setting under one key, with how far it goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import voluptuous as vol

from ..config import WINNERS
from ..consent.retention import Limit
from ..errors import InvalidError, NotFoundError
from ..messages import Setting
from ..store.visits import VisitTable
from ..values import RETENTION_DAYS, duration
from ..visits.unjudged import Unjudged
from .keeper import Keeper
from .rules import PREFIX as ATTRIBUTION
from .rules import SiteRules

RETENTION = "retention_"  # before the class
UNITS = {"min": 60.0, "h": 3600.0, "d": 86400.0}  # in seconds
WINNER = "winner"


@dataclass(frozen=True, slots=True)
class Range:
    """How far a duration may be changed, in its unit: no further than `bridge.yaml` may set it."""

    unit: str
    least: float
    most: float
    step: float = 1.0


DURATIONS = {
    "lead_time": Range("min", 0, 30 * 24 * 60),
    "validity": Range("d", 0.5, 365, 0.5),
    "protection": Range("d", 0, 3650),
    "natural_protection": Range("h", 0, 3650 * 24),
    "visit_gap": Range("min", 1, 24 * 60),
}


def _nothing() -> None:
    """Nobody is told."""


class SiteSettings:
    """One for the engine. Arguments come checked by `arguments.COMMAND_SCHEMAS`."""

    def __init__(self, keeper: Keeper, rules: SiteRules, visits: VisitTable, unjudged: Unjudged) -> None:
        self._keeper = keeper
        self._rules = rules
        self._visits = visits
        self._unjudged = unjudged
        self.changed: Callable[[], None] = _nothing  # called after a change

    def listed(self) -> list[Setting]:
        """Every setting."""
        return [*self._retention(), *self._durations(), self._winner()]

    def history(self) -> list[dict[str, Any]]:
        """Every change of an attribution setting, the newest first."""
        return self._rules.history()

    async def set(self, args: dict[str, Any], by: str) -> list[Setting]:
        """Change one; None takes a change back → all of them. `by` is the token that it came with."""
        key, value, user = args["key"], args["value"], args.get("by")
        known = {setting["key"]: setting for setting in self.listed()}
        if key not in known:
            raise NotFoundError(f"key: {key!r} is not a setting; choose one of {', '.join(known)}")
        setting = known[key]
        if key.startswith(RETENTION):
            days = None if value is None else amount(setting, value)
            await self._keeper.retention_set({key.removeprefix(RETENTION): days}, by, user, RETENTION)
        else:
            await self._attribution(setting, value, by, user)
        self.changed()
        return self.listed()

    # --- helpers ---

    async def _attribution(self, setting: Setting, value: float | str | None, by: str, user: str | None) -> None:
        wanted = value if value is None or "options" not in setting else word(setting, value)
        if value is not None and "options" not in setting:
            wanted = within(setting, amount(setting, value)) * UNITS[setting["unit"]]
        since = await self._rules.set(setting["key"].removeprefix(ATTRIBUTION), wanted, by, user)
        if since is not None:  # who came while it was being written may have been judged by what held before
            for visit in await self._visits.list(since, None, None, None):
                self._unjudged.visit(visit.visit_id)

    def _retention(self) -> Iterator[Setting]:
        for kind, limit in self._keeper.limits().items():
            if limit.least < limit.most:
                yield _days(f"{RETENTION}{kind.value}", limit)

    def _durations(self) -> Iterator[Setting]:
        for key, may in DURATIONS.items():
            seconds = UNITS[may.unit]
            yield {
                "key": f"{ATTRIBUTION}{key}",
                "value": getattr(self._rules.book().now, key) / seconds,
                "default": float(self._rules.default(key)) / seconds,
                "source": self._rules.source(key),
                "unit": may.unit,
                "min": may.least,
                "max": may.most,
                "step": may.step,
            }

    def _winner(self) -> Setting:
        return {
            "key": f"{ATTRIBUTION}{WINNER}",
            "value": self._rules.book().now.winner,
            "default": self._rules.default(WINNER),
            "source": self._rules.source(WINNER),
            "options": [*WINNERS],
        }


def amount(setting: Setting, value: float | str) -> float:
    """`value` in the setting's unit: a number of it, or a duration such as 72h. Raises `InvalidError` for what is neither."""
    key, unit = setting["key"], setting["unit"]
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        return duration(value) / UNITS[unit]
    except vol.Invalid:
        raise InvalidError(
            f"{key}: {value!r} is no duration; write a number of {unit}, or a number and s, m, h or d, such as 36h"
        ) from None


def within(setting: Setting, value: float) -> float:
    """`value`, or `InvalidError` where the setting does not go that far."""
    if not setting["min"] <= value <= setting["max"]:
        raise InvalidError(
            f"{setting['key']}: {value:g} {setting['unit']} is out of range; it may be from {setting['min']:g} to "
            f"{setting['max']:g}"
        )
    return value


def word(setting: Setting, value: float | str) -> str:
    """`value`, or `InvalidError` where it is none of the setting's words."""
    if value not in setting["options"]:
        raise InvalidError(f"{setting['key']}: {value!r} is not known; choose one of {', '.join(setting['options'])}")
    return str(value)


def _days(key: str, limit: Limit) -> Setting:
    return {
        "key": key,
        "value": limit.days,
        "default": limit.default,
        "source": limit.source,
        "unit": "d",
        "min": limit.least,
        "max": min(limit.most, RETENTION_DAYS),
        "step": 1.0,
    }
