"""Somebody who sits before the hub and clicks. Things are found by what they are and are called, whatever release drew them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hubsite import Hub
from playwright.async_api import Locator, Page, expect

SLOW = 60_000  # milliseconds: what the engine does for some steps takes seconds


@dataclass(frozen=True)
class Desk:
    """The hub's pages, and the dialog that asks for one thing after the other."""

    hub: Hub
    page: Page
    shots: Path

    @property
    def shown(self) -> Locator:
        """The dialog."""
        return self.page.locator("dialog-data-entry-flow")

    async def integration(self) -> None:
        """Go to the integration's page, and wait until the site is on it."""
        await self.page.goto(f"{self.hub.address}/config/integrations/integration/nvr_bridge")
        await expect(self.button("Configure")).to_be_visible()

    def button(self, name: str) -> Locator:
        """On the integration's page: those of the site come before those of its cameras."""
        return self.page.get_by_role("button", name=name).first

    async def add_camera(self) -> None:
        """Begin to add one, from the integration's page."""
        if self.hub.older:  # the newest has a button for it
            await self.button("Menu").click()
        await self.page.get_by_text("Add camera").first.click()

    async def at(self, title: str) -> None:
        """Wait for a step."""
        await expect(self.shown.get_by_text(title).first).to_be_visible(timeout=SLOW)

    async def fill(self, label: str, text: str) -> None:
        """Write into a field."""
        field = self.shown.get_by_role("textbox", name=label).or_(self.shown.get_by_role("spinbutton", name=label))
        await field.fill(text)
        await expect(field).to_have_value(text)

    async def take(self, entry: str) -> None:
        """Click on an entry of a menu."""
        await self.shown.get_by_text(entry, exact=True).first.click()

    async def choose(self, label: str) -> None:
        """Mark a box, or one of several choices."""
        box = self.shown.get_by_role("checkbox", name=label).or_(self.shown.get_by_role("radio", name=label))
        await box.scroll_into_view_if_needed()  # and at rest
        await box.click(force=True)  # what is painted over it belongs to it
        await expect(box).to_be_checked()

    async def pick(self, label: str, name: str) -> None:
        """Open a list of very many, search it, take what has this name, and see the list closed."""
        listed = self.page.get_by_role("dialog", name=label)  # where the older has a list of options
        found = self.page.get_by_role("option", name=name).or_(listed.get_by_text(name)).first
        await self.shown.get_by_label(label).first.click()
        await self.shown.get_by_role("combobox", name=label).or_(listed.get_by_role("textbox")).fill(name)
        await found.click()
        await expect(found).to_be_hidden()

    async def press(self, button: str = "Submit") -> None:
        """A button of the dialog."""
        await self.shown.get_by_role("button", name=button).click()

    async def finish(self) -> None:
        """Close the dialog, which says that it went well."""
        await self.press("Finish")  # the newest says: skip and finish
        await expect(self.shown.get_by_role("button", name="Finish")).to_be_hidden()

    async def shot(self, name: str) -> None:
        """A picture."""
        await self.page.wait_for_timeout(700)  # until what moves has come to rest
        await self.page.screenshot(path=self.shots / f"{name}.png")
