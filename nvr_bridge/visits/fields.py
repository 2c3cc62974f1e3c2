"""Reading what a person wrote, field by field: each mistake is an `InvalidError` with line, field, problem and remedy."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, time
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from ..errors import InvalidError
from .evidence import Contact, contact
from .yaml_lines import Items, Mapping, Node, Scalar, wrong

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Fields:
    """The fields of one mapping. Each is asked for once; `done` complains of those that nobody asked for."""

    def __init__(self, node: Node, where: str) -> None:
        if not isinstance(node, Mapping):
            wrong(node.line, f"{where or 'scenario'}: must hold named fields, such as {{visitor: v1}}")
        self.line = node.line
        self._entries = node.entries
        self._where = where
        self._known: list[str] = []

    def node(self, name: str) -> Node | None:
        """What the field holds; None where it is absent or empty."""
        self._known.append(name)
        found = self._entries.get(name)
        return None if isinstance(found, Scalar) and found.empty else found

    def done(self) -> None:
        """Raises for a field that nobody asked for."""
        for name, node in self._entries.items():
            if name not in self._known:
                close = get_close_matches(name, self._known, 1)
                remedy = f"did you mean {close[0]}" if close else f"known here: {', '.join(self._known)}"
                wrong(node.line, f"{self._path(name)}: no such field; {remedy}")

    def text(self, name: str) -> str:
        """A word. Raises where it is missing."""
        found = self.word(name)
        if found is None:
            wrong(self._line(name), f"{self._path(name)}: missing; give it")
        return found

    def word(self, name: str) -> str | None:
        """A word, or None."""
        node = self.node(name)
        if node is None:
            return None
        if not isinstance(node, Scalar):
            wrong(node.line, f"{self._path(name)}: must be one word, not a list or mapping")
        if not node.text.strip():
            wrong(node.line, f"{self._path(name)}: empty; give it, or leave the field out")
        return node.text.strip()

    def words(self, name: str, least: int) -> tuple[str, ...]:
        """Different words, at least so many; none where the field is absent and `least` is 0."""
        node = self.node(name)
        if node is None and not least:
            return ()
        if not isinstance(node, Items):
            wrong(self._line(name), f"{self._path(name)}: must be a list, such as [v1, v2]")
        found = tuple(item.text.strip() for item in node.items if isinstance(item, Scalar) and not item.empty)
        if len(found) < len(node.items) or not all(found):
            wrong(node.line, f"{self._path(name)}: every entry must be one word, such as v1")
        if len(found) < least or len(set(found)) < len(found):
            wrong(node.line, f"{self._path(name)}: needs {max(least, 1)} or more different entries, such as [v1, v2]")
        return found

    def choice(self, name: str, allowed: tuple[str, ...]) -> str | None:
        """One of the words allowed, or None."""
        found = self.word(name)
        if found is not None and found not in allowed:
            wrong(self._line(name), f"{self._path(name)}: {found} is none of {', '.join(allowed)}; choose one")
        return found

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number from `low` to `high`, or None."""
        found = self.word(name)
        if found is None:
            return None
        try:
            value = float(found)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            wrong(self._line(name), f"{self._path(name)}: {found} is no number from {low:g} to {high:g}")
        return value

    def score(self, name: str) -> float:
        """A similarity from -1 to 1, or a difference of two. Raises where it is missing."""
        self.text(name)
        return self.number(name, -2, 2) or 0.0

    def duration(self, name: str) -> float | None:
        """Seconds, written as 30m or 1h30m; or None."""
        found = self.word(name)
        if found is None:
            return None
        parts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|[smhd])", found)
        if not parts or re.sub(r"(\d+(?:\.\d+)?)\s*(ms|[smhd])", "", found).strip():
            wrong(self._line(name), f"{self._path(name)}: {found} is no duration; write it as 90s, 30m, 72h or 3d")
        return sum(float(count) * _UNITS[unit] for count, unit in parts)

    def clock(self, name: str) -> time | None:
        """A time of day, or None."""
        found = self.word(name)
        if found is None:
            return None
        if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?", found):
            wrong(self._line(name), f"{self._path(name)}: {found} is no time of day; write it as 20:00")
        return time.fromisoformat(found.zfill(8 if found.count(":") == 2 else 5))

    def moment(self, name: str, timezone: ZoneInfo) -> float:
        """A time, in seconds since the epoch. Raises where it is missing."""
        self.text(name)
        found = self.maybe_moment(name, timezone)
        return 0.0 if found is None else found

    def maybe_moment(self, name: str, timezone: ZoneInfo) -> float | None:
        """A time in seconds since the epoch, or None."""
        found = self.word(name)
        if found is None:
            return None
        try:
            return instant(found, timezone)
        except InvalidError as err:
            wrong(self._line(name), f"{self._path(name)}: {err}")

    def contact(self, name: str, key: bytes, *, masked: bool) -> Contact | None:
        """A telephone number, hashed; or None. A masked one only where `masked`."""
        found = self.word(name)
        if found is None:
            return None
        try:
            number = contact(found, key)
        except InvalidError as err:
            # Only the reason: the number itself stays out of what is printed and logged.
            wrong(self._line(name), f"{self._path(name)}: {str(err).removeprefix('contact: ')}")
        if number.full is None and not masked:
            wrong(self._line(name), f"{self._path(name)}: masked; only a referral may be, so give the whole number")
        return number

    def _path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def _line(self, name: str) -> int:
        node = self._entries.get(name)
        return node.line if node else self.line


def instant(text: str, timezone: ZoneInfo) -> float:
    """Seconds since the epoch of a time such as `2026-03-02T09:00`, local unless it has an offset.

    Raises `InvalidError` for what is no time, for a local time that the clocks skip, and for one that they show twice.
    """
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?\s?(Z|[+-]\d\d:?\d\d)?", text):
        raise InvalidError(f"{text} is no time; write it as 2026-03-02T09:00, with an offset such as +08:00 if need be")
    try:
        value = datetime.fromisoformat(text)
    except ValueError as err:
        raise InvalidError(f"{text} is no time: {err}; mend the date or the hour") from err
    if value.tzinfo is not None:
        return value.timestamp()
    early, late = value.replace(tzinfo=timezone), value.replace(tzinfo=timezone, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early.timestamp()
    if early.astimezone(UTC).astimezone(timezone).replace(tzinfo=None) != value:
        raise InvalidError(f"{text} does not exist in {timezone.key}: the clocks go forward over it; correct it")
    offsets = " or ".join(one.isoformat()[-6:] for one in (early, late))
    raise InvalidError(f"{text} exists twice in {timezone.key}: the clocks go back; add its offset, {offsets}")
