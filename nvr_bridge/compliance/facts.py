"""What the documents are filled from: the site's settings, its profile, and how its engine is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..config import Config
from ..consent.policy import Policy


@dataclass(frozen=True, slots=True)
class Site:
    """Settings and answers of the engine that serves the site, as the wire has them."""

    config: Config
    policy: Policy
    engine: Mapping[str, Any]
    cameras: Sequence[Mapping[str, Any]]
    retention: Sequence[Mapping[str, Any]]
    assessments: Sequence[Mapping[str, Any]]
    partners: int
    made_on: str  # the day, local to the site


@dataclass(frozen=True, slots=True)
class Facts:
    """The same as one language says it."""

    texts: Mapping[str, str]  # by placeholder
    truths: frozenset[str]  # that blocks may ask for
    tables: Mapping[str, Sequence[Sequence[str]]]  # rows, without headings
    notices: Mapping[str, str]  # by language


def facts(site: Site, language: str, words: Mapping[str, Any]) -> Facts:
    """`words` is a file of `words/`."""
    config, policy, engine = site.config, site.policy, site.engine
    truths = {
        "recognises": bool(policy.recognition),
        "guardian": policy.guardian_under is not None,
        "public": config.public_url is not None,
        "warning": policy.subjects_warning is not None,
        "assessed": any(made["in_force"] for made in site.assessments),
    }
    here = {config.zones[key].kind for key in config.zones} & policy.recognition
    return Facts(
        texts={
            "site": config.name,
            "who": config.consent.who,
            "why": config.consent.purpose(language),
            "version": str(engine["version"]),
            "made_on": site.made_on,
            "profile_title": words["profiles"][policy.name],
            "timezone": str(config.timezone),
            "recognition": " ".join(words["recognition"][kind.value] for kind in sorted(here))
            or words["recognition"]["nobody"],
            "consent_days": f"{min(config.consent.days, policy.consent_days_limit):g}",
            "guardian_under": str(policy.guardian_under),
            "sign_ttl": f"{config.sign_ttl:g}",
            "keys": words["keys"][engine["watch"]["keys_by"]],
            "subjects": str(engine["subjects"]),
            "subjects_warning": str(policy.subjects_warning),
            "assessment_days": f"{policy.assessment_days:g}",
            "assessment_kept_days": f"{policy.assessment_kept_days:g}",
            "partners": str(site.partners),
            "notice_hash": config.notice_hash,
        },
        truths=frozenset(name for name, true in truths.items() if true),
        tables=_tables(site, words),
        notices=config.notices,
    )


def _tables(site: Site, words: Mapping[str, Any]) -> dict[str, list[list[str]]]:
    zones, recognised = site.config.zones, site.policy.recognition
    acts = {
        key: words["acts"]["observe" if zone.kind not in recognised else zone.kind.value] for key, zone in zones.items()
    }
    return {
        "zones": [[zone.name, words["kinds"][zone.kind.value], acts[key]] for key, zone in zones.items()],
        "cameras": [
            [each["name"], zones[each["zone"]].name if each["zone"] in zones else each["zone"], _state(each, words)]
            for each in site.cameras
        ],
        "retention": [
            [words["classes"][each["class"]], f"{each['days']:g}", words["from"][each["class"]], f"{each['most']:g}"]
            for each in site.retention
        ],
        "assessments": [
            [made["acknowledged_at"][:10], made["by"], made["ground"], made["profile"] or "", made["expires_at"][:10]]
            for made in site.assessments
        ],
    }


def _state(camera: Mapping[str, Any], words: Mapping[str, Any]) -> str:
    return str(words["states"]["online" if camera["state"] == "online" else "other"])
