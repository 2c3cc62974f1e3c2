"""Adding an engine, pairing again, and a new address."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from conftest import DOMAIN, ENGINE_ID, KNOWN, load, until
from fake_engine import CODE, TOKEN, FakeEngine
from homeassistant.config_entries import SOURCE_USER, SOURCE_ZEROCONF, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from pytest_homeassistant_custom_component.common import MockConfigEntry


def address(engine: FakeEngine) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": engine.port}


def announcement(engine: FakeEngine, **properties: str) -> ZeroconfServiceInfo:
    """As the engine announces itself."""
    return ZeroconfServiceInfo(
        ip_address=ip_address("127.0.0.1"),
        ip_addresses=[ip_address("127.0.0.1")],
        port=engine.port,
        hostname="box.local.",
        type="_nvr-bridge._tcp.local.",
        name="Riverside._nvr-bridge._tcp.local.",
        properties=properties or {"id": ENGINE_ID, "name": "Riverside", "version": "0.1.0", "schema": "1"},
    )


async def start(hass: HomeAssistant, source: str, data: Any = None) -> Any:
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": source}, data=data)


async def answer(hass: HomeAssistant, flow: Any, **fields: Any) -> Any:
    return await hass.config_entries.flow.async_configure(flow["flow_id"], fields)


async def finish(hass: HomeAssistant, flow: Any) -> None:
    """The flow made an entry that works."""
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert entry.state is ConfigEntryState.LOADED
    assert entry.title == "Riverside"
    assert entry.unique_id == ENGINE_ID
    assert entry.data["token"] == TOKEN
    await hass.config_entries.async_unload(entry.entry_id)


async def test_by_address(hass: HomeAssistant, engine: FakeEngine) -> None:
    flow = await start(hass, SOURCE_USER)
    assert flow["step_id"] == "user"
    flow = await answer(hass, flow, **address(engine))
    assert flow["step_id"] == "pair"
    assert flow["description_placeholders"]["name"] == "Riverside"
    flow = await answer(hass, flow, code=" 1234 5678 ")
    await finish(hass, flow)
    assert engine.of("pair") == [{"type": "pair", "schema": 1, "code": CODE, "name": "test home"}]


async def test_found_on_the_network(hass: HomeAssistant, engine: FakeEngine) -> None:
    flow = await start(hass, SOURCE_ZEROCONF, announcement(engine))
    assert flow["step_id"] == "pair"
    assert hass.config_entries.flow.async_progress()[0]["context"]["title_placeholders"] == {"name": "Riverside"}
    assert engine.connections == 0  # a neighbour that is merely seen is not called
    await finish(hass, await answer(hass, flow, code=CODE))


async def test_something_else_is_found(hass: HomeAssistant, engine: FakeEngine) -> None:
    flow = await start(hass, SOURCE_ZEROCONF, announcement(engine, path="/"))
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "not_an_engine")


async def test_nobody_answers_then_somebody_does(hass: HomeAssistant, engine: FakeEngine) -> None:
    await engine.stop()
    flow = await start(hass, SOURCE_USER)
    flow = await answer(hass, flow, **address(engine))
    assert (flow["step_id"], flow["errors"]) == ("user", {"base": "cannot_connect"})
    await engine.start()
    flow = await answer(hass, flow, **address(engine))
    await finish(hass, await answer(hass, flow, code=CODE))


@pytest.mark.parametrize(
    ("schema", "oldest", "word"), [(0, 0, "engine_too_old"), (3, 2, "engine_too_new")], ids=["old", "new"]
)
async def test_an_engine_of_another_age(
    hass: HomeAssistant, engine: FakeEngine, schema: int, oldest: int, word: str
) -> None:
    engine.hello |= {"schema": schema, "oldest_schema": oldest}
    flow = await start(hass, SOURCE_USER)
    flow = await answer(hass, flow, **address(engine))
    assert flow["errors"] == {"base": word}
    engine.hello |= {"schema": 1, "oldest_schema": 1}
    flow = await answer(hass, flow, **address(engine))
    await finish(hass, await answer(hass, flow, code=CODE))


async def test_a_wrong_code_may_be_corrected(hass: HomeAssistant, engine: FakeEngine) -> None:
    flow = await start(hass, SOURCE_USER)
    flow = await answer(hass, flow, **address(engine))
    flow = await answer(hass, flow, code="00000000")
    assert (flow["step_id"], flow["errors"]) == ("pair", {"base": "invalid_code"})
    await finish(hass, await answer(hass, flow, code=CODE))


async def test_too_many_wrong_codes(hass: HomeAssistant, engine: FakeEngine) -> None:
    engine.refuse_entry = "rate_limited"
    flow = await start(hass, SOURCE_USER)
    flow = await answer(hass, flow, **address(engine))
    flow = await answer(hass, flow, code=CODE)
    assert flow["errors"] == {"base": "rate_limited"}
    engine.refuse_entry = None
    await finish(hass, await answer(hass, flow, code=CODE))


async def test_the_engine_goes_before_the_code_is_entered(hass: HomeAssistant, engine: FakeEngine) -> None:
    flow = await start(hass, SOURCE_USER)
    flow = await answer(hass, flow, **address(engine))
    await engine.stop()
    flow = await answer(hass, flow, code=CODE)
    assert flow["errors"] == {"base": "cannot_connect"}
    await engine.start()
    await finish(hass, await answer(hass, flow, code=CODE))


async def test_the_code_is_shown_to_no_other_engine(hass: HomeAssistant, engine: FakeEngine) -> None:
    flow = await start(hass, SOURCE_ZEROCONF, announcement(engine))
    engine.engine["id"] = "f" * 32
    flow = await answer(hass, flow, code=CODE)
    assert flow["errors"] == {"base": "wrong_engine"}
    assert engine.asked == []
    engine.engine["id"] = ENGINE_ID
    await finish(hass, await answer(hass, flow, code=CODE))


async def test_an_engine_is_added_once(hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry) -> None:
    flow = await start(hass, SOURCE_USER)
    flow = await answer(hass, flow, **address(engine))
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_an_announcement_brings_a_new_address(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, "host": "192.0.2.1", "port": 1})
    flow = await start(hass, SOURCE_ZEROCONF, announcement(engine))
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert entry.data == {"host": "127.0.0.1", "port": engine.port, "token": TOKEN}


@pytest.mark.warns("could not authenticate")
async def test_pairing_again(hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry) -> None:
    engine.token = "another"
    await hass.config_entries.async_setup(entry.entry_id)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "pair"
    ended = await answer(hass, flow, code=CODE)
    assert (ended["type"], ended["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    await until(lambda: entry.state is ConfigEntryState.LOADED)
    assert entry.data == {"host": "127.0.0.1", "port": engine.port, "token": "another", **KNOWN}
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_new_address(hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry) -> None:
    await load(hass, entry)
    flow = await entry.start_reconfigure_flow(hass)
    assert flow["step_id"] == "user"
    wrong = await answer(hass, flow, host="127.0.0.1", port=1)
    assert wrong["errors"] == {"base": "cannot_connect"}
    ended = await answer(hass, flow, **address(engine))
    assert (ended["type"], ended["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    await until(lambda: engine.connections == 3)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_new_address_is_not_another_engine(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    flow = await entry.start_reconfigure_flow(hass)
    engine.engine["id"] = "f" * 32
    flow = await answer(hass, flow, **address(engine))
    assert flow["errors"] == {"base": "wrong_engine"}
    engine.engine["id"] = ENGINE_ID
    flow = await answer(hass, flow, **address(engine))
    assert flow["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    await hass.config_entries.async_unload(entry.entry_id)
