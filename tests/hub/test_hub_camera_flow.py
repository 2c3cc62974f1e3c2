"""Adding a camera from the hub: found or by address, with a login that the hub does not keep."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import pytest
from conftest import find, is_shown, log_all, until
from fake_engine import FakeEngine, device
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.nvr_bridge.diagnostics import async_get_config_entry_diagnostics

NVR = "192.0.2.9:80"
LOGIN = {"username": "viewer", "password": "hunter2-secret"}


@pytest.fixture
def nvr(engine: FakeEngine) -> str:
    """A recorder with two inputs, which the engine finds."""
    engine.devices[NVR] = device(NVR, "Lobby", "Garden")
    return NVR


async def wait(hass: HomeAssistant, flow: Any) -> Any:
    """What comes after the progress that the flow shows, if it does."""
    while flow["type"] is FlowResultType.SHOW_PROGRESS:
        await hass.async_block_till_done()
        flow = await hass.config_entries.subentries.async_configure(flow["flow_id"])
    return flow


async def begin(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    context: Any = {"source": SOURCE_USER}
    return await wait(
        hass, await hass.config_entries.subentries.async_init((entry.entry_id, "camera"), context=context)
    )


async def change(hass: HomeAssistant, entry: MockConfigEntry, part: str) -> Any:
    context: Any = {"source": SOURCE_RECONFIGURE, "subentry_id": part}
    return await hass.config_entries.subentries.async_init((entry.entry_id, "camera"), context=context)


async def answer(hass: HomeAssistant, flow: Any, **fields: Any) -> Any:
    return await wait(hass, await hass.config_entries.subentries.async_configure(flow["flow_id"], fields))


async def add(hass: HomeAssistant, entry: MockConfigEntry, **device: Any) -> Any:
    """The first channel of the recorder, as far as the zone."""
    flow = await answer(hass, await begin(hass, entry), **{"address": NVR, **LOGIN, **device})
    return await answer(hass, flow, channel="1")


def options(flow: Any, field: str) -> list[tuple[str, str]]:
    """What a form lets one choose from."""
    schema = {str(key): value for key, value in flow["data_schema"].schema.items()}
    return [(it["value"], it["label"]) for it in schema[field].config["options"]]


def suggested(flow: Any) -> dict[str, Any]:
    """What a form shows as filled in."""
    keys = {str(key): (key.description or {}).get("suggested_value") for key in flow["data_schema"].schema}
    return {key: value for key, value in keys.items() if value is not None}


def parts(entry: MockConfigEntry) -> dict[str | None, str]:
    return {part.unique_id: part.title for part in entry.subentries.values()}


async def test_a_discovered_camera_is_added(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, nvr: str
) -> None:
    flow = await begin(hass, loaded)
    assert flow["step_id"] == "device"
    assert options(flow, "address") == [(NVR, f"Recorder ({NVR})")]
    flow = await answer(hass, flow, address=NVR, **LOGIN)
    assert flow["step_id"] == "channel"
    assert options(flow, "channel") == [("1", "Lobby"), ("2", "Garden")]
    flow = await answer(hass, flow, channel="2")
    assert flow["step_id"] == "zone"
    assert flow["description_placeholders"]["streams"] == "- sub: hevc, 640 × 360, 15 fps"
    assert suggested(flow) == {"name": "Garden"}
    zones = dict(options(flow, "zone"))
    assert list(zones) == ["entrance", "lane", "desk"]
    assert zones["entrance"] == "Entrance (counts, and never recognises)"
    assert zones["lane"] == "Lane (recognises, in each passage after an act)"
    assert zones["desk"] == "Desk (recognises, after an act, one person alone)"
    flow = await answer(hass, flow, name="Garden door", zone="lane")
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert parts(loaded) == {"north": "North", "south": "South", "s1-2": "Garden door"}
    (part,) = [part for part in loaded.subentries.values() if part.unique_id == "s1-2"]
    assert part.data == {"camera": "s1-2"}
    assert engine.of("camera/add") == [
        {"type": "camera/add", "address": NVR, "channel": "2", "name": "Garden door", "zone": "lane", **LOGIN}
    ]
    # The engine soon says more of it, and it has entities without a restart.
    await engine.camera_is("s1-2", state="online")
    await until(lambda: hass.states.get("binary_sensor.garden_door_online"))
    entity = er.async_get(hass).async_get("binary_sensor.garden_door_online")
    assert entity
    assert entity.config_subentry_id == part.subentry_id
    assert engine.connections == 1


@pytest.mark.filterwarnings("ignore:It is recommended to use web")  # the hub's own keys, which aiohttp would name anew
async def test_the_engine_is_told_who_it_was(
    hass: HomeAssistant,
    engine: FakeEngine,
    loaded: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
) -> None:
    assert await async_setup_component(hass, "config", {})
    client, address = await hass_client(), "/api/config/config_entries/subentries/flow"
    part = next(part.subentry_id for part in loaded.subentries.values() if part.unique_id == "north")
    begun = {"handler": [loaded.entry_id, "camera"], "subentry_id": part}
    flow = await (await client.post(address, json=begun)).json()
    response = await client.post(f"{address}/{flow['flow_id']}", json={"zone": "lane"})
    assert response.status == HTTPStatus.OK
    await until(lambda: engine.of("camera/add"))
    assert [asked["by"] for asked in engine.of("camera/add")] == [hass_admin_user.id]


async def test_a_device_with_one_input_needs_no_choice(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    engine.devices["192.0.2.8:80"] = device("192.0.2.8:80", "")
    flow = await answer(hass, await begin(hass, loaded), address="192.0.2.8:80", **LOGIN)
    assert flow["step_id"] == "zone"
    assert suggested(flow) == {"name": "Recorder"}


async def test_a_stream_that_delivers_nothing_is_told(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, nvr: str
) -> None:
    engine.streams = [{"name": "main", "reason": "stalled; look at its settings"}, *engine.streams]
    flow = await add(hass, loaded)
    told = flow["description_placeholders"]["streams"]
    assert told == "- main: stalled; look at its settings\n- sub: hevc, 640 × 360, 15 fps"


async def test_by_address_where_nothing_can_be_discovered(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, nvr: str
) -> None:
    engine.refuse["camera/discover"] = ("invalid", "interface: none is given; name one")
    flow = await begin(hass, loaded)
    assert (flow["step_id"], flow["errors"]) == ("device", {"base": "refused"})
    assert flow["description_placeholders"]["reason"] == "interface: none is given; name one"
    assert options(flow, "address") == []
    del engine.refuse["camera/discover"]
    flow = await answer(hass, flow, address=NVR, **LOGIN)
    flow = await answer(hass, await answer(hass, flow, channel="1"), name="Lobby", zone="desk")
    assert flow["type"] is FlowResultType.CREATE_ENTRY


async def test_a_wrong_login_is_tried_once_and_not_kept(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, nvr: str
) -> None:
    wrong = {"username": "viewer", "password": "wrong"}
    flow = await answer(hass, await begin(hass, loaded), address=NVR, **wrong)
    assert (flow["step_id"], flow["errors"]) == ("device", {"base": "refused"})
    assert flow["description_placeholders"]["reason"] == f"{NVR}: refused the user name or password"
    assert suggested(flow) == {"address": NVR}
    assert [asked.get("password") for asked in engine.of("camera/discover")] == [None, "wrong"]
    flow = await answer(hass, flow, address=NVR, **LOGIN)
    flow = await answer(hass, await answer(hass, flow, channel="1"), name="Lobby", zone="desk")
    assert flow["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("command", ["camera/discover", "camera/add"], ids=["measured", "added"])
async def test_a_login_that_is_refused_late_is_not_tried_again(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, nvr: str, command: str
) -> None:
    flow = await answer(hass, await begin(hass, loaded), address=NVR, **LOGIN)
    if command == "camera/add":
        flow = await answer(hass, flow, channel="1")
    engine.refuse[command] = ("credentials", "refused")
    fields = {"channel": "1"} if command == "camera/discover" else {"name": "Lobby", "zone": "desk"}
    flow = await answer(hass, flow, **fields)
    assert (flow["step_id"], flow["errors"]) == ("device", {"base": "refused"})
    assert "password" not in suggested(flow)
    del engine.refuse[command]
    flow = await answer(hass, flow, address=NVR, **LOGIN)
    flow = await answer(hass, await answer(hass, flow, channel="1"), name="Lobby", zone="desk")
    assert flow["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.warns("connection lost")
async def test_the_engine_goes_meanwhile(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, nvr: str
) -> None:
    flow = await begin(hass, loaded)
    await engine.stop()
    await until(is_shown(hass, "binary_sensor", "connected", "off"))
    flow = await answer(hass, flow, address=NVR, **LOGIN)
    assert (flow["step_id"], flow["errors"]) == ("device", {"base": "not_connected"})
    await engine.start()
    await until(is_shown(hass, "binary_sensor", "connected", "on"))
    flow = await answer(hass, flow, address=NVR, **LOGIN)
    assert flow["step_id"] == "channel"


async def test_an_engine_that_is_away_adds_nothing(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    flow = await begin(hass, entry)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "not_connected")


async def test_a_channel_is_added_once(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, nvr: str
) -> None:
    await engine.camera_is("s1-1", address=NVR, channel="1")
    await until(lambda: "camera_s1-1" in loaded.runtime_data.things)
    flow = await answer(hass, await begin(hass, loaded), address=NVR, **LOGIN)
    assert flow["step_id"] == "zone"  # only one is left
    assert suggested(flow) == {"name": "Garden"}
    await engine.camera_is("s1-2", address=NVR, channel="2")
    await until(lambda: "camera_s1-2" in loaded.runtime_data.things)
    flow = await answer(hass, await begin(hass, loaded), address=NVR, **LOGIN)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_a_camera_that_somebody_else_adds_meanwhile(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, nvr: str
) -> None:
    flow = await add(hass, loaded)
    await engine.camera_is("s1-1", address=NVR, channel="1")
    await until(lambda: "s1-1" in parts(loaded))
    flow = await answer(hass, flow, name="Lobby", zone="desk")
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert list(parts(loaded)).count("s1-1") == 1


async def test_a_dialog_that_is_closed_while_the_engine_adds(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, nvr: str
) -> None:
    flow = await add(hass, loaded)
    engine.slow = 0.2
    manager = hass.config_entries.subentries
    flow = await manager.async_configure(flow["flow_id"], {"name": "Lobby", "zone": "desk"})
    assert (flow["type"], flow["progress_action"]) == (FlowResultType.SHOW_PROGRESS, "add")
    await until(lambda: engine.of("camera/add"))
    manager.async_abort(flow["flow_id"])
    await until(lambda: "s1-1" in parts(loaded))  # the engine did it all the same
    await until(lambda: hass.states.get("binary_sensor.lobby_online"))


async def test_another_zone_and_another_login(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, nvr: str
) -> None:
    await answer(hass, await add(hass, loaded), name="Lobby", zone="desk")
    (part,) = [part for part in loaded.subentries.values() if part.unique_id == "s1-1"]
    await engine.camera_is("s1-1")
    await until(lambda: "camera_s1-1" in loaded.runtime_data.things)
    flow = await change(hass, loaded, part.subentry_id)
    assert flow["step_id"] == "reconfigure"
    assert suggested(flow) == {"zone": "desk"}
    flow = await answer(hass, flow, zone="lane", username="viewer", password="wrong")
    assert (flow["step_id"], flow["errors"]) == ("reconfigure", {"base": "refused"})
    flow = await answer(hass, flow, zone="lane", **LOGIN)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    changed = {"address": NVR, "channel": "1", "name": "Lobby", "zone": "lane", **LOGIN}
    assert engine.of("camera/add")[-1] == {"type": "camera/add", **changed}
    assert engine.cameras["s1-1"]["zone"] == "lane"
    assert parts(loaded)["s1-1"] == "Lobby"


async def test_what_is_not_connected_is_not_changed(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    (part, *_) = loaded.subentries.values()
    await hass.config_entries.async_unload(loaded.entry_id)
    flow = await change(hass, loaded, part.subentry_id)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "not_connected")


async def test_no_login_stays_in_the_hub(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    engine: FakeEngine,
    loaded: MockConfigEntry,
    nvr: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    log_all(caplog)
    wrong = {"username": "canary-user", "password": "canary-password"}
    flow = await answer(hass, await begin(hass, loaded), address=NVR, **wrong)
    assert flow["errors"] == {"base": "refused"}
    flow = await answer(hass, flow, address=NVR, **LOGIN)
    flow = await answer(hass, await answer(hass, flow, channel="1"), name="Lobby", zone="desk")
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    await engine.camera_is("s1-1")
    await until(lambda: hass.states.get("binary_sensor.lobby_online"))
    assert find(hass, "binary_sensor", "camera_s1-1_online").state == "on"
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    kept = {
        "flow": flow,
        "entry": loaded.as_dict(),
        "storage": hass_storage,
        "diagnostics": await async_get_config_entry_diagnostics(hass, loaded),
        "states": [state.as_dict() for state in hass.states.async_all()],
        "devices": [device.dict_repr for device in devices],
        "log": caplog.text,
    }
    for place, text in {place: json.dumps(what, default=str) for place, what in kept.items()}.items():
        for secret in ("canary-user", "canary-password", LOGIN["password"]):
            assert secret not in text, place


async def test_the_dialog_speaks_the_hubs_language(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, nvr: str
) -> None:
    hass.config.language = "zh-Hans"
    assert dict(options(await add(hass, loaded), "zone"))["entrance"] == "Entrance (仅计数，从不识别)"
