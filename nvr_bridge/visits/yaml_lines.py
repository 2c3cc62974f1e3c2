"""YAML as text with line numbers: every scalar stays the string that was written, so that `08:00` is no number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import yaml

from ..errors import InvalidError

DEPTH = 12  # of nesting; a scenario needs five


@dataclass(frozen=True, slots=True)
class Scalar:
    """A word or number as it was written; `plain` if without quotes."""

    line: int
    text: str
    plain: bool

    @property
    def empty(self) -> bool:
        """Whether it stands for nothing."""
        return self.plain and self.text in {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class Mapping:
    """Names and what they hold."""

    line: int
    entries: dict[str, Node]


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    line: int
    items: tuple[Node, ...]


type Node = Scalar | Mapping | Items


def parse(text: str) -> Node | None:
    """The one document in `text`, or None if there is none. Raises `InvalidError` with the line of what is wrong."""
    events = _events(text)
    found: Node | None = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            if found is not None:
                wrong(_line(event), "a second document begins here; keep one scenario to a file")
            found = _node(next(events), events, 0)
    return found


def wrong(line: int, problem: str) -> NoReturn:
    """Raises `InvalidError` that says where."""
    raise InvalidError(f"line {line}: {problem}")


# --- helpers ------------------------------------------------------------------------------------------------------

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is ten times as fast, where it was built


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_Loader)
    except yaml.MarkedYAMLError as err:
        line = err.problem_mark.line + 1 if err.problem_mark else 1
        raise InvalidError(f"line {line}: not YAML: {err.problem}; mend the brackets, quotes or indentation") from err
    except yaml.YAMLError as err:
        raise InvalidError(f"line 1: not YAML: {err}; save the file as UTF-8 text") from err


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _node(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
    line = _line(event)
    if depth > DEPTH:
        wrong(line, f"nested more than {DEPTH} deep; a scenario is flat")
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        wrong(line, "anchors and aliases (& and *) mean nothing in a scenario; write it out, or put it in quotes")
    if isinstance(event, yaml.ScalarEvent):
        return Scalar(line, event.value, event.style in {None, ""})
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(inner := next(events), yaml.SequenceEndEvent):
            items.append(_node(inner, events, depth + 1))
        return Items(line, tuple(items))
    entries: dict[str, Node] = {}
    while not isinstance(inner := next(events), yaml.MappingEndEvent):
        name = _node(inner, events, depth + 1)
        if not isinstance(name, Scalar):
            wrong(name.line, "a name must be a word, not a list or mapping")
        if name.text in entries:
            wrong(name.line, f"{name.text}: given twice; keep one")
        entries[name.text] = _node(next(events), events, depth + 1)
    return Mapping(line, entries)
