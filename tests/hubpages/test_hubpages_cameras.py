"""A whole engine, a real hub and simulated devices: by TLS, a camera is discovered, measured, added, moved and removed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from engine_site import Site, until
from films import filmed
from hubsite import Hub

from demo.camera import HikvisionNvr, NvrInput, Stream
from demo.feed import Feed, StoryClock
from demo.process import free_port
from nvr_bridge.config import Config

pytestmark = [pytest.mark.needs_hub, pytest.mark.needs_models, pytest.mark.timeout(240)]

LOGIN = ("viewer", "canary-p@ss")
FLOW = "/api/config/config_entries/flow"
CAMERAS = "/api/config/config_entries/subentries/flow"
PATIENCE = 60.0  # seconds for each thing that the engine does for a dialog


@pytest.fixture
def config(config: Config) -> Config:
    """A site that speaks TLS too, and looks for cameras on loopback."""
    return replace(config, tls_port=free_port(), interfaces=("127.0.0.1",))


@pytest.fixture
async def nvr() -> AsyncIterator[HikvisionNvr]:
    """A recorder with two inputs."""
    clock = StoryClock()
    clock.begin()
    main, sub = (Stream(Feed(filmed("h264", size, fps=10), clock, loop=True)) for size in ((1280, 720), (640, 360)))
    inputs = [NvrInput("Lobby", (main, sub)), NvrInput("Garden", (main, sub))]
    async with HikvisionNvr("Recorder", inputs, LOGIN) as device:
        yield device


async def submit(hub: Hub, path: str, form: dict[str, Any], step: str, **answer: Any) -> dict[str, Any]:
    """Answer a form, and wait for what comes after it."""
    assert form.get("step_id") == step, form
    return await settled(hub, path, await hub.client.post(f"{path}/{form['flow_id']}", answer))


async def settled(hub: Hub, path: str, form: dict[str, Any]) -> dict[str, Any]:
    """What comes once the engine has done what it takes seconds for."""
    async with asyncio.timeout(PATIENCE):
        while form["type"] == "progress":
            await asyncio.sleep(0.2)
            form = await hub.client.get(f"{path}/{form['flow_id']}")
    return form


async def begin(hub: Hub, entry_id: str) -> dict[str, Any]:
    return await settled(hub, CAMERAS, await hub.client.post(CAMERAS, {"handler": [entry_id, "camera"]}))


def offered(form: dict[str, Any]) -> list[str]:
    """The addresses of what the engine found."""
    (address,) = (field for field in form["data_schema"] if field["name"] == "address")
    return [option["value"] for option in address["selector"]["select"]["options"]]


async def parts(hub: Hub, entry_id: str) -> dict[str, str]:
    """Titles by id."""
    rows = await hub.client.ask("config_entries/subentries/list", entry_id=entry_id)
    return {row["title"]: row["subentry_id"] for row in rows}


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await check():  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.2)


async def paired(hub: Hub, site: Site) -> str:
    """Add the engine by TLS, comparing the fingerprint → the new entry's id."""
    made = await site.admin.call("pair/create", role="hub")
    form = await hub.client.post(FLOW, {"handler": "nvr_bridge", "show_advanced_options": False})
    form = await submit(hub, FLOW, form, "user", host="127.0.0.1", port=site.service.config.tls_port, ssl=True)
    assert form["description_placeholders"]["fingerprint"] == made["fingerprint"]
    form = await submit(hub, FLOW, form, "certificate")
    done = await submit(hub, FLOW, form, "pair", code=made["code"])
    assert done["type"] == "create_entry"
    return str(done["result"]["entry_id"])


async def test_a_cameras_life(hub: Hub, site: Site, nvr: HikvisionNvr) -> None:
    entry_id = await paired(hub, site)
    form = await begin(hub, entry_id)
    while nvr.address not in offered(form):  # on a busy machine it may answer too late, and is looked for again
        form = await begin(hub, entry_id)

    # A wrong password is tried once, and a person is asked.
    tried = nvr.login_attempts
    form = await submit(hub, CAMERAS, form, "device", address=nvr.address, username=LOGIN[0], password="canary-wrong")
    assert (form["step_id"], form["errors"]) == ("device", {"base": "refused"})
    assert nvr.login_attempts == tried + 1

    login = {"username": LOGIN[0], "password": LOGIN[1]}
    form = await submit(hub, CAMERAS, form, "device", address=nvr.address, **login)
    form = await submit(hub, CAMERAS, form, "channel", channel="2")
    told = form["description_placeholders"]["streams"]
    assert "h264, 1280 × 720, 10 fps" in told
    assert "h264, 640 × 360, 10 fps" in told
    done = await submit(hub, CAMERAS, form, "zone", name="Garden door", zone="lane")
    assert done["type"] == "create_entry"
    [camera] = await site.admin.call("camera/list")
    assert (camera["name"], camera["zone"], camera["channel"]) == ("Garden door", "lane", "2")
    await hub.client.wait_for("the camera", lambda states: is_on(states, "binary_sensor.garden_door_online"), PATIENCE)

    # Its other zone needs no login again: the engine has it.
    part = (await parts(hub, entry_id))["Garden door"]
    form = await hub.client.post(CAMERAS, {"handler": [entry_id, "camera"], "subentry_id": part})
    done = await submit(hub, CAMERAS, form, "reconfigure", zone="entrance")
    assert (done["type"], done["reason"]) == ("abort", "reconfigure_successful")
    [camera] = await site.admin.call("camera/list")
    assert camera["zone"] == "entrance"

    # What is added on the engine's machine is there, too; what is deleted here is gone there.
    await site.admin.call("camera/add", address=nvr.address, zone="lane", channel="1", name="Lobby")
    await eventually(lambda: shown(hub, entry_id, {"Garden door", "Lobby"}))
    await hub.client.ask("config_entries/subentries/delete", entry_id=entry_id, subentry_id=part)
    await until(lambda: [camera["name"] for camera in site.service.snapshot()["cameras"]] == ["Lobby"])
    await eventually(lambda: shown(hub, entry_id, {"Lobby"}))
    gone = "binary_sensor.garden_door_online"
    await hub.client.wait_for("no entity of it", lambda states: gone not in states, PATIENCE)

    await hub.server.process.stop()  # so that all is written, and nothing is while it is looked at
    for path in hub.server.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [secret for secret in (LOGIN[1], "canary-wrong") if secret.encode() in content], path


def is_on(states: dict[str, dict[str, Any]], entity_id: str) -> bool:
    return entity_id in states and states[entity_id]["state"] == "on"


async def shown(hub: Hub, entry_id: str, names: set[str]) -> bool:
    return (await parts(hub, entry_id)).keys() == names
