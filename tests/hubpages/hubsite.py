"""A real Home Assistant in a process of its own, with its frontend, for a real Chromium to use."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from browser import Tab
from machine import HUB
from playwright.async_api import Browser, Route

from demo.hub import Helper, HubServer
from demo.hub_client import HubClient
from demo.process import DemoError

RUNNING_SECONDS = 60.0
LANGUAGES = {"en": "en-GB", "zh-Hans": "zh-CN"}  # the hub's word for a language → the browser's


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub that runs, and its one user, who is an administrator. A browser on this machine is signed in by itself."""

    server: HubServer
    client: HubClient

    @property
    def address(self) -> str:
        """Such as `http://127.0.0.1:8123`."""
        return self.server.address

    @property
    def older(self) -> bool:
        """Whether it is the oldest release that the integration runs in, whose pages look otherwise here and there."""
        return self.server.version.startswith("2025.4.")

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self.server.process.log.read_text(encoding="utf-8", errors="replace")

    async def restart(self) -> None:
        """Stop it as its service manager does, and start it again with what it had kept."""
        await self.server.process.stop()
        await self.server.start()
        await self.started()

    async def forget_engines(self) -> None:
        """Remove every engine, so that the hub knows of none as in the beginning."""
        for entry in await self.client.get("/api/config/config_entries/entry?domain=nvr_bridge"):
            await self.client.delete(f"/api/config/config_entries/entry/{entry['entry_id']}")

    async def started(self) -> None:
        """Wait until everything is set up. Raises `DemoError`."""
        async with asyncio.timeout(RUNNING_SECONDS):
            while not await self.client.running():  # noqa: ASYNC110 - another process tells nobody
                await asyncio.sleep(0.1)


@asynccontextmanager
async def running(
    folder: Path, helpers: Iterable[Helper] = (), settings: Mapping[str, Any] | None = None, *, onboarded: bool = True
) -> AsyncIterator[Hub]:
    """A new hub with these toggles and buttons, until the block ends. `settings` add to its configuration.yaml.

    One that is not `onboarded` has no user yet, and its client is not signed in. Its log must not warn of this
    integration. Raises `DemoError` when it does not come up.
    """
    server = HubServer(folder / "hub", HUB / "bin" / "python")
    async with AsyncExitStack() as stack:
        client = HubClient(server.address)
        stack.push_async_callback(client.close)
        await server.write(helpers, onboarded=onboarded)
        if settings:
            path = server.folder / "configuration.yaml"
            path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **settings}, allow_unicode=True))
        stack.push_async_callback(server.process.stop)
        await server.start()
        hub = Hub(server, client)
        if onboarded:
            await client.sign_in()
            try:
                await hub.started()
            except TimeoutError:
                raise DemoError(f"the hub does not get ready:\n{server.process.tail()}") from None
        yield hub
    assert complaints(hub.log) == []


def complaints(log: str) -> list[str]:
    """What the hub warns of that names this integration, if only in a traceback: nothing may, but for what is said here."""
    # It warns of every custom integration; a test may end its engine first; how long things take is the bench's to measure.
    always = ("has not been tested", "connection lost: ", " is taking over ", "Updating state for ")
    said = re.split(r"^(?=\d{4}-\d\d-\d\d \d\d:)", log, flags=re.MULTILINE)
    warned = [entry for entry in said if re.match(r"\S+ \S+ (WARNING|ERROR|CRITICAL) ", entry)]
    ours = [entry for entry in warned if "nvr_bridge" in entry or "NVR Bridge" in entry]
    return [entry for entry in ours if not any(known in entry for known in always)]


@asynccontextmanager
async def hub_tab(
    browser: Browser, hub: Hub, shots: Path, *, language: str = "en", dark: bool = False, phone: bool = False
) -> AsyncIterator[Tab]:
    """A tab at this hub, signed in, on a desk's screen or a phone's. What the frontend asks of other machines fails.

    Nothing of this integration's pages may have gone wrong when the block ends; the frontend's own mistakes are its own.
    """
    size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 900}
    context = await browser.new_context(
        viewport=size,
        device_scale_factor=2 if phone else 1,
        has_touch=phone,
        is_mobile=phone,
        locale=LANGUAGES[language],
        color_scheme="dark" if dark else "light",
        service_workers="block",
    )
    try:
        opened = Tab(await context.new_page(), shots)
        opened.page.set_default_timeout(20_000)

        async def at_home(route: Route) -> None:
            await (route.continue_() if route.request.url.startswith(hub.address) else route.abort())

        await context.route("**/*", at_home)
        yield opened
        assert [wrong for wrong in opened.wrong if "nvr_bridge" in wrong or "nvr-bridge" in wrong] == []
    finally:
        await context.close()
