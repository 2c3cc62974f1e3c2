"""Somebody at the tablet of a consent point."""

from __future__ import annotations

from browser import Tab
from engine_site import Site
from playwright.async_api import Locator, expect

__all__ = ["Tablet", "expect", "paired"]


class Tablet:
    """The consent page of one zone, on a paired tablet."""

    def __init__(self, site: Site, tab: Tab, zone: str, language: str) -> None:
        self.site = site
        self.tab = tab
        self.page = tab.page
        self.zone = zone
        self.language = language

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.site.port}/visit/{self.zone}?lang={self.language}"

    def button(self, name: str) -> Locator:
        """A button that can be seen, by its id or class."""
        return self.page.locator(f"button{name}:visible")

    async def tap(self, name: str) -> None:
        """Tap a button."""
        await self.button(name).click()

    async def wake_to_tap(self, name: str) -> None:
        """Tap a button of the welcome, also where the page rests because whoever is in view is not to be asked again."""
        wake = self.button("#wake")
        await self.page.add_locator_handler(wake, lambda shown: shown.click())
        await self.tap(name)
        await self.page.remove_locator_handler(wake)

    async def at(self, step: str) -> None:
        """Wait until the page is at this step."""
        await expect(self.page.locator(f'[data-step="{step}"]')).to_be_visible()

    async def text(self, element: str) -> str:
        """What an element says."""
        return await self.page.locator(element).inner_text()

    async def agree(self, *, shot: str | None = None) -> None:
        """From the welcome to the receipt, as somebody who is old enough."""
        await self.tap("#agree")
        await self.tap("#age_enough")
        await self.tap("#look")
        await self.at("confirm")
        if shot:
            await self.tab.shot(shot)
        await self.tap("#me")
        await self.at("receipt")


async def paired(site: Site, tab: Tab, zone: str = "desk", language: str = "en") -> Tablet:
    """A tablet that somebody of the site has just paired."""
    tablet = Tablet(site, tab, zone, language)
    await tab.page.goto(tablet.url)
    await tablet.at("pair")
    code = (await site.admin.call("pair/create", role="kiosk"))["code"]
    await tab.page.locator("#pair_code").fill(code)
    await tablet.tap("#pair")
    await tablet.at("welcome")
    return tablet
