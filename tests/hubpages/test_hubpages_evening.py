"""An evening at a whole engine, by the panel alone: a referral, an arrival, a verdict, and what a person says to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_site import Site
from hubsite import Hub, hub_tab
from playwright.async_api import Browser, expect

from demo.hub_setup import add_engine

pytestmark = [pytest.mark.needs_hub, pytest.mark.needs_chromium, pytest.mark.needs_models, pytest.mark.timeout(600)]

NUMBER = "13800000001"


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
async def test_a_day_is_filed_reviewed_and_counted(
    site: Site, hub: Hub, browser: Browser, shots: Path, phone: bool
) -> None:
    code = (await site.admin.call("pair/create", role="hub"))["code"]
    await add_engine(hub.client, site.port, code)
    async with hub_tab(browser, hub, shots, phone=phone) as tab:
        await tab.page.goto(f"{hub.address}/nvr_bridge/desk")
        page = tab.page.locator("nvr-bridge-panel")
        form = page.get_by_role("form", name="Add a partner")
        await form.get_by_label("Short name").fill("acme")
        await form.get_by_label("Company").fill("Acme Homes")
        await form.get_by_role("button", name="Add").click()
        await expect(page.get_by_role("row", name="Acme Homes")).to_be_visible()

        form = page.get_by_role("form", name="Register a referral")
        await form.get_by_label("Telephone number").fill(NUMBER)
        await form.get_by_label("Broker").fill("Lin")
        await form.get_by_role("button", name="Register").click()
        await expect(page.get_by_role("row", name="Acme Homes Lin")).to_be_visible()

        form = page.get_by_role("form", name="Check in by telephone number")
        await form.get_by_label("Zone").select_option("desk")
        await form.get_by_label("Telephone number").fill(NUMBER)
        await form.get_by_role("button", name="Check in").click()
        await expect(page.get_by_text("Checked in.")).to_be_visible()

        # The referral came too late, which a person has to look at.
        await page.get_by_role("tab", name="Review").click()
        await page.get_by_role("button", name="late referral").click()
        await expect(page.get_by_text("came too late")).to_be_visible()
        await expect(page.locator("svg.plot .mark.check_in")).to_have_count(1)
        await expect(page.locator("svg.plot .mark.referral")).to_have_count(1)
        await page.get_by_role("button", name="Change …").click()
        await page.get_by_label("Verdict").select_option("channel")
        await page.get_by_label("Reason").fill("Lin brought her; the form was filled in late.")
        await page.get_by_role("button", name="Change …").click()
        await expect(page.get_by_role("heading", name="brought by Acme Homes")).to_be_visible()
        await expect(page.get_by_text("Lin brought her")).to_be_visible()
        await expect(page.locator("ol.steps").get_by_text("Demo")).to_be_visible()  # the hub's own name of its user
        await tab.shot("panel-evening-phone" if phone else "panel-evening")

        await page.get_by_role("tab", name="Visits").click()
        await expect(page.get_by_text("1 visits, 0 of them")).to_be_visible()
        await expect(page.locator("rect.channel")).to_have_count(1)

        await page.get_by_role("tab", name="Consent and data").click()
        await expect(page.get_by_role("row", name="Lane opt-in lane not armed")).to_be_visible()
        await expect(page.get_by_text("Policy profile: demo")).to_be_visible()
    [row] = await site.admin.call("case/list")
    [change] = (await site.admin.call("case/get", case=row["case"]))["history"]
    users = {user["name"]: user["id"] for user in await hub.client.ask("config/auth/list")}
    assert (change["act"], change["user"]) == ("change", users["Demo"])
