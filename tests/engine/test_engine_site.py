"""What a whole engine says of itself, its site and its zones, beside what it says of armed or not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from engine_site import Lens, Person, Site, until

from nvr_bridge.config import Config

pytestmark = pytest.mark.needs_models


@pytest.fixture
def config(config: Config) -> Config:
    """The day never closes meanwhile."""
    rules = replace(config.rules, close_of_day=(datetime.now(UTC) - timedelta(hours=1)).time())
    return replace(config, rules=rules)


def told(site: Site, thing: str) -> list[dict[str, Any]]:
    """What the hub was told of it, the oldest first."""
    return [push[thing] for push in site.pushes if thing in push]


async def come(site: Site) -> None:
    """Somebody new shows a pass at the desk."""
    made = await site.admin.call("pass/issue")
    await site.admin.call("pass/scan", zone="desk", code=made["code"])


async def test_visits_are_counted_by_what_they_came_to_also_after_a_restart(start: Callable[[], Any]) -> None:
    async with start() as site:
        await come(site)
        await come(site)
        await until(lambda: any(each["natural_today"] == 2 for each in told(site, "site")))
        assert site.service.snapshot()["site"] == told(site, "site")[-1]
        before = dict(told(site, "site")[-1])
        last = (site.zone("desk")["last_event"], site.zone("desk")["last_event_at"])
        (event,) = [push["event"] for push in site.pushes if "event" in push][-1:]
    assert before["visits_today"] == 2
    assert before["returning_share"] == 0.0
    assert last == ("attribution", event["occurred_at"])
    async with start() as site:
        assert site.service.snapshot()["site"] == before
        assert (site.zone("desk")["last_event"], site.zone("desk")["last_event_at"]) == last
        assert site.zone("entrance")["last_event"] is None


async def test_the_last_event_of_a_zone_reaches_the_hub_without_anything_else_happening_there(site: Site) -> None:
    await come(site)
    await until(
        lambda: any(
            zone["id"] == "desk" and zone["last_event"] == "attribution" and zone["visits_today"] == 1
            for zone in told(site, "zone")
        )
    )
    assert [push["event"]["shown"] for push in site.pushes if "event" in push] == [["first_visit"], ["attribution"]]


async def test_whoever_comes_is_approaching_and_whoever_stays_is_not(site: Site, people: dict[str, Person]) -> None:
    lens, at = Lens(site, "entrance"), time.time()
    tracks = await lens.sees(people["mei"], people["vera"], at=at, frames=1)
    zone = site.zone("entrance")
    assert (zone["people_present"], zone["people_approaching"]) == (2, 2)
    await until(lambda: bool(told(site, "site")) and told(site, "site")[-1]["people_present"] == 2)
    await lens.loses(tracks)
    await lens.sees(people["mei"], at=at + 20, frames=20)
    zone = site.zone("entrance")
    assert (zone["people_present"], zone["people_approaching"]) == (1, 0)


async def test_searches_of_the_gallery_are_measured(site: Site, people: dict[str, Person]) -> None:
    assert site.engine["search_p99_ms"] is None
    await site.sign("desk")
    await site.admin.call(
        "consent/grant",
        zone="desk",
        notice_hash=site.service.config.notice_hash,
        purpose="introductions",
        language="en",
        expires_in_days=30,
        photo=people["mei"].photo,
    )
    await site.sign("lane")
    await site.hub.call("zone/act", zone="lane")
    await Lens(site, "lane").sees(people["mei"], at=time.time(), frames=2)
    assert 0.0 < site.engine["search_p99_ms"] < 1000.0
