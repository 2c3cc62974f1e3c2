"""Policy profiles: what a legal regime lets a site do, as data in `profiles/*.yaml`.

They are an operator's starting point and not legal advice. A site may be stricter than its profile, and never looser. A
profile that cannot be read stops the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import voluptuous as vol
import yaml

from ..config import POLICY_LIMITS
from ..errors import InvalidError
from ..models import RetentionClass, ZoneKind

FAR = 1e9  # where a profile sets no end
PROTECTION = "protection"  # as `least`: as long as a referral or a visit can still decide a verdict
_BOUND = {
    vol.Required("default"): vol.All(vol.Any(int, float), vol.Coerce(float)),
    vol.Optional("least", default=0): vol.Any(PROTECTION, vol.All(vol.Any(int, float), vol.Coerce(float))),
    vol.Optional("most", default=None): vol.Any(None, vol.All(vol.Any(int, float), vol.Coerce(float))),
}
_SCHEMA = vol.Schema(
    {
        vol.Required("title"): str,
        vol.Required("note"): str,
        vol.Required("recognition"): [vol.In([ZoneKind.CONSENT_POINT.value, ZoneKind.OPT_IN_LANE.value])],
        vol.Required("assessment_required"): bool,
        vol.Required("limits"): {
            vol.Optional("guardian_under"): _BOUND,
            vol.Required("consent_days"): _BOUND,
            vol.Optional("subjects_warning"): _BOUND,
            vol.Required("assessment_days"): _BOUND,
            vol.Required("assessment_kept_days"): _BOUND,
        },
        vol.Required("retention"): {vol.Required(kind.value): _BOUND for kind in RetentionClass},
    }
)


@dataclass(frozen=True, slots=True)
class Bound:
    """A number of a profile: what holds unless the site says otherwise, and how far the site may go."""

    default: float
    least: float
    most: float

    def check(self, field: str, value: float, profile: str) -> float:
        """`value`, or `InvalidError` where it is looser than the profile allows."""
        if value < self.least:
            raise InvalidError(f"{field}: {value:g} is less than profile {profile} allows; at least {self.least:g}")
        if value > self.most:
            raise InvalidError(f"{field}: {value:g} is more than profile {profile} allows; at most {self.most:g}")
        return value


@dataclass(frozen=True, slots=True)
class Kept:
    """How long a profile lets one class of data be kept, in days."""

    bound: Bound
    protects: bool  # kept at least while it can still decide a verdict


@dataclass(frozen=True, slots=True)
class Policy:
    """One profile, as strict as the site made it."""

    name: str
    title: str
    note: str
    recognition: frozenset[ZoneKind]  # the zone kinds in which a permit can exist at all
    assessment_required: bool
    guardian_under: int | None  # years of age, as stated by the visitor
    consent_days_limit: float  # the longest consent that may be asked for
    subjects_warning: int | None
    assessment_days: float  # the longest that an assessment may hold
    assessment_kept_days: float  # how long one is kept after it ended
    retention: Mapping[RetentionClass, Kept]

    @property
    def biometrics(self) -> bool:
        """Whether the embedder may be loaded."""
        return bool(self.recognition)


def load_policy(name: str, site: Mapping[str, float] | None = None) -> Policy:
    """Read a shipped profile; `site` has the limits that the site sets itself, by their names in `bridge.yaml`.

    Raises `InvalidError` for a profile that does not exist, and for a limit that is looser than the profile's.
    """
    source = resources.files(__package__) / "profiles" / f"{name}.yaml"
    if not source.is_file():
        raise InvalidError(f"profile: {name!r} is not shipped; choose one of the files in consent/profiles")
    data = _SCHEMA(yaml.safe_load(source.read_text(encoding="utf-8")))
    limits = _limits(name, {key: _bound(bound) for key, bound in data["limits"].items()}, site or {})
    guardian_under, subjects_warning = limits["guardian_under"], limits["subjects_warning"]
    return Policy(
        name=name,
        title=data["title"],
        note=data["note"],
        recognition=frozenset(ZoneKind(kind) for kind in data["recognition"]),
        assessment_required=data["assessment_required"],
        guardian_under=None if guardian_under is None else int(guardian_under),
        consent_days_limit=limits["consent_days"] or 0.0,
        subjects_warning=None if subjects_warning is None else int(subjects_warning),
        assessment_days=limits["assessment_days"] or 0.0,
        assessment_kept_days=limits["assessment_kept_days"] or 0.0,
        retention={
            RetentionClass(kind): Kept(_bound(bound), bound["least"] == PROTECTION)
            for kind, bound in data["retention"].items()
        },
    )


def _limits(name: str, bounds: Mapping[str, Bound], site: Mapping[str, float]) -> dict[str, float | None]:
    """Each limit: the site's, if it is stricter than the profile's own."""
    for key in site:
        if key not in bounds:
            raise InvalidError(f"policy.{key}: profile {name} has no such limit; remove it")
    found: dict[str, float | None] = dict.fromkeys(POLICY_LIMITS)
    for key, bound in bounds.items():
        found[key] = bound.check(f"policy.{key}", site[key], name) if key in site else bound.default
    return found


def _bound(data: dict[str, Any]) -> Bound:
    least = 0.0 if data["least"] == PROTECTION else data["least"]
    return Bound(data["default"], least, FAR if data["most"] is None else data["most"])
