"""The hub's own page of the integration, in a browser: what was added is there, in the reader's language."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_engine import CODE, FakeEngine
from hubsite import Hub, hub_tab
from playwright.async_api import Browser, expect

from demo.hub_setup import add_engine

pytestmark = [pytest.mark.needs_hub, pytest.mark.needs_chromium, pytest.mark.timeout(240)]

SITE = {"desktop": ("en", False, "Custom integration"), "phone": ("zh-Hans", True, "自定义集成")}


async def test_an_engine_that_was_added_is_shown(hub: Hub, fake: FakeEngine, browser: Browser, shots: Path) -> None:
    await add_engine(hub.client, fake.port, CODE)
    for name, (language, phone, kind) in SITE.items():
        async with hub_tab(browser, hub, shots, language=language, phone=phone, dark=phone) as tab:
            await tab.page.goto(f"{hub.address}/config/integrations/integration/nvr_bridge")
            await expect(tab.page.get_by_text("Riverside").first).to_be_visible()
            await expect(tab.page.get_by_text(kind).first).to_be_visible()
            await tab.shot(f"hub-integration-{name}")
