"""Everybody can use the pages: without a mouse, in their language, with a screen reader."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from browser import Tab
from engine_site import Person, Site
from installed import installed, lit, scene
from visit import Tablet, expect, paired

from nvr_bridge.config import Config

pytestmark = [pytest.mark.needs_models, pytest.mark.needs_chromium]


@pytest.fixture
def config(config: Config) -> Config:
    """A site whose pages telephones can reach."""
    return replace(config, public_url="https://visits.test")


@pytest.fixture
async def desk(site: Site, people: dict[str, Person]) -> AsyncIterator[Any]:
    """A consent point at which somebody stands."""
    async with lit(site, "desk"), installed(site, "desk") as camera:
        camera.picture = scene(people["lin"])
        yield camera


async def press(tablet: Tablet, button: str) -> None:
    """Reach a button with the tabulator, see that it is marked, and press it."""
    page = tablet.page
    await expect(tablet.button(button)).to_be_enabled()  # as far as the page knows already
    for _ in range(30):
        if await page.evaluate("name => document.activeElement.matches(name)", f"button{button}"):
            break
        await page.keyboard.press("Tab")
    focused = page.locator(f"button{button}:focus-visible")
    await expect(focused).to_be_visible()
    assert await focused.evaluate("element => parseFloat(getComputedStyle(element).outlineWidth)") >= 3
    await page.keyboard.press("Enter")


async def test_with_the_keyboard_alone(site: Site, visitor: Tab, desk: Any) -> None:
    tablet = await paired(site, visitor)
    await press(tablet, "#agree")
    await tablet.at("age")
    await expect(visitor.page.locator('[data-step="age"] h1')).to_be_focused()  # the new step is read out
    await press(tablet, "#age_under")
    await press(tablet, "#guardian_agrees")
    await press(tablet, "#look")
    await tablet.at("confirm")
    await press(tablet, "#me")
    await tablet.at("receipt")
    code = await tablet.text("#code")
    await press(tablet, ".done")
    await tablet.at("rest")
    await press(tablet, "#wake")
    await press(tablet, "#have_pass")
    await tablet.at("pass")
    await visitor.page.keyboard.type(code)  # the field is ready
    await visitor.page.keyboard.press("Enter")
    await tablet.at("hello")
    await press(tablet, "#mine")
    await tablet.at("kept")
    await press(tablet, "#withdraw")
    await tablet.at("erased")


@pytest.mark.needs_axe
@pytest.mark.parametrize("language", ["en", "zh-Hans"])
async def test_no_step_keeps_anybody_out(site: Site, visitor: Tab, desk: Any, language: str) -> None:
    seen: list[str] = []

    async def look(step: str) -> None:
        await tablet.at(step)
        assert await visitor.obstacles() == [], step
        wrong = await visitor.page.evaluate(UNTRANSLATED) if language != "en" else []
        assert wrong == [], step
        await visitor.shot(f"{step}-{language}")
        seen.append(step)

    tablet = Tablet(site, visitor, "desk", language)
    await visitor.page.goto(tablet.url)
    await look("pair")
    tablet = await paired(site, visitor, language=language)
    await expect(visitor.page.locator("html")).to_have_attribute("lang", language)
    await look("welcome")
    await tablet.tap("#agree")
    await look("age")
    await tablet.tap("#age_under")
    await look("guardian")
    await tablet.tap("#guardian_agrees")
    await look("look")
    await tablet.tap("#look")
    await tablet.at("confirm")
    await visitor.page.locator("#crop").evaluate(DRAWN)  # nobody's face in a picture of the page
    await look("confirm")
    await tablet.tap("#me")
    await look("receipt")
    code = await tablet.text("#code")
    await tablet.tap(".done")
    await look("rest")
    await tablet.tap("#wake")
    await tablet.tap("#have_pass")
    await look("pass")
    await tablet.page.locator("#pass_code").fill(code)
    await tablet.tap("#pass_enter")
    await look("hello")
    await tablet.tap("#mine")
    await look("kept")
    await tablet.tap("#withdraw")
    await look("erased")
    await visitor.page.reload()
    await look("nothing")
    assert len(seen) == 13


async def test_the_language_changes_and_the_reader_stays_where_they_are(site: Site, visitor: Tab) -> None:
    tablet = await paired(site, visitor)
    await tablet.tap("#decline")
    await tablet.at("receipt")
    await expect(visitor.page.locator(".languages")).to_be_hidden()  # a change would lose the receipt
    code = await tablet.text("#code")
    await tablet.tap(".done")
    await visitor.page.get_by_role("link", name="简体中文").click()
    await expect(visitor.page.locator('[data-step="welcome"] h1')).to_have_text("欢迎")
    await tablet.tap("#have_pass")
    await visitor.page.locator("#pass_code").fill(code)
    await tablet.tap("#pass_enter")
    await tablet.at("hello")
    await tablet.tap("#mine")
    await tablet.at("kept")
    await visitor.page.get_by_role("link", name="English").click()
    await tablet.at("kept")
    await expect(visitor.page.locator('[data-step="kept"] h1')).to_have_text("What is kept about you")
    await expect(tablet.button(".leave")).to_be_visible()


# Texts of more than three words without a Chinese character, where the page is Chinese. The site's own words, codes and
# the names of acts are no texts of the page.
UNTRANSLATED = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim();
    if (/([A-Za-z]{2,}\\s+){3,}[A-Za-z]{2,}/.test(text) && !/[\\u4e00-\\u9fff]/.test(text)) found.push(text);
  }
  return found;
}"""
DRAWN = """image => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 112;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#dfe4ea"; pen.fillRect(0, 0, 112, 112);
  pen.strokeStyle = "#4a5361"; pen.lineWidth = 3;
  for (const [x, y, a, b] of [[56, 62, 34, 44], [42, 54, 4, 4], [70, 54, 4, 4]]) {
    pen.beginPath(); pen.ellipse(x, y, a, b, 0, 0, 7); pen.stroke();
  }
  pen.beginPath(); pen.ellipse(56, 76, 13, 9, 0, 0.2, 2.9); pen.stroke();
  pen.beginPath(); pen.moveTo(56, 58); pen.lineTo(52, 70); pen.lineTo(58, 70); pen.stroke();
  image.src = canvas.toDataURL();
}"""
