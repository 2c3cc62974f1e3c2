"""What whoever answers for the site may change while the engine runs: each setting under one key, with how far it goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import voluptuous as vol

from ..consent.retention import Limit
from ..errors import InvalidError, NotFoundError
from ..messages import Setting
from ..values import RETENTION_DAYS, duration
from .keeper import Keeper

RETENTION = "retention_"  # before the class
UNITS = {"min": 60.0, "h": 3600.0, "d": 86400.0}  # in seconds


def _nothing() -> None:
    """Nobody is told."""


class SiteSettings:
    """One for the engine. Arguments come checked by `arguments.COMMAND_SCHEMAS`."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self.changed: Callable[[], None] = _nothing  # called after a change

    def listed(self) -> list[Setting]:
        """Every setting."""
        return [*self._retention()]

    async def set(self, args: dict[str, Any], by: str) -> list[Setting]:
        """Change one; None takes a change back → all of them. `by` is the token that it came with."""
        key, value = args["key"], args["value"]
        known = {setting["key"]: setting for setting in self.listed()}
        if key not in known:
            raise NotFoundError(f"key: {key!r} is not a setting; choose one of {', '.join(known)}")
        wanted = None if value is None else amount(known[key], value)
        await self._keeper.retention_set({key.removeprefix(RETENTION): wanted}, by, args.get("by"), RETENTION)
        self.changed()
        return self.listed()

    def _retention(self) -> Iterator[Setting]:
        for kind, limit in self._keeper.limits().items():
            if limit.least < limit.most:
                yield _days(f"{RETENTION}{kind.value}", limit)


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


# --- helpers ------------------------------------------------------------------------------------------------------


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
