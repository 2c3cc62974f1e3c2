"""An engine that runs beside the hub, as an add-on: its supervisor tells where."""

from __future__ import annotations

from typing import Any

from conftest import DOMAIN, ENGINE_ID, KNOWN
from fake_engine import CODE, TOKEN, FakeEngine
from homeassistant.config_entries import SOURCE_HASSIO, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from pytest_homeassistant_custom_component.common import MockConfigEntry


async def found(hass: HomeAssistant, engine: FakeEngine, **given: str) -> Any:
    """The supervisor tells of the add-on."""
    config = {"addon": "NVR Bridge", "host": "127.0.0.1", "port": engine.port, **given}
    info = HassioServiceInfo(config=config, name="NVR Bridge", slug="local_nvr_bridge", uuid="1234")
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_HASSIO}, data=info)


async def answer(hass: HomeAssistant, flow: Any, **fields: Any) -> Any:
    return await hass.config_entries.flow.async_configure(flow["flow_id"], fields)


async def finish(hass: HomeAssistant, flow: Any, engine: FakeEngine) -> None:
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert entry.state is ConfigEntryState.LOADED
    assert (entry.title, entry.unique_id) == ("Riverside", ENGINE_ID)
    assert entry.data == {"host": "127.0.0.1", "port": engine.port, "token": TOKEN, **KNOWN}
    await hass.config_entries.async_unload(entry.entry_id)


async def test_it_is_confirmed_and_paired(hass: HomeAssistant, engine: FakeEngine) -> None:
    flow = await found(hass, engine)
    assert flow["step_id"] == "hassio_confirm"
    assert flow["description_placeholders"]["name"] == "Riverside"
    assert hass.config_entries.flow.async_progress()[0]["context"]["title_placeholders"] == {"name": "Riverside"}
    # The frontend asks for the form of a flow that it did not begin.
    assert (await hass.config_entries.flow.async_configure(flow["flow_id"]))["step_id"] == "hassio_confirm"
    flow = await answer(hass, flow)
    assert flow["step_id"] == "pair"
    await finish(hass, await answer(hass, flow, code=CODE), engine)


async def test_with_a_token_it_is_confirmed_alone(hass: HomeAssistant, engine: FakeEngine) -> None:
    flow = await found(hass, engine, token=TOKEN)
    assert engine.asked == []  # the token is shown to nobody before the user wants it
    await finish(hass, await answer(hass, flow), engine)
    assert engine.of("pair") == []


async def test_it_stops_before_it_is_confirmed(hass: HomeAssistant, engine: FakeEngine) -> None:
    flow = await found(hass, engine)
    await engine.stop()
    flow = await answer(hass, flow)
    assert (flow["step_id"], flow["errors"]) == ("hassio_confirm", {"base": "cannot_connect"})
    await engine.start()
    flow = await answer(hass, flow)
    await finish(hass, await answer(hass, flow, code=CODE), engine)


async def test_it_does_not_answer_yet(hass: HomeAssistant, engine: FakeEngine) -> None:
    await engine.stop()
    flow = await found(hass, engine)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "cannot_connect")
    await engine.start()
    flow = await answer(hass, await found(hass, engine))
    await finish(hass, await answer(hass, flow, code=CODE), engine)


async def test_it_has_an_entry_and_another_address_and_token(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, data={"host": "192.0.2.1", "port": 1, "token": "old"})
    flow = await found(hass, engine, token=TOKEN)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert entry.data == {"host": "127.0.0.1", "port": engine.port, "token": TOKEN}
