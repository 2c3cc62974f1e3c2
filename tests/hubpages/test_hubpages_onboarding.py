"""From a hub's very first page to the first event of a visitor, by clicks alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from desk import Desk
from engine_site import Site
from hubsite import hub_tab, running
from playwright.async_api import Browser, Page, expect
from test_hubpages_cameras import config
from test_hubpages_dialogs import add_engine

__all__ = ["config"]

pytestmark = [pytest.mark.needs_hub, pytest.mark.needs_models, pytest.mark.needs_chromium, pytest.mark.timeout(240)]

PERSON = {"Name": "Ada", "Username": "ada", "Password": "not-a-real-one", "Confirm password": "not-a-real-one"}
STEPS = 4  # after the first user: where it is, its country, what it tells its makers, what it has found


async def test_from_the_first_page_to_the_first_event(
    site: Site, browser: Browser, shots: Path, tmp_path: Path
) -> None:
    async with running(tmp_path, onboarded=False) as hub, hub_tab(browser, hub, shots) as tab:
        await tab.page.goto(hub.address)
        await onboard(tab.page)
        desk = Desk(hub, tab.page, shots)
        await add_engine(desk, site)
        await check_in(tab.page)
        await tab.page.goto(f"{hub.address}/logbook?entity_id=event.desk_visit,sensor.desk_last_event")
        await expect(tab.page.get_by_text("First visit").first).to_be_visible()
        await desk.shot("hub-first-event")


async def onboard(page: Page) -> None:
    """What the hub asks of whoever opens it first."""
    await page.get_by_role("button", name="Create my smart home").click()
    for label, text in PERSON.items():
        field = page.get_by_role("textbox", name=re.compile(rf"^{label}\*?$"))  # the newest marks what must be given
        await field.fill(text)
    await page.get_by_role("button", name="Create account").click()
    for _ in range(STEPS):
        going_on = page.get_by_role("button", name="Next", exact=True).or_(page.get_by_role("button", name="Finish"))
        await going_on.click()
    await expect(page.get_by_text("Settings", exact=True).first).to_be_visible()


async def check_in(page: Page) -> None:
    """A visitor leaves a telephone number at the desk."""
    await page.get_by_role("link", name="NVR Bridge").or_(page.get_by_text("NVR Bridge", exact=True)).first.click()
    panel = page.locator("nvr-bridge-panel")
    await panel.get_by_role("tab", name="Desk").click()
    form = panel.get_by_role("form", name="Check in by telephone number")
    await form.get_by_label("Zone").select_option("desk")
    await form.get_by_label("Telephone number").fill("13800000001")
    await form.get_by_role("button", name="Check in").click()
    await expect(panel.get_by_text("Checked in.")).to_be_visible()
