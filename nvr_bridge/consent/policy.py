"""Policy profiles: what a legal regime lets a site do, as data in `profiles/*.yaml`.

They are an operator's starting point and not legal advice. A profile that cannot be read stops the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import voluptuous as vol
import yaml

from ..errors import InvalidError
from ..models import ZoneKind

_SCHEMA = vol.Schema(
    {
        vol.Required("title"): str,
        vol.Required("note"): str,
        vol.Required("recognition"): [vol.In([ZoneKind.CONSENT_POINT.value, ZoneKind.OPT_IN_LANE.value])],
        vol.Required("assessment_required"): bool,
        vol.Required("guardian_under"): vol.Any(None, int),
        vol.Required("consent_days_limit"): int,
        vol.Required("subjects_warning"): vol.Any(None, int),
    }
)


@dataclass(frozen=True, slots=True)
class Policy:
    """One profile."""

    name: str
    title: str
    recognition: frozenset[ZoneKind]  # the zone kinds in which a permit can exist at all
    assessment_required: bool
    guardian_under: int | None  # years of age, as stated by the visitor
    consent_days_limit: int  # the longest consent that may be asked for
    subjects_warning: int | None

    @property
    def biometrics(self) -> bool:
        """Whether the embedder may be loaded."""
        return bool(self.recognition)


def load_policy(name: str) -> Policy:
    """Read a shipped profile. Raises `InvalidError` for one that does not exist."""
    source = resources.files(__package__) / "profiles" / f"{name}.yaml"
    if not source.is_file():
        raise InvalidError(f"profile: {name!r} is not shipped; choose one of the files in consent/profiles")
    data = _SCHEMA(yaml.safe_load(source.read_text(encoding="utf-8")))
    return Policy(
        name=name,
        title=data["title"],
        recognition=frozenset(ZoneKind(kind) for kind in data["recognition"]),
        assessment_required=data["assessment_required"],
        guardian_under=data["guardian_under"],
        consent_days_limit=data["consent_days_limit"],
        subjects_warning=data["subjects_warning"],
    )
