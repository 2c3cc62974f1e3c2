"""What the engine and its clients say to each other, message by message. `protocol.py` has who may ask what."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

# --- before commands ----------------------------------------------------------------------------------------------


class Hello(TypedDict):
    """The server's first message."""

    type: Literal["hello"]
    engine_id: str
    name: str
    version: str
    schema: int
    oldest_schema: int


class Auth(TypedDict):
    """The client's answer. `schema` is the version the client speaks."""

    type: Literal["auth"]
    schema: int
    token: str


class Pair(TypedDict):
    """Instead of `auth`: trade a pairing code for a token."""

    type: Literal["pair"]
    schema: int
    code: str
    name: str  # how the token is shown in lists, e.g. "Home Assistant"


class AuthOk(TypedDict):
    """Commands may follow. `token` is present after `pair`, and is shown only this once."""

    type: Literal["auth_ok"]
    role: str
    token_id: str
    token: NotRequired[str]


class AuthFailed(TypedDict):
    """The last message before the server closes: `unauthorized`, `rate_limited`, `incompatible` or `invalid`."""

    type: Literal["auth_failed"]
    code: str
    message: str


# --- results and pushes -------------------------------------------------------------------------------------------


class Failure(TypedDict):
    """Why a command did nothing."""

    code: str
    message: str


class Result(TypedDict):
    """The answer to the command with this `id`."""

    id: int
    type: Literal["result"]
    success: bool
    result: NotRequired[Any]
    error: NotRequired[Failure]


class Problem(TypedDict):
    """Something that a person has to do, in the state of what it is about for as long as that is so."""

    key: str  # which: problems.EngineProblem, consent.interlock.Reason or models.CameraState
    names: dict[str, str]  # what a text about it names: a number, a date, …


class StreamState(TypedDict):
    """What a stream was measured to deliver."""

    name: str
    codec: str
    width: int
    height: int
    fps: float


class CameraStatus(TypedDict):
    """A camera in a snapshot or a `state` push."""

    id: str
    name: str
    kind: str
    address: str
    channel: str
    zone: str
    state: str  # models.CameraState
    reason: str | None  # one line with the remedy, unless online
    reason_code: str | None  # the error's code: errors.BridgeError
    problems: list[Problem]
    manufacturer: str | None  # of the device, as it says; None until it was asked
    model: str | None
    stream: StreamState | None
    decoded: int
    analysed: int
    analysed_per_second: float  # lately
    dropped: int
    recognition: bool  # whether it is not switched off by this camera
    clock_offset: float | None  # seconds that the device's clock was ahead of the engine's when its stream was opened


class ZoneStatus(TypedDict):
    """A zone in a snapshot or a `state` push."""

    id: str
    name: str
    kind: str  # models.ZoneKind
    armed: bool
    reasons: list[str]  # why not armed: consent.interlock.Reason
    needs_sign: bool
    needs_act: bool
    notice_hash: str
    people_present: int
    people_approaching: int  # those of them who have just come into view, or come nearer
    people_today: int  # tracks counted since local midnight, recognised or not
    visits_today: int
    returning_today: int
    recognition: bool  # whether it is not switched off there; `engine/recognition` is of the whole site
    last_event: str | None  # as `EventMessage.shown` has it, the last of them
    last_event_at: str | None
    problems: list[Problem]


class SiteStatus(TypedDict):
    """The site as one, in a snapshot or a `state` push. What visits came to is as it was last told."""

    name: str
    day_started_at: str  # the local midnight from which today's are counted
    visits_today: int
    natural_today: int
    channel_today: int
    staff_today: int
    undetermined_today: int
    unregistered_today: int
    returning_share: float | None  # percent of today's visits; None before the first
    people_present: int


class WatchStatus(TypedDict):
    """What whoever answers for the data must see."""

    subjects_warning: int | None  # the profile's level
    oldest_template: str | None  # when the consent that it rests on was given
    to_renew: int  # consents given under another notice than the one in force
    erasures_overdue: int
    log_cut: bool  # whether the database's log is free of what was erased
    clock_doubted: bool  # whether nothing is removed because the clock jumped
    last_purge: str | None  # since the start
    next_purge: str
    reasons: list[str]  # why zones that may recognise do not: consent.interlock.Reason
    assessment_expires_at: str | None
    keys_by: str  # consent.master.Kind
    keys_backed_up_at: str | None  # by the engine itself, since the start


class Setting(TypedDict):
    """What may be set while the engine runs: a number of some unit in a range, or one of some words."""

    key: str
    value: float | str
    default: float | str  # what taking a change back gives
    source: str  # by whose word: "profile", "bridge.yaml" or "set"
    unit: NotRequired[str]  # "d", "h" or "min"
    min: NotRequired[float]
    max: NotRequired[float]
    step: NotRequired[float]
    options: NotRequired[list[str]]


class EngineStatus(TypedDict):
    """The engine in a snapshot or a `state` push."""

    id: str
    name: str
    version: str
    profile: str
    armed: bool  # whether any zone is
    subjects: int
    embeddings: int
    embeddings_without_permit: int
    permits: int
    tracks: int
    sign_ttl: float
    watch: WatchStatus
    cases_waiting: int  # as many as the evening list has that need a review
    recognition: bool  # whether it is not switched off on the whole site
    search_p99_ms: float | None  # of the gallery's searches in the last ten minutes
    settings: list[Setting]
    problems: list[Problem]


class Snapshot(TypedDict):
    """Everything a client needs to start."""

    engine: EngineStatus
    site: SiteStatus
    cameras: list[CameraStatus]
    zones: list[ZoneStatus]


class EventMessage(TypedDict):
    """One entry of the event log, as it is told."""

    sequence: int
    kind: str  # models.EventKind
    shown: list[str]  # the words that a hub shows it by, one after the other
    occurred_at: str  # ISO 8601, UTC, milliseconds
    zone: str
    visit: str | None
    alias: str | None  # None for a visitor who withdrew
    replayed: bool  # told because the client asked for what it missed
    data: dict[str, str | int | float | bool | None]


class Subscribed(TypedDict):
    """The result of `subscribe`: state, what was missed, and where the log stands. Pushes follow with nothing between."""

    snapshot: Snapshot
    events: list[EventMessage]
    sequence: int


class StatePush(TypedDict):
    """A thing's whole new state; `id` is the subscription's."""

    id: int
    type: Literal["state"]
    frame_at: NotRequired[float]  # when the frame that decided this change was received, seconds since the epoch
    engine: NotRequired[EngineStatus]
    site: NotRequired[SiteStatus]
    camera: NotRequired[CameraStatus]
    zone: NotRequired[ZoneStatus]
    removed_camera: NotRequired[str]


class EventPush(TypedDict):
    """A new event; `id` is the subscription's."""

    id: int
    type: Literal["event"]
    event: EventMessage


class ForgetPush(TypedDict):
    """A visitor withdrew: drop this alias and these visits from every attribute shown."""

    id: int
    type: Literal["forget"]
    alias: str
    visits: list[str]
