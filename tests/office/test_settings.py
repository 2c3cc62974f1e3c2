"""What may be changed while the engine runs: retention, within the profile's caps, over a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from keeper_site import SITE, Kept, kept_site

from nvr_bridge.errors import InvalidError, NotFoundError
from nvr_bridge.messages import Setting
from nvr_bridge.office.settings import SiteSettings
from nvr_bridge.visits.unjudged import Unjudged


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    """An empty site under the profile `cn`."""
    async with kept_site(tmp_path) as opened:
        yield opened


def desk(kept: Kept) -> SiteSettings:
    return SiteSettings(kept.keeper, kept.rules, kept.site.visits, Unjudged())


def by_key(settings: list[Setting]) -> dict[str, Setting]:
    return {setting["key"]: setting for setting in settings}


async def set_to(settings: SiteSettings, key: str, value: float | str | None) -> float | str:
    """What holds after somebody set it."""
    return by_key(await settings.set({"key": key, "value": value}, "token"))[key]["value"]


async def test_each_class_is_listed_with_the_profiles_caps_and_what_it_forbids_is_not(kept: Kept) -> None:
    found = by_key(desk(kept).listed())
    assert [key for key in found if key.startswith("retention_")] == [
        f"retention_{kind}" for kind in ("templates", "sightings", "visits", "referrals", "events")
    ]
    assert found["retention_visits"] == {
        "key": "retention_visits",
        "value": 365.0,
        "default": 365.0,
        "source": "profile",
        "unit": "d",
        "min": 36.0,
        "max": 1095.0,
        "step": 1.0,
    }


async def test_it_is_set_in_days_or_as_a_duration_and_taken_back(tmp_path: Path) -> None:
    async with kept_site(tmp_path, SITE + "retention: {events: 20}\n") as kept:
        settings = desk(kept)
        assert await set_to(settings, "retention_events", 3.0) == 3.0
        assert await set_to(settings, "retention_events", "5") == 5.0
        assert await set_to(settings, "retention_events", "36h") == 1.5
    async with kept_site(tmp_path, SITE + "retention: {events: 20}\n") as kept:
        settings = desk(kept)
        assert (
            by_key(settings.listed())["retention_events"] | {"value": 1.5, "default": 20.0, "source": "set"}
            == (by_key(settings.listed())["retention_events"])
        )
        assert await set_to(settings, "retention_events", None) == 20.0


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("retention_templates", 366.0, r"^retention_templates: 366 days are more than profile cn allows; at most 365"),
        ("retention_visits", 30.0, r"^retention_visits: 30 days are fewer than the 36 for which it can decide"),
        ("retention_events", "soon", r"^retention_events: 'soon' is no duration; write a number of d, or a number and"),
        ("retention_events", "nan", r"^retention_events: 'nan' is no duration"),
        ("retention_events", -1.0, r"^retention_events: -1 days are fewer than profile cn allows; at least 0"),
    ],
)
async def test_what_may_not_be_is_refused_by_its_key_with_the_remedy(
    kept: Kept, key: str, value: float | str, words: str
) -> None:
    settings = desk(kept)
    before = settings.listed()
    with pytest.raises(InvalidError, match=words):
        await settings.set({"key": key, "value": value}, "token")
    assert settings.listed() == before


async def test_what_is_no_setting_is_refused_with_those_that_are(kept: Kept) -> None:
    with pytest.raises(NotFoundError, match="'retention_images' is not a setting; choose one of retention_templates"):
        await desk(kept).set({"key": "retention_images", "value": 1.0}, "token")


async def test_the_ledger_says_who_and_whoever_listens_is_told(kept: Kept) -> None:
    settings, told = desk(kept), []
    settings.changed = lambda: told.append(1)
    await settings.set({"key": "retention_events", "value": 3.0, "by": "user 7"}, "token")
    acts = [(each.act, each.data) for each in await kept.site.ledger.since(0) if each.act == "retention_set"]
    assert acts == [("retention_set", {"events": 3.0, "token": "token", "user": "user 7"})]
    assert told == [1]
