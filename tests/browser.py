"""A real Chromium, as a visitor's tablet or telephone is one."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from machine import AXE, CHROMIUM
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, async_playwright

SHOTS = os.environ.get("NVR_BRIDGE_SHOTS")  # a folder: pictures of the pages are kept there, to be looked at
ARGUMENTS = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update", "--disable-sync")


@asynccontextmanager
async def chromium(*arguments: str) -> AsyncIterator[Browser]:
    """Chromium without a window, until the block ends."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*ARGUMENTS, *sandbox, *arguments], handle_sigint=False
        )
        try:
            yield browser
        finally:
            await browser.close()


class Tab:
    """A page, and everything in it that went wrong: errors, and whatever the security policy refused."""

    def __init__(self, page: Page, shots: Path) -> None:
        self.page = page
        self.wrong: list[str] = []
        self.foreign: list[str] = []  # requests to anywhere else than the engine
        self._shots = shots
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.wrong.append(f"{error} {error.stack}"))
        page.on("request", lambda request: self._asked(request.url))

    async def shot(self, name: str) -> Path:
        """A picture of the whole page."""
        path = self._shots / f"{name}.png"
        await self.page.screenshot(path=path, full_page=True)
        return path

    async def obstacles(self, part: Locator | None = None) -> list[str]:
        """What axe-core finds that would keep somebody out: serious or critical. Of a part of the page, or all of it."""
        source = AXE.read_text(encoding="utf-8")
        part = part or self.page.locator("html")
        found: dict[str, Any] = await part.evaluate(f"async (part) => {{ {source}; return await axe.run(part); }}")
        assert found["passes"], "axe-core looked at nothing"
        return [
            f"{problem['id']}: {problem['help']}: {json.dumps(node['html'])}"
            for problem in found["violations"]
            if problem["impact"] in {"serious", "critical"}
            for node in problem["nodes"]
        ]

    def _heard(self, message: ConsoleMessage) -> None:
        # The browser itself reports every refusal of the engine as an error; the page's own answer to it is tested.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.wrong.append(f"{message.text} {message.location['url']}")

    def _asked(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "https://127.0.0.1:", "http://localhost:", "data:", "blob:")):
            self.foreign.append(url)


@asynccontextmanager
async def tab(browser: Browser, shots: Path, **context: Any) -> AsyncIterator[Tab]:
    """A page of its own, with nothing remembered; it must have gone without a mistake when the block ends."""
    made: BrowserContext = await browser.new_context(**{"viewport": {"width": 1024, "height": 768}, **context})
    try:
        opened = Tab(await made.new_page(), shots)
        opened.page.set_default_timeout(15_000)
        yield opened
        assert opened.wrong == []
        assert opened.foreign == []
    finally:
        await made.close()
