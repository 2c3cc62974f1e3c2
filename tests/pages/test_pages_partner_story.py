"""A partner's page over a whole engine: a referral filed with it, a person's decision, an appeal, and its answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser import Tab, tab
from engine_site import Site
from playwright.async_api import Browser, expect

from nvr_bridge.config import Config

pytestmark = [pytest.mark.needs_models, pytest.mark.needs_chromium]

NUMBER = "13912345678"


@pytest.fixture
def config(config: Config) -> Config:
    """A site without biometrics where a referral counts at once."""
    return replace(config, profile="no_biometrics", rules=replace(config.rules, lead_time=0.0))


@pytest.fixture
async def site(start: Callable[[], Any]) -> AsyncIterator[Site]:
    """An engine, and two partners."""
    async with start() as site:
        for partner in ("acme", "best"):
            await site.admin.call("partner/add", partner=partner, name=partner.title())
        yield site


async def test_from_the_filing_to_the_answer_of_an_appeal(
    site: Site, visitor: Tab, browser: Browser, shots: Path
) -> None:
    page = visitor.page
    await page.goto((await site.admin.call("partner/link", partner="best"))["url"])
    await expect(page.locator("#none")).to_be_visible()
    await site.admin.call("referral/add", partner="acme", contact=NUMBER)
    await page.locator("#contact").fill(f"+86 {NUMBER[:3]} {NUMBER[3:]}")
    await page.locator("#broker").fill("Lin")
    await page.locator("#file").click()
    await expect(page.locator("#claims > li")).to_have_count(1)
    await page.locator("#contact").fill(NUMBER)
    await page.locator("#file").click()
    await expect(page.locator("#filed")).to_have_text("You have an open referral of this number already.")

    await site.admin.call("visit/check_in", zone="desk", contact=NUMBER)
    (row,) = await site.admin.call("case/list")
    await page.reload()
    await expect(page.locator("#claims > li .outcome")).to_have_text("Open")
    await site.admin.call("case/confirm", case=row["case"], seen=row["version"])
    await page.reload()
    await expect(page.locator("#claims > li .outcome")).to_have_text("The visit was not given to you")
    await page.get_by_role("button", name="Appeal", exact=True).click()
    await page.get_by_label("Why should the visit be yours?").fill("Mr Lin drove her there.")
    await visitor.shot("partner-appeal")
    await page.get_by_role("button", name="Appeal", exact=True).click()
    await expect(page.locator("#claims > li")).to_contain_text("You have appealed.")

    found = await site.admin.call("case/get", case=row["case"])
    assert (found["state"], found["history"][-1]["reason"]) == ("appealed", "Mr Lin drove her there.")
    change = {"attribution": "channel", "partner": "best", "reason": "the desk remembers"}
    await site.admin.call("case/change", case=row["case"], **change)
    async with tab(browser, shots, locale="zh-CN") as chinese:
        await chinese.page.goto((await site.admin.call("partner/link", partner="best"))["url"])
        await expect(chinese.page.locator("#claims > li .outcome")).to_contain_text("归属于您")
