"""What the engine says, as frozen values. Unknown fields are ignored, so that a newer engine may say more."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from .const import OLDEST_SCHEMA, SCHEMA
from .errors import CannotConnectError, IncompatibleError, WrongEngineError


@dataclass(frozen=True, slots=True)
class Hello:
    """The engine's first words."""

    engine_id: str
    name: str
    version: str
    schema: int
    oldest_schema: int

    def check(self, engine_id: str) -> None:
        """Raises `WrongEngineError` unless it is that engine (any for ""), `IncompatibleError` if it is not understood."""
        if engine_id not in ("", self.engine_id):
            raise WrongEngineError(f"another engine, {self.name}, answers")
        if self.schema < OLDEST_SCHEMA or self.oldest_schema > SCHEMA:
            raise IncompatibleError(self.version, "engine_too_old" if self.schema < OLDEST_SCHEMA else "engine_too_new")


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine itself."""

    name: str
    version: str
    armed: bool
    sign_ttl: float  # seconds that a sign's report holds

    topic = "engine"


@dataclass(frozen=True, slots=True)
class Stream:
    """What a camera's stream was measured to deliver. Sizes in pixels."""

    codec: str
    width: int
    height: int
    fps: float


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera's health."""

    id: str
    name: str
    zone: str
    state: str
    reason: str | None
    stream: Stream | None

    @property
    def topic(self) -> str:
        return f"camera_{self.id}"

    @property
    def online(self) -> bool:
        return self.state == "online"


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone: may it recognise, and who came."""

    id: str
    name: str
    armed: bool
    reasons: list[str]
    needs_sign: bool
    needs_act: bool
    notice_hash: str
    people_present: int
    people_today: int
    visits_today: int
    returning_today: int

    @property
    def topic(self) -> str:
        return f"zone_{self.id}"


type Thing = Engine | Zone | Camera  # `topic` names it among all that one engine has


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


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Everything at one moment: the state by topic, and the events that this hub had missed."""

    things: dict[str, Thing]
    events: list[VisitEvent]
    sequence: int


def read[T](kind: type[T], raw: Any) -> T:
    """A value of dataclass `kind` from a JSON object with the same field names. Raises `CannotConnectError`."""
    try:
        return kind(**{field.name: raw[field.name] for field in fields(kind)})  # type: ignore[arg-type]
    except (KeyError, TypeError) as err:
        raise CannotConnectError(f"{kind.__name__}: {err!r}") from err


def read_camera(raw: Any) -> Camera:
    """A camera with its stream. Raises `CannotConnectError`."""
    camera = read(Camera, raw)
    return replace(camera, stream=read(Stream, camera.stream)) if camera.stream else camera


def read_subscribed(raw: Any) -> Subscribed:
    """The answer to `subscribe`. Raises `CannotConnectError`."""
    try:
        snapshot = raw["snapshot"]
        things: list[Thing] = [read(Engine, snapshot["engine"])]
        things += [read(Zone, zone) for zone in snapshot["zones"]]
        things += [read_camera(camera) for camera in snapshot["cameras"]]
        events = [read(VisitEvent, event) for event in raw["events"]]
        return Subscribed({thing.topic: thing for thing in things}, events, raw["sequence"])
    except (KeyError, TypeError) as err:
        raise CannotConnectError(f"subscribe: {err!r}") from err
