"""What the engine says, as frozen values. Unknown fields are ignored, so that a newer engine may say more."""

from dataclasses import dataclass, fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin

from .const import OLDEST_SCHEMA, SCHEMA
from .errors import CannotConnectError, IncompatibleError


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


@dataclass(frozen=True)
class Thing:
    """What has a device of its own; `topic` names it among all that one engine has."""

    id: str
    name: str

    @property
    def topic(self) -> str:
        return f"{type(self).__name__.lower()}_{self.id}"


@dataclass(frozen=True)
class Engine(Thing):
    """The engine itself."""

    version: str
    armed: bool
    sign_ttl: float  # seconds that a sign's report holds
    cases_waiting: int | None = None  # for a person; None if the engine does not count them

    topic = "engine"


@dataclass(frozen=True)
class Zone(Thing):
    """A zone: may it recognise, and who came."""

    armed: bool
    reasons: list[str]
    needs_sign: bool
    needs_act: bool
    notice_hash: str
    people_present: int
    people_today: int
    visits_today: int
    returning_today: int


@dataclass(frozen=True, slots=True)
class Stream:
    """What a camera's stream was measured to deliver. Sizes in pixels."""

    codec: str
    width: int
    height: int
    fps: float


@dataclass(frozen=True)
class Camera(Thing):
    """A camera's health."""

    zone: str
    state: str
    reason: str | None
    stream: Stream | None

    @property
    def online(self) -> bool:
        return self.state == "online"


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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that there is."""

    engine: Engine
    zones: list[Zone]
    cameras: list[Camera]


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Everything at one moment, and the events that this hub had missed."""

    snapshot: Snapshot
    events: list[VisitEvent]
    sequence: int


def read[T](kind: type[T], raw: Any) -> T:
    """A value of dataclass `kind` from a JSON object with the same field names. Raises `CannotConnectError`."""
    try:
        known = (field for field in fields(kind) if field.name in raw)  # type: ignore[arg-type]
        return kind(**{field.name: _value(field.type, raw[field.name]) for field in known})
    except TypeError as err:
        raise CannotConnectError(f"{kind.__name__}: {err!r}") from err


def _value(kind: Any, raw: Any) -> Any:
    if isinstance(kind, UnionType):  # something or None
        return None if raw is None else _value(get_args(kind)[0], raw)
    if get_origin(kind) is list:
        return [_value(get_args(kind)[0], item) for item in raw]
    if is_dataclass(kind):
        return read(kind, raw)  # type: ignore[arg-type]
    return raw
