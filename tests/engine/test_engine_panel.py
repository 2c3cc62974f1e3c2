"""What a hub's panel does for one of its users is in the ledger under that user; and what it is told says no contact."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from engine_site import Site, spoken, until

from nvr_bridge.config import Config

pytestmark = pytest.mark.needs_models

NUMBER = "13912345678"
BROKER = "Lin of Best"


@pytest.fixture
def config(config: Config) -> Config:
    """A site without biometrics: nothing here needs a face."""
    return replace(config, profile="no_biometrics")


@pytest.fixture
async def site(start: Callable[[], Any]) -> AsyncIterator[Site]:
    """That engine."""
    async with start() as site:
        yield site


async def by(site: Site, user: str) -> list[str]:
    """The acts that the ledger holds of a hub's user."""
    return [entry.act for entry in await site.service._parts.ledger.since(0) if entry.data.get("user") == user]


async def test_an_evening_at_the_panel_is_recorded_by_whose_it_was(site: Site) -> None:
    hub = site.hub
    await hub.call("partner/add", partner="acme", name="Acme Homes", by="u1")
    link = await hub.call("partner/link", partner="acme", by="u1")
    assert "/partner#" in link["url"]
    filed = await hub.call("referral/add", partner="acme", contact=NUMBER, broker=BROKER, by="u2")
    await hub.call("visit/check_in", zone="desk", contact=NUMBER, by="u2")
    made = await site.admin.call("pass/issue")
    await hub.call("pass/scan", zone="desk", code=made["code"], by="u3")
    await until(lambda: len([push for push in site.pushes if push.get("event", {}).get("kind") == "verdict"]) >= 2)
    (first, *_) = await hub.call("case/list", by="u4")
    await hub.call("case/get", case=first["case"], by="u4")
    await hub.call("referral/list", by="u4")
    assert [row["partner"] for row in await hub.call("partner/list", by="u4")] == ["acme"]
    await hub.call("referral/withdraw", referral=filed["referral"], by="u5")
    await hub.call("consent/withdraw", alias=made["alias"], by="u6")
    await hub.call("retention/set", visits=90, by="u7")
    assert await by(site, "u1") == ["partner_added", "partner_linked"]
    assert await by(site, "u2") == ["referral_filed", "checked_in"]
    assert (await by(site, "u3"))[0] == "pass_scanned"
    assert await by(site, "u4") == ["read_cases", "read_case", "read_referrals"]
    assert (await by(site, "u5"))[0] == "referral_withdrawn"
    assert await by(site, "u6") == ["consent_withdrawn"]
    assert await by(site, "u7") == ["retention_set"]
    assert NUMBER not in spoken(site.pushes)
    assert BROKER not in spoken(site.pushes)
    entries = await site.service._parts.ledger.since(0)
    assert not [entry for entry in entries if NUMBER in json.dumps(entry.data) or BROKER in json.dumps(entry.data)]
    assert (await site.admin.call("ledger/verify"))["intact"]


async def test_a_hub_that_names_nobody_is_a_hub(site: Site) -> None:
    await site.hub.call("partner/add", partner="acme", name="Acme Homes")
    (entry,) = [entry for entry in await site.service._parts.ledger.since(0) if entry.act == "partner_added"]
    assert entry.data == {"partner": "acme"}
    counted = await site.hub.call("report/visits", **{"from": "2026-03-02", "to": "2026-03-02"})
    assert [row["visits"] for row in counted] == [0]
