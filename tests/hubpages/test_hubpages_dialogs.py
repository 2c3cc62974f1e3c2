"""A whole site is set up by clicks alone: the engine by TLS, a camera that it found, a sign; and the repair when that is off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from desk import Desk
from engine_site import Site, until
from hubsite import Hub, hub_tab, running
from playwright.async_api import Browser, expect
from test_hubpages_cameras import LOGIN, config, nvr

from demo.camera import HikvisionNvr
from demo.hub import sign_of

__all__ = ["config", "nvr"]

pytestmark = [pytest.mark.needs_hub, pytest.mark.needs_models, pytest.mark.needs_chromium, pytest.mark.timeout(240)]

SIGN = sign_of("desk", "Desk")


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """A hub with the desk's sign, which knows of no engine yet."""
    async with running(tmp_path, [SIGN]) as hub:
        yield hub


async def test_by_clicks_alone(hub: Hub, site: Site, nvr: HikvisionNvr, browser: Browser, shots: Path) -> None:
    async with hub_tab(browser, hub, shots) as tab:
        desk = Desk(hub, tab.page, shots)
        await add_engine(desk, site)
        await add_camera(desk, nvr)
        await until(lambda: [camera["state"] for camera in site.service.snapshot()["cameras"]] == ["online"], 60)
        await hub.client.act("input_boolean/turn_on", SIGN.entity_id)
        await bind_sign(desk)
        await until(lambda: bool(site.zone("desk")["armed"]), 60)
        await hub.client.act("input_boolean/turn_off", SIGN.entity_id)
        await until(lambda: not site.zone("desk")["armed"], 60)
        await desk.page.goto(f"{hub.address}/config/repairs")
        await desk.page.get_by_text("Desk: the sign is off").click()
        await expect(desk.page.get_by_text("It comes back when the sign is on").first).to_be_visible()
        await desk.shot("hub-repair")
        await hub.client.act("input_boolean/turn_on", SIGN.entity_id)
        await until(lambda: bool(site.zone("desk")["armed"]), 60)
        await desk.page.reload()
        await expect(desk.page.get_by_text("Lane: no sign is bound")).to_be_visible()
        await expect(desk.page.get_by_text("Desk: the sign is off")).to_have_count(0)


async def add_engine(desk: Desk, site: Site) -> None:
    """By TLS, comparing the fingerprint."""
    made = await site.admin.call("pair/create", role="hub")
    await desk.page.goto(f"{desk.hub.address}/config/integrations/dashboard/add?domain=nvr_bridge")
    await desk.page.get_by_role("button", name="OK").click()
    await desk.at("Connect to an engine")
    await desk.fill("Host", "127.0.0.1")
    await desk.fill("Port", str(site.service.config.tls_port))
    await desk.choose("Encrypt the connection")
    await desk.press()
    await desk.at("Compare the certificate")
    await expect(desk.shown.get_by_text(made["fingerprint"])).to_be_visible()
    await desk.shot("hub-certificate")
    await desk.press()
    await desk.at("Pair with Riverside sales office")
    await desk.fill("Pairing code", made["code"])
    await desk.press()
    await desk.finish()


async def add_camera(desk: Desk, nvr: HikvisionNvr) -> None:
    """One channel of the recorder, after a look at what it delivers."""
    await desk.integration()
    await desk.add_camera()
    await desk.at("Which device?")
    await desk.pick("Device", nvr.address)
    await desk.fill("User name", LOGIN[0])
    await desk.fill("Password", LOGIN[1])
    await desk.press()
    await desk.at("Which channel?")
    await desk.choose("Garden")
    await desk.press()
    await desk.at("What does it watch?")
    await expect(desk.shown.get_by_text("h264, 640 × 360, 10 fps")).to_be_visible()
    await desk.choose("Desk (recognises, after an act, one person alone)")
    await desk.shot("hub-camera-zone")
    await desk.press()
    await desk.at("Created configuration for Garden")
    await desk.finish()
    await expect(desk.page.get_by_text("Garden").first).to_be_visible()


async def bind_sign(desk: Desk) -> None:
    """Which entity says that the desk's sign is on."""
    await desk.integration()
    await desk.button("Configure").click()
    await desk.take("Signs and acts of a zone")
    await desk.choose("Desk")
    await desk.press()
    await desk.at("The sign shows the notice in force")
    await desk.pick("Sign", SIGN.name)
    await desk.choose("The sign shows the notice in force")
    await desk.shot("hub-sign")
    await desk.press()
    await desk.finish()
