"""The sign on a screen, in a real browser."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from browser import Tab
from engine_site import Site
from playwright.async_api import expect

from nvr_bridge.config import Config

pytestmark = [pytest.mark.needs_models, pytest.mark.needs_chromium]


async def test_the_sign_shows_the_notice_its_hash_and_the_hash_as_a_qr_code(site: Site, visitor: Tab) -> None:
    page, config = visitor.page, site.service.config
    await page.goto(f"http://127.0.0.1:{site.port}/notice/desk")
    for text in (config.notice_hash, *config.notices.values(), "Desk"):
        await expect(page.locator("main")).to_contain_text(text)
    picture = await page.get_by_role("img").screenshot()
    read, _, _ = cv2.QRCodeDetector().detectAndDecode(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR))
    assert read == config.notice_hash
    await visitor.shot("notice")


@pytest.mark.needs_axe
@pytest.mark.parametrize("language", ["en", "zh-Hans"])
async def test_nobody_is_kept_out(site: Site, visitor: Tab, language: str) -> None:
    await visitor.page.goto(f"http://127.0.0.1:{site.port}/notice/desk?lang={language}")
    await expect(visitor.page.locator("html")).to_have_attribute("lang", language)
    assert await visitor.obstacles() == []


async def test_an_edited_notice_is_shown_by_itself(config: Config, start: Any, visitor: Tab) -> None:
    page = visitor.page
    async with start() as site:
        await page.goto(f"http://127.0.0.1:{site.port}/notice/desk")
        port = site.port
    edited = replace(config, port=port, notices={"en": "Something else applies from today."})
    async with start(edited):
        await page.get_by_text("Something else applies").wait_for()
        await expect(page.locator("#hash")).to_have_text(edited.notice_hash)


async def test_a_sign_that_cannot_reach_the_engine_says_so(start: Any, visitor: Tab) -> None:
    async with start() as site:
        await visitor.page.goto(f"http://127.0.0.1:{site.port}/notice/desk")
    await visitor.page.get_by_text(re.compile("may no longer be in force")).wait_for()
