"""How long each class is kept: the profile's, the site's, or what was set since, and never out of the profile's range."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nvr_bridge.config import Config, load_config
from nvr_bridge.consent.policy import load_policy
from nvr_bridge.consent.retention import Needed, check, limits, needed_by
from nvr_bridge.errors import InvalidError
from nvr_bridge.models import RetentionClass as Kind

CN = load_policy("cn")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A site that says nothing about retention."""
    (tmp_path / "bridge.yaml").write_text("name: Office\nzones: {desk: {name: Desk, kind: consent_point}}\n")
    return load_config(tmp_path / "bridge.yaml")


def test_the_profile_the_site_and_what_was_set_since_each_win_over_the_one_before(config: Config) -> None:
    site = replace(config, retention={Kind.TEMPLATES: 60.0, Kind.EVENTS: 5.0})
    found = limits(CN, site, {"events": 3.0})
    assert (found[Kind.SIGHTINGS].days, found[Kind.SIGHTINGS].source) == (30, "profile")
    assert (found[Kind.TEMPLATES].days, found[Kind.TEMPLATES].source) == (60, "bridge.yaml")
    assert (found[Kind.EVENTS].days, found[Kind.EVENTS].source) == (3, "set")
    assert found[Kind.EVENTS].seconds == 3 * 86400


def test_what_can_decide_a_verdict_is_kept_as_long_as_it_can(config: Config) -> None:
    assert needed_by(config).days == 3 + 30 + 3
    found = limits(CN, config)
    assert (found[Kind.VISITS].least, found[Kind.REFERRALS].least, found[Kind.SIGHTINGS].least) == (36, 36, 0)
    longer = replace(config, rules=replace(config.rules, protection=400 * 86400.0))
    assert limits(CN, longer)[Kind.REFERRALS].days == 406
    for field in ("visits", "referrals"):
        with pytest.raises(InvalidError, match=rf"{field}: 30 days are fewer than the 36 for which it can decide"):
            check(CN, limits(CN, config), {field: 30.0})


def test_what_longer_rules_decided_is_kept_as_long_as_the_profile_lets_it_be_and_stops_no_start(config: Config) -> None:
    site = replace(config, retention={Kind.VISITS: 40.0})
    found = limits(CN, site, {"referrals": 50.0}, Needed(36 * 86400.0, 90 * 86400.0))
    assert (found[Kind.VISITS].days, found[Kind.VISITS].least, found[Kind.VISITS].source) == (90, 90, "bridge.yaml")
    assert found[Kind.REFERRALS].days == 90
    assert limits(CN, config, None, Needed(36 * 86400.0, 2000 * 86400.0))[Kind.VISITS].days == 1095
    with pytest.raises(InvalidError, match="40 days are fewer than the 41"):
        limits(CN, site, None, Needed(40.5 * 86400.0, 40.5 * 86400.0))


def test_protection_beyond_what_the_profile_lets_be_kept_is_refused_with_the_remedy(config: Config) -> None:
    longer = replace(config, rules=replace(config.rules, protection=2000 * 86400.0))
    with pytest.raises(InvalidError, match=r"attribution\.protection: a visit can decide for 2006 days.*shorten"):
        limits(CN, longer)


@pytest.mark.parametrize(
    ("kind", "days", "words"),
    [
        (Kind.TEMPLATES, 366.0, "366 days are more than profile cn allows; at most 365"),
        (Kind.IMAGES, 1.0, "more than profile cn allows; at most 0"),
        (Kind.VISITS, 35.0, "fewer than the 36"),
    ],
)
def test_a_site_may_not_keep_what_its_profile_forbids(config: Config, kind: Kind, days: float, words: str) -> None:
    with pytest.raises(InvalidError, match=rf"retention\.{kind}: .*{words}"):
        limits(CN, replace(config, retention={kind: days}))
    with pytest.raises(InvalidError, match=rf"^{kind}: .*{words}"):
        check(CN, limits(CN, config), {kind.value: days})


def test_taking_a_change_back_is_always_allowed(config: Config) -> None:
    check(CN, limits(CN, config), {"images": None, "visits": None, "templates": 0.0})


def test_what_was_set_under_another_profile_is_cut_to_fit(config: Config) -> None:
    found = limits(load_policy("no_biometrics"), config, {"templates": 300.0, "visits": 1.0})
    assert (found[Kind.TEMPLATES].days, found[Kind.VISITS].days) == (30, 36)
