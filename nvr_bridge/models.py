"""The nouns, in the order in which data flows.

`Frame → Face → Track → Permit → Probe → Match → Sighting → Visit → Event`: each stage takes the previous stage's frozen
value and returns the next. Times are seconds since the Unix epoch (UTC, float) on the engine's clock; boxes are pixels
of the frame they were found in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # standard library only at run time: the client side imports this module too
    import numpy as np
    from numpy.typing import NDArray

    type Image = NDArray[np.uint8]  # (height, width, 3), BGR
    type Landmarks = NDArray[np.float32]  # (5, 2): left eye, right eye, nose, left and right mouth corner, in pixels
    type Embedding = NDArray[np.float32]  # (pack's dimension,), unit length


# --- the site -----------------------------------------------------------------------------------------------------


class ZoneKind(StrEnum):
    """What a camera watches, and so what may happen there."""

    OBSERVE = "observe"  # faces are boxed and counted, never embedded
    CONSENT_POINT = "consent_point"  # one person acts here, and one face is presented alone
    OPT_IN_LANE = "opt_in_lane"  # an area chosen instead of an equal one; each passage needs an act


class CameraState(StrEnum):
    """A camera's health, as a person would say it."""

    CONNECTING = "connecting"
    ONLINE = "online"
    OFFLINE = "offline"
    NEEDS_CREDENTIALS = "needs_credentials"
    NO_VIDEO = "no_video"


class CameraKind(StrEnum):
    """The protocol a camera is configured through."""

    ONVIF = "onvif"
    HIKVISION = "hikvision"


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the site, from `bridge.yaml`."""

    zone_id: str
    name: str
    kind: ZoneKind


@dataclass(frozen=True, slots=True)
class Camera:
    """One channel that the engine pulls. Credentials are kept elsewhere, encrypted."""

    camera_id: str
    name: str
    kind: CameraKind
    address: str  # host:port of the device's HTTP service
    channel: str  # ONVIF video source token, or ISAPI channel number
    zone_id: str


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What a stream was measured to deliver (never what it claims)."""

    name: str
    codec: str  # "h264" or "hevc"
    width: int
    height: int
    fps: float


# --- frame to track -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture."""

    camera_id: str
    sequence: int  # counts decoded frames of this camera since its stream was opened
    received_at: float  # when the packet that completed it was received
    image: Image = field(repr=False)


@dataclass(frozen=True, slots=True)
class Box:
    """Corners in pixels; `x2` and `y2` are exclusive."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Pixels."""
        return self.y2 - self.y1

    def iou(self, other: Box) -> float:
        """Intersection over union, 0…1."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.width * self.height + other.width * other.height - shared)


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one frame."""

    box: Box
    score: float  # the detector's confidence, 0…1


class Flaw(StrEnum):
    """Why a look at a face is of no use. Said to whoever stands there, so that they can do something about it."""

    NOBODY = "nobody"
    MORE_THAN_ONE = "more_than_one"
    NOT_A_FACE = "not_a_face"
    TOO_SMALL = "too_small"
    TURNED = "turned"
    BLURRED = "blurred"
    COVERED = "covered"


@dataclass(frozen=True, slots=True)
class FaceShot:
    """A face cut out and aligned, ready for the embedder. Held in memory only, and only while its track lives."""

    chip: Image = field(repr=False)  # (112, 112, 3) BGR, five-point similarity to the ArcFace template
    width: float  # face width in the frame, pixels
    quality: float  # 0…1, comparable within one camera
    taken_at: float  # the frame's `received_at`
    flaw: Flaw | None = None  # why it may be compared, but is too poor to remember anybody by
    alive: float | None = None  # 0…1, unproven advice; None where the site does not ask for it


@dataclass(frozen=True, slots=True)
class Track:
    """The same face over the frames of one camera, as of its last frame."""

    camera_id: str
    zone_id: str
    track_id: int  # unique within a process
    started_at: float
    last_at: float
    hits: int
    box: Box
    best: FaceShot | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Names the track within this process."""
        return (self.camera_id, self.track_id)


# --- permit to match ----------------------------------------------------------------------------------------------


class Ground(StrEnum):
    """What a permit rests on."""

    CONSENT = "consent"  # a person acted at a consent point
    OPT_IN_ACT = "opt_in_act"  # the hub reported an act for this passage
    OFFLINE = "offline"  # an operator's files, in a process that has no store, camera or server


@dataclass(frozen=True, slots=True)
class Permit:
    """The proof, made only by the consent gate, that one track (or photo) may be embedded now.

    Holding one proves nothing: the gate keeps its own book of what it minted, and the embedder asks it each time.
    """

    permit_id: str
    zone_id: str
    ground: Ground
    basis: str  # the consent, act or session that it rests on
    expires_at: float
    since: float = 0.0  # when somebody acted: no picture from before that may be embedded on it


@dataclass(frozen=True, slots=True)
class Probe:
    """An embedding of a live face. Never stored, logged, queued or sent."""

    embedding: Embedding = field(repr=False)
    permit: Permit


class UnknownReason(StrEnum):
    """Why nobody was recognised."""

    OBSERVED_ONLY = "observed_only"  # the zone never recognises
    NOT_ARMED = "not_armed"  # the interlock is open
    NO_ACT = "no_act"  # nobody acted for this passage
    NOT_ALONE = "not_alone"  # more than one face where one must be alone
    TOO_SMALL = "too_small"  # never near enough
    LOW_QUALITY = "low_quality"  # blurred, turned, covered, or not a face
    NO_MATCH = "no_match"  # compared, and nobody's
    AMBIGUOUS = "ambiguous"  # compared, and two people were too close to call


@dataclass(frozen=True, slots=True)
class Known:
    """A visitor, and how sure."""

    visitor_id: str
    score: float  # cosine similarity to the best template
    margin: float  # score less the best score of any other visitor


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody, and why. The probe's scores are not kept."""

    reason: UnknownReason


type Match = Known | Unknown


# --- sighting to event --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Runs:
    """The embedder's runs for one track. Times in seconds since the epoch."""

    count: int
    first_at: float  # when the first was done
    last_at: float
    frame_at: float  # receipt of the picture that the last was made of


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one track amounted to: when, where, who, how sure."""

    camera_id: str
    zone_id: str
    track_id: int
    started_at: float
    at: float  # the deciding frame
    who: Match
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay of one visitor."""

    visit_id: str
    visitor_id: str | None  # None once the visitor withdrew
    zone_id: str  # where it began
    started_at: float
    last_at: float
    ended_at: float | None
    earlier: int  # how many visits this visitor had made before
    settled: dict[str, Any] | None = None  # the verdict as it was when its evidence was erased

    @property
    def returning(self) -> bool:
        """Whether the visitor had been here before."""
        return self.earlier > 0


ATTRIBUTIONS = ("natural", "channel", "staff", "undetermined")


class CaseState(StrEnum):
    """How far people are with a visit's verdict."""

    PROPOSED = "proposed"  # by the rules: nobody has looked yet, or something changed since
    AWAITING_SECOND = "awaiting_second"  # a change that moves money waits for another person
    CONFIRMED = "confirmed"
    CHANGED = "changed"
    SENT_BACK = "sent_back"  # to whoever can say more
    APPEALED = "appealed"
    CLOSED = "closed"  # a contract was signed on it


class ReviewAct(StrEnum):
    """What happened to a case."""

    CONFIRM = "confirm"
    CHANGE = "change"
    AGREE = "agree"  # to a change that waits for a second person
    REFUSE = "refuse"
    SEND_BACK = "send_back"
    APPEAL = "appeal"
    SIGN = "sign"
    REOPEN = "reopen"  # a risk or other evidence came up after it was decided


class Outcome(StrEnum):
    """What a partner is told of a referral: the first three follow from it alone, the others a person decided."""

    OPEN = "open"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    GIVEN = "given"  # a visit was the partner's
    NOT_GIVEN = "not_given"  # it counted, and the visit was another's or nobody's
    DECLARED_LATE = "declared_late"


class EventKind(StrEnum):
    """What the event log holds. The wire uses the same words."""

    FIRST_VISIT = "first_visit"
    RETURNING_VISIT = "returning_visit"
    VISIT_ENDED = "visit_ended"
    CONSENT_GRANTED = "consent_granted"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    PERSON_APPROACHING = "person_approaching"  # somebody, in a zone where nobody was for a while; never who
    VERDICT = "verdict"  # what a visit came to, told again whenever that changes


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the durable event log. Names a visitor by id only; the alias is looked up when it is told."""

    sequence: int
    kind: EventKind
    occurred_at: float
    zone_id: str
    visit_id: str | None
    visitor_id: str | None
    data: dict[str, str | int | float | bool | None] = field(default_factory=dict)


class RetentionClass(StrEnum):
    """What is kept for a time of its own."""

    TEMPLATES = "templates"  # with the consents that they rest on
    SIGHTINGS = "sightings"
    VISITS = "visits"  # with the passes, check-ins and verdicts that belong to them
    REFERRALS = "referrals"
    IMAGES = "images"
    EVENTS = "events"


class Channel(StrEnum):
    """How a visitor agreed."""

    KIOSK = "kiosk"  # at a tablet, seen by the zone's installed camera
    TABLET = "tablet"  # at a tablet, seen by its own camera
    DESK = "desk"  # with staff


@dataclass(frozen=True, slots=True)
class Consent:
    """A visitor's agreement, and what it covers."""

    consent_id: str
    visitor_id: str
    zone_id: str
    notice_hash: str  # sha256 of the notice text, hexadecimal
    language: str  # BCP 47
    purpose: str
    granted_at: float
    expires_at: float
    guardian: bool = False  # given by a guardian, for a visitor under the profile's age
    zones: tuple[str, ...] = ()  # where they may be recognised; none named (an older consent): wherever the site does
    channel: Channel = Channel.DESK
    superseded_at: float | None = None  # when another one took its place
