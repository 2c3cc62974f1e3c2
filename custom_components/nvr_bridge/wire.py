"""What the engine says, as frozen values. What is not known here is left alone, so that a newer engine may say more."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from .const import OLDEST_SCHEMA, SCHEMA
from .errors import CannotConnectError, IncompatibleError

SINGLE = ("engine", "site")
KINDS = (*SINGLE, "zone", "camera")  # what has a device of its own


@dataclass(frozen=True, slots=True)
class Hello:
    """The engine's first words."""

    engine_id: str
    name: str
    version: str
    schema: int
    oldest_schema: int

    def check(self, engine_id: str) -> None:
        """Raises `CannotConnectError` unless it is that engine (any for ""), `IncompatibleError` if it is not understood."""
        if engine_id not in ("", self.engine_id):
            raise CannotConnectError(f"another engine, {self.name}, answers", "wrong_engine")
        if self.schema < OLDEST_SCHEMA or self.oldest_schema > SCHEMA:
            raise IncompatibleError(self.version, "engine_too_old" if self.schema < OLDEST_SCHEMA else "engine_too_new")


@dataclass(frozen=True, slots=True)
class Thing:
    """What has a device of its own, as the engine described it last."""

    kind: str
    id: str
    name: str
    state: dict[str, Any]  # by field; inner ones too, as `watch.next_purge`, and settings by their key: `settings.KEY`

    @property
    def topic(self) -> str:
        """Names it among all that one engine has."""
        return self.kind if self.kind in SINGLE else f"{self.kind}_{self.id}"


@dataclass(frozen=True, slots=True)
class VisitEvent:
    """One entry of the engine's event log."""

    sequence: int
    kind: str
    occurred_at: str  # ISO 8601, UTC
    zone: str
    visit: str | None
    alias: str | None
    replayed: bool
    data: dict[str, Any]
    shown: list[str] | None = None

    @property
    def types(self) -> list[str]:
        """What it is shown as, one after the other."""
        return [self.kind] if self.shown is None else self.shown


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Everything at one moment, and the events that this hub had missed."""

    things: list[Thing]
    events: list[VisitEvent]
    sequence: int


def read[T](kind: type[T], raw: Any) -> T:
    """A value of dataclass `kind` from a JSON object with the same field names. Raises `CannotConnectError`."""
    with _understood(kind.__name__):
        return kind(**{field.name: raw[field.name] for field in fields(kind) if field.name in raw})  # type: ignore[arg-type]


def subscribed(raw: Any) -> Subscribed:
    """The answer to `subscribe`. Raises `CannotConnectError`."""
    with _understood("subscribe"):
        events = [read(VisitEvent, {**event, "replayed": True}) for event in raw["events"]]
        return Subscribed(things(raw["snapshot"]), events, raw["sequence"])


def things(raw: dict[str, Any]) -> list[Thing]:
    """All that a snapshot (`zones`) or a push (`zone`) describes. Raises `CannotConnectError`."""
    with _understood("state"):
        return [
            Thing(kind, kind if kind in SINGLE else state["id"], state["name"], dict(_paths("", state)))
            for kind in KINDS
            for state in ([raw[kind]] if raw.get(kind) else raw.get(f"{kind}s", ()))
        ]


def _paths(prefix: str, state: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in state.items():
        yield f"{prefix}{key}", value
        if key == "settings":
            yield from ((f"settings.{setting['key']}", setting) for setting in value)
        elif isinstance(value, dict):
            yield from _paths(f"{prefix}{key}.", value)


@contextmanager
def _understood(what: str) -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError) as err:
        raise CannotConnectError(f"{what}: {err!r}") from err
