"""Profiles are data; a site may be stricter than its profile, and never looser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nvr_bridge.config import POLICY_LIMITS, PROFILES, load_config
from nvr_bridge.consent.policy import Policy, load_policy
from nvr_bridge.errors import InvalidError
from nvr_bridge.models import RetentionClass, ZoneKind

LEGAL = ("cn", "eu", "us_il")


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_can_be_read_and_keeps_each_class_within_its_own_bounds(name: str) -> None:
    policy = load_policy(name)
    assert policy.retention.keys() == set(RetentionClass)
    for kept in policy.retention.values():
        assert kept.bound.least <= kept.bound.default <= kept.bound.most


@pytest.mark.parametrize("name", PROFILES)
def test_no_profile_keeps_images(name: str) -> None:
    assert load_policy(name).retention[RetentionClass.IMAGES].bound.most == 0


@pytest.mark.parametrize("name", LEGAL)
def test_legal_profiles_want_consent_points_an_assessment_and_guardians(name: str) -> None:
    policy = load_policy(name)
    assert policy.recognition == {ZoneKind.CONSENT_POINT}
    assert policy.assessment_required
    assert policy.guardian_under
    assert "not legal advice" in policy.note


def test_what_the_law_names_is_in_the_data() -> None:
    cn, us_il = load_policy("cn"), load_policy("us_il")
    assert (cn.guardian_under, cn.subjects_warning, cn.assessment_kept_days) == (14, 100_000, 3 * 365)
    assert us_il.retention[RetentionClass.TEMPLATES].bound.most == 3 * 365
    assert not load_policy("no_biometrics").biometrics


def stricter(policy: Policy) -> tuple[object, ...]:
    """The limits, in the order of `POLICY_LIMITS`."""
    return (
        *(policy.guardian_under, policy.consent_days_limit, policy.subjects_warning),
        *(policy.assessment_days, policy.assessment_kept_days),
    )


def test_a_site_may_be_stricter() -> None:
    site = dict(zip(POLICY_LIMITS, (18.0, 30.0, 500.0, 180.0, 2000.0), strict=True))
    assert stricter(load_policy("cn", site)) == (18, 30.0, 500, 180.0, 2000.0)


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("guardian_under", 13, "less than profile cn allows; at least 14"),
        ("consent_days", 366, "more than profile cn allows; at most 365"),
        ("subjects_warning", 100_001, "at most 100000"),
        ("assessment_days", 400, "at most 365"),
        ("assessment_kept_days", 365, "at least 1095"),
    ],
)
def test_a_site_may_not_be_looser(limit: str, value: float, words: str) -> None:
    with pytest.raises(InvalidError, match=rf"policy\.{limit}: .*{words}"):
        load_policy("cn", {limit: value})


def test_a_limit_that_a_profile_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidError, match=r"policy\.guardian_under: profile no_biometrics has no such limit"):
        load_policy("no_biometrics", {"guardian_under": 14})


def test_a_profile_that_is_not_shipped_is_named() -> None:
    with pytest.raises(InvalidError, match="'mars' is not shipped"):
        load_policy("mars")


def test_a_site_writes_them_in_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    zones = "zones: {desk: {name: Desk, kind: consent_point}}\n"
    path.write_text(f"name: Office\npolicy: {{consent_days: 90}}\nretention: {{templates: 60, events: 7.5}}\n{zones}")
    config = load_config(path)
    assert config.policy == {"consent_days": 90.0}
    assert config.retention == {RetentionClass.TEMPLATES: 60.0, RetentionClass.EVENTS: 7.5}
    path.write_text(f"name: Office\nretention: {{faces: 60}}\n{zones}")
    with pytest.raises(InvalidError, match=r"retention\.faces: unknown key; known here: events, images"):
        load_config(path)


def test_the_guide_has_the_same_days() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| days, at most \|.*?(?=\n\n)", guide, re.MULTILINE | re.DOTALL)
    heading, _, *rows = ([cell.strip("` ") for cell in line.strip("|").split("|")] for line in table.splitlines())
    assert set(heading[1:]) == set(PROFILES)
    told = {row[0]: dict(zip(heading[1:], row[1:], strict=True)) for row in rows}
    assert told == {
        kind.value: {
            name: f"{kept.bound.default:g}, {kept.bound.most:g}"
            for name in PROFILES
            for kept in [load_policy(name).retention[kind]]
        }
        for kind in RetentionClass
    }
