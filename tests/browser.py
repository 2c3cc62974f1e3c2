"""A real Chromium, as a visitor's tablet or telephone is one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from machine import AXE, CHROMIUM
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, async_playwright

ROOT = Path(__file__).parents[1]
SHOTS = os.environ.get("NVR_BRIDGE_SHOTS")  # a folder: pictures of the pages are kept there, to be looked at
ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


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


@contextmanager
def standing_chromium(profile: Path) -> Iterator[str]:
    """One that many tests use, each with a context of its own → the address for `attached`. It ends with this process."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    ends_with_us = [sys.executable, "-m", "demo.leash", str(os.getpid())]
    switches = ["--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    command = [*ends_with_us, str(CHROMIUM), *switches, *ARGUMENTS, *sandbox, "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT) as process:
        try:
            yield f"http://127.0.0.1:{_port(process, profile / 'DevToolsActivePort')}"
        finally:
            process.terminate()


def _port(process: subprocess.Popen[bytes], file: Path) -> int:
    """Where it listens, as soon as it says so."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if file.is_file() and (lines := file.read_text().splitlines()):
            return int(lines[0])
        time.sleep(0.05)
    raise RuntimeError("Chromium did not start")


@asynccontextmanager
async def attached(address: str) -> AsyncIterator[Browser]:
    """A Chromium that stands."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(address)
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
        opened.page.set_default_timeout(20_000)
        yield opened
        assert opened.wrong == []
        assert opened.foreign == []
    finally:
        await made.close()
