"""The demo's story as frozen values, read from `site.yaml`: who is where when, who does what, what must come of it."""

from __future__ import annotations

import bisect
import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import voluptuous as vol
import yaml

from nvr_bridge.errors import InvalidError
from nvr_bridge.models import CameraKind, CaseState, EventKind, UnknownReason, ZoneKind
from nvr_bridge.visits.risks import RISKS

SITE = Path(__file__).with_name("site.yaml")
STEP = 1.8  # a walker's head goes up and down this often in a second
QUIET = 1.0  # seconds without anybody in view at both ends of the story, which are repeated before and after it


@dataclass(frozen=True, slots=True)
class Photos:
    """Where the photos come from: an npm package, and the sha256 of each file of its `demo` folder that is used."""

    package: str
    version: str
    licence: str
    size: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Look:
    """One photo of a person."""

    photo: str
    face: tuple[int, int, int, int]  # x1, y1, x2, y2 in the photo
    tilt: float  # degrees, counter-clockwise, that turn the head upright
    hair: bool  # whether the head's outline is taken from the box rather than found by colour
    others: tuple[tuple[int, int, int, int], ...]  # boxes in the photo, as `face`, that show something else


@dataclass(frozen=True, slots=True)
class SiteZone:
    """A zone, as `bridge.yaml` will name it."""

    zone_id: str
    name: str
    kind: ZoneKind


@dataclass(frozen=True, slots=True)
class SiteCamera:
    """One camera, or one channel of the recorder."""

    camera: str
    name: str
    kind: CameraKind
    channel: str | None  # of the recorder
    zone: str
    sub: str  # codec of the sub stream: "h264" or "hevc"; main streams are H.264
    wall: tuple[int, int, int]  # RGB of what is behind the people
    counter: tuple[int, int, int]  # RGB of what they walk behind


@dataclass(frozen=True, slots=True)
class Point:
    """Where a walker is at a share of the walk's time."""

    share: float  # 0…1
    x: float  # middle of the face: 0 is the picture's left edge, 1 its right
    face: float  # face width in pixels of the sub stream


@dataclass(frozen=True, slots=True)
class Placement:
    """A walker at one moment."""

    walk: Walk
    x: float  # as in `Point`
    face: float  # as in `Point`
    bob: float  # how far the head is up or down, in face widths


@dataclass(frozen=True, slots=True)
class Walk:
    """One person passes one camera once."""

    at: float
    seconds: float
    camera: str
    person: str
    look: int
    path: tuple[Point, ...]
    expect: str  # "known", or the `UnknownReason` that the sighting says

    @property
    def until(self) -> float:
        """When nothing of the person is in the picture any more."""
        return self.at + self.seconds

    def placed(self, at: float) -> Placement | None:
        """Where the walker is, None before and after the walk."""
        share = (at - self.at) / self.seconds
        if not 0 <= share < 1:
            return None
        index = bisect.bisect_right([point.share for point in self.path], share)
        before, after = self.path[index - 1], self.path[index]
        part = (share - before.share) / (after.share - before.share)
        walking = min(1.0, abs(after.x - before.x) / (after.share - before.share) / self.seconds * 8)
        bob = 0.03 * walking * math.sin(2 * math.pi * STEP * (at - self.at))
        return Placement(
            self, before.x + part * (after.x - before.x), before.face + part * (after.face - before.face), bob
        )


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a person of the site does in the hub or at the desk, or that a partner does from elsewhere."""

    at: float
    do: str  # one of `NEEDS`
    zone: str | None
    person: str | None  # whose consent, pass, number or case it is
    lit: bool | None  # whether the sign is on from now on
    partner: str | None  # who files a referral
    contact: str | None  # the number that is given; in a referral it may be masked


# What each kind of step has to name.
NEEDS = {
    "act": ("zone",),
    "sign": ("zone", "lit"),
    "consent": ("zone", "person"),
    "withdraw": ("person",),
    "referral": ("partner", "contact"),
    "check_in": ("zone", "person", "contact"),
    "pass": ("person",),
    "scan": ("zone", "person"),
    "confirm": ("person",),
}


@dataclass(frozen=True, slots=True)
class Expected:
    """An event that the hub must have been told, between two moments of the story."""

    kind: EventKind
    person: str
    zone: str
    after: float
    before: float


@dataclass(frozen=True, slots=True)
class ExpectedVerdict:
    """What a visit must have come to when the story ends."""

    person: str
    visit: int  # which of the person's, counted from 1
    attribution: str
    partner: str | None
    rule: str
    risks: tuple[str, ...]
    state: str  # of its case


@dataclass(frozen=True, slots=True)
class Site:
    """All of it. Walks, steps and events are in the order of their times."""

    name: str
    length: float  # seconds
    zones: dict[str, SiteZone]
    cameras: dict[str, SiteCamera]
    photos: Photos
    people: dict[str, tuple[Look, ...]]
    partners: dict[str, str]  # their names, by id
    attribution: dict[str, str]  # as `bridge.yaml` has it
    walks: tuple[Walk, ...]
    steps: tuple[Step, ...]
    events: tuple[Expected, ...]
    verdicts: tuple[ExpectedVerdict, ...]

    def at(self, camera: str) -> tuple[Walk, ...]:
        """The walks past one camera."""
        return tuple(walk for walk in self.walks if walk.camera == camera)

    def present(self, camera: str, at: float) -> tuple[Placement, ...]:
        """Who is in a camera's picture, the farthest first."""
        placed = (walk.placed(at) for walk in self.at(camera))
        return tuple(sorted((place for place in placed if place is not None), key=lambda place: place.face))

    def look(self, walk: Walk) -> Look:
        """The photo that a walker is made of."""
        return self.people[walk.person][walk.look]


def load(path: Path = SITE) -> Site:
    """Read and check a site file. Raises `InvalidError` naming the entry and what is wrong with it."""
    try:
        data = _SCHEMA(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (vol.Invalid, yaml.YAMLError) as err:
        raise InvalidError(f"{path.name}: {err}") from err
    paths = {name: tuple(Point(*point) for point in points) for name, points in data["paths"].items()}
    site = Site(
        name=data["name"],
        length=data["length"],
        zones={key: SiteZone(key, **zone) for key, zone in data["zones"].items()},
        cameras={key: SiteCamera(camera=key, **camera) for key, camera in data["cameras"].items()},
        photos=Photos(**data["photos"] | {"files": tuple(sorted(data["photos"]["files"].items()))}),
        people={name: tuple(Look(**look) for look in looks) for name, looks in data["people"].items()},
        partners=data["partners"],
        attribution=data["attribution"],
        walks=tuple(sorted((_walk(walk, paths, path) for walk in data["walks"]), key=lambda walk: walk.at)),
        steps=tuple(sorted((Step(**step) for step in data["steps"]), key=lambda step: step.at)),
        events=tuple(sorted((Expected(**event) for event in data["events"]), key=lambda event: event.after)),
        verdicts=tuple(ExpectedVerdict(**verdict) for verdict in data["verdicts"]),
    )
    _check(site, path)
    return site


def _walk(data: dict[str, Any], paths: dict[str, tuple[Point, ...]], file: Path) -> Walk:
    name, side = data.pop("path"), data.pop("from")
    if name not in paths:
        raise InvalidError(f"{file.name}: walks: path {name}: there is none of this name under paths")
    points = paths[name]
    if side == "right":
        points = tuple(Point(point.share, 1 - point.x, point.face) for point in points)
    return Walk(path=points, **data)


def _check(site: Site, file: Path) -> None:
    """What no schema sees: names that lead nowhere, and times that cannot be."""
    _check_walks(site, file)
    _check_steps(site, file)
    for zone in {camera.zone for camera in site.cameras.values()} | {step.zone for step in site.steps if step.zone}:
        if zone not in site.zones:
            raise InvalidError(f"{file.name}: zone {zone}: there is none of this name under zones")


def _check_walks(site: Site, file: Path) -> None:
    for walk in site.walks:
        where = f"{file.name}: walks: {walk.person} at {walk.at:g} s"
        if walk.camera not in site.cameras:
            raise InvalidError(f"{where}: camera {walk.camera}: there is none of this name under cameras")
        if walk.look >= len(site.people.get(walk.person, ())):
            raise InvalidError(f"{where}: look {walk.look}: there is none under people")
        if walk.at < QUIET or walk.until > site.length - QUIET:
            raise InvalidError(f"{where}: somebody is in view within {QUIET:g} s of the story's ends; move the walk")
        if site.look(walk).photo not in dict(site.photos.files):
            raise InvalidError(f"{where}: photo {site.look(walk).photo}: add it and its sha256 under photos")
    for walk, other in itertools.combinations(site.walks, 2):
        if walk.person == other.person and other.at < walk.until:
            times = f"at {walk.at:g} s and at {other.at:g} s"
            raise InvalidError(f"{file.name}: walks: {walk.person}: in two places at once, {times}; move one of them")


def _check_steps(site: Site, file: Path) -> None:
    for step in site.steps:
        where = f"{file.name}: steps: {step.do} at {step.at:g} s"
        for need in NEEDS[step.do]:
            if getattr(step, need) is None:
                raise InvalidError(f"{where}: {need}: is missing; a {step.do} needs {' and '.join(NEEDS[step.do])}")
        if step.partner is not None and step.partner not in site.partners:
            raise InvalidError(f"{where}: partner {step.partner}: there is none of this name under partners")


_SECONDS = vol.All(vol.Coerce(float), vol.Range(min=0))
_COLOUR = vol.All([vol.All(int, vol.Range(0, 255))], vol.Length(3, 3), vol.Coerce(tuple))
_BOX = vol.All([int], vol.Length(4, 4), vol.Coerce(tuple))
_POINTS = vol.All([vol.All([vol.Coerce(float)], vol.Length(3, 3))], vol.Length(min=2))
_SCHEMA = vol.Schema(
    {
        "name": str,
        "length": _SECONDS,
        "zones": {str: {"name": str, "kind": vol.Coerce(ZoneKind)}},
        "cameras": {
            str: {
                "name": str,
                "kind": vol.Coerce(CameraKind),
                vol.Optional("channel", default=None): vol.Any(None, str),
                "zone": str,
                "sub": vol.In(("h264", "hevc")),
                "wall": _COLOUR,
                "counter": _COLOUR,
            }
        },
        "photos": {"package": str, "version": str, "licence": str, "size": str, "files": {str: str}},
        "people": {
            str: [
                {
                    "photo": str,
                    "face": _BOX,
                    vol.Optional("tilt", default=0.0): vol.Coerce(float),
                    vol.Optional("hair", default=False): bool,
                    vol.Optional("others", default=list): vol.All([_BOX], vol.Coerce(tuple)),
                }
            ]
        },
        "partners": {str: str},
        "attribution": {str: str},
        "paths": {str: _POINTS},
        "walks": [
            {
                "at": _SECONDS,
                "seconds": vol.All(vol.Coerce(float), vol.Range(min=1)),
                "camera": str,
                "person": str,
                vol.Optional("look", default=0): int,
                "path": str,
                vol.Optional("from", default="left"): vol.In(("left", "right")),
                "expect": vol.In(("known", *(str(reason) for reason in UnknownReason))),
            }
        ],
        "steps": [
            {
                "at": _SECONDS,
                "do": vol.In(tuple(NEEDS)),
                vol.Optional("zone", default=None): vol.Any(None, str),
                vol.Optional("person", default=None): vol.Any(None, str),
                vol.Optional("lit", default=None): vol.Any(None, bool),
                vol.Optional("partner", default=None): vol.Any(None, str),
                vol.Optional("contact", default=None): vol.Any(None, str),
            }
        ],
        "events": [{"kind": vol.Coerce(EventKind), "person": str, "zone": str, "after": _SECONDS, "before": _SECONDS}],
        "verdicts": [
            {
                "person": str,
                "visit": vol.All(int, vol.Range(min=1)),
                "attribution": vol.In(("natural", "channel", "staff", "undetermined")),
                vol.Optional("partner", default=None): vol.Any(None, str),
                "rule": str,
                vol.Optional("risks", default=list): vol.All([vol.In(RISKS)], vol.Coerce(tuple)),
                vol.Optional("state", default=str(CaseState.PROPOSED)): vol.In([*CaseState]),
            }
        ],
    },
    required=True,
)
