"""An evidence pack in a real browser: it opens by itself, shows itself in both languages, and keeps nobody out."""

from __future__ import annotations

import base64
from zoneinfo import ZoneInfo

import pytest
from browser import Tab
from evidence_packs import Material, page_sections
from playwright.async_api import expect

from nvr_bridge.evidence.pack import write
from nvr_bridge.evidence.verify import verify
from nvr_bridge.office.casepage import page

pytestmark = pytest.mark.needs_chromium


async def opened(visitor: Tab) -> None:
    """A whole pack, from nowhere: it can ask nobody for anything."""
    material = Material()
    sections = {**page_sections(), **material.sections, "case": page_sections()["case"]}
    written = write(page(page_sections(), "ab" * 32, ZoneInfo("Asia/Shanghai")), sections)
    file = written.signed(material.signer.public, material.signer(written.to_sign))
    assert [fault for fault in verify(file).faults if fault.place.section == "page"] == []
    await visitor.page.goto(f"data:text/html;charset=utf-8;base64,{base64.b64encode(file).decode()}")


async def test_it_is_read_in_either_language_and_its_data_is_there_for_who_wants_it(visitor: Tab) -> None:
    await opened(visitor)
    screen = visitor.page
    for language, words in (("en", "brought by a channel partner (acme)"), ("zh-Hans", "渠道带访 (acme)")):
        part = screen.locator(f"section:lang({language})")
        await expect(part).to_contain_text(words)
        await expect(part.locator("h1")).to_have_count(1)
    data = screen.locator("pre")
    await expect(data).to_be_hidden()
    await screen.locator("summary").click()
    await expect(data).to_be_visible()
    await expect(data).to_contain_text("== manifest ==")
    assert await screen.evaluate("getComputedStyle(document.body).maxWidth") != "none"  # its style is allowed to hold
    await visitor.shot("evidence")


@pytest.mark.parametrize("width", [360, 800, 1280])
async def test_it_fits_the_screen(visitor: Tab, width: int) -> None:
    await visitor.page.set_viewport_size({"width": width, "height": 600})
    await opened(visitor)
    assert await visitor.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.needs_axe
async def test_nobody_is_kept_out(visitor: Tab) -> None:
    await opened(visitor)
    assert await visitor.obstacles() == []
