"""The values that a person writes, in `bridge.yaml` and in commands: each checked, each mistake said in one line."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import voluptuous as vol

RETENTION_DAYS = 36_500  # a hundred years: longer than anything may be kept
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration(value: Any) -> float:
    """`30s`, `30m`, `72h`, `3d` → seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", str(value).strip())
    if not match:
        raise vol.Invalid(f"{value!r} is not a duration; write a number and s, m, h or d, such as 30m")
    return float(match[1]) * _UNITS[match[2]]


def moment(value: Any) -> float:
    """ISO 8601 with an offset → seconds since the epoch."""
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        raise vol.Invalid(f"{value!r} is not a time; write ISO 8601, such as 2026-03-02T09:00:00+08:00") from None
    if parsed.tzinfo is None:
        raise vol.Invalid(f"{value!r} has no offset from UTC; end it with one, such as +08:00 or Z")
    return parsed.timestamp()


def day(value: Any) -> date:
    """`2026-03-02` → a date."""
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise vol.Invalid(f"{value!r} is not a date; write it as 2026-03-02") from None


def clock(value: Any) -> time:
    """`20:00` → a time of day. YAML reads it unquoted as minutes of an hour: 1200."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = f"{value // 60:02d}:{value % 60:02d}"
    if not isinstance(value, str) or not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", value):
        raise vol.Invalid(f"{value!r} is not a time of day; write it as 20:00")
    hour, minute = value.split(":")
    return time(int(hour), int(minute))


def text(limit: int) -> Callable[[Any], str]:
    """A text that is not empty, at most `limit` characters long, without spaces around it."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise vol.Invalid("must be a text that is not empty")
        if len(value) > limit:
            raise vol.Invalid(f"is {len(value)} characters long; at most {limit} are allowed")
        return value.strip()

    return check


def identifier(value: Any) -> str:
    """What names a thing in `bridge.yaml` and on the wire."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", value):
        raise vol.Invalid(f"{value!r} is not an identifier; use small letters, digits, - and _")
    return value


def number(low: float, high: float) -> Callable[[Any], float]:
    """A number in a range."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise vol.Invalid(f"{value!r} is not a number from {low:g} to {high:g}")
        return float(value)

    return check


def whole(low: int, high: int) -> Callable[[Any], int]:
    """A whole number in a range."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise vol.Invalid(f"{value!r} is not a whole number from {low} to {high}")
        return value

    return check


def between(low: str, high: str) -> Callable[[Any], float]:
    """A duration in a range, in seconds."""

    def check(value: Any) -> float:
        seconds = duration(value)
        if not duration(low) <= seconds <= duration(high):
            raise vol.Invalid(f"{value!r} is out of range; it may be from {low} to {high}")
        return seconds

    return check


def timezone(value: Any) -> ZoneInfo:
    """An IANA time zone."""
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError):
        raise vol.Invalid(f"{value!r} is not a time zone; write an IANA name, such as Asia/Shanghai") from None


def interface(value: Any) -> str:
    """An IPv4 address, or the name of a network interface."""
    name = str(value)
    try:
        return str(ipaddress.IPv4Address(name))
    except ValueError:
        if re.fullmatch(r"[A-Za-z0-9_.:-]{1,15}", name):
            return name
        raise vol.Invalid(f"{value!r} is neither an IPv4 address nor an interface name") from None


def web_address(value: Any) -> str:
    """Where a browser finds this engine's pages: `https://visits.example.com`, perhaps with a port."""
    if not isinstance(value, str) or not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/?", value):
        raise vol.Invalid(f"{value!r} is no address of a page; write it as https://visits.example.com")
    return value.rstrip("/")


def or_none[T](check: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """What `check` takes, or nothing; the mistake is said as `check` says it."""
    return lambda value: None if value is None else check(value)


def several(check: Callable[[Any], Any], low: int, high: int) -> Callable[[Any], list[Any]]:
    """A list of so many."""
    each = vol.Schema([check])

    def checked(value: Any) -> list[Any]:
        if not isinstance(value, list) or not low <= len(value) <= high:
            raise vol.Invalid(f"must be a list of {low} to {high}")
        found: list[Any] = each(value)
        return found

    return checked


def one_of(*choices: str) -> Callable[[Any], str]:
    """One of some words."""

    def check(value: Any) -> str:
        if value not in choices:
            raise vol.Invalid(f"{value!r} is not known; choose one of {', '.join(choices)}")
        return str(value)

    return check


def not_empty(value: dict[Any, Any]) -> dict[Any, Any]:
    """A mapping that names at least one."""
    if not value:
        raise vol.Invalid("must name at least one")
    return value


def explain(err: vol.Invalid, schema: vol.Schema) -> str:
    """One line: where, what, and what is allowed there."""
    first = err.errors[0] if isinstance(err, vol.MultipleInvalid) else err
    where = ".".join(str(part) for part in first.path) or "the whole"
    message = first.error_message
    if message == "extra keys not allowed":
        known = _keys_at(schema.schema, list(first.path[:-1]))
        return f"{where}: unknown key; known here: {', '.join(known)}" if known else f"{where}: unknown key; remove it"
    if message == "required key not provided":
        return f"{where}: is missing; add it"
    return f"{where}: {message}"


def _keys_at(schema: Any, path: list[Any]) -> list[str]:
    """The keys that a mapping schema knows at `path`."""
    if isinstance(schema, vol.All):
        schema = schema.validators[0]
    if not isinstance(schema, dict):
        return []
    if not path:
        return sorted(str(key) for key in schema if isinstance(key, str | vol.Marker))
    for key, inner in schema.items():
        if callable(key) and not isinstance(key, vol.Marker):
            return _keys_at(inner, path[1:])
        if str(key) == str(path[0]):
            return _keys_at(inner, path[1:])
    return []
