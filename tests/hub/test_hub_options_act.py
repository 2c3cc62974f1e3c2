"""A zone that waits for an act and for no sign: its form asks for nothing that is not used."""

from __future__ import annotations

from conftest import until
from fake_engine import FakeEngine
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry
from test_hub_options import answer, choose


async def test_it_has_an_act_and_no_sign(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await engine.zone_is("lane", needs_sign=False)
    await until(lambda: not loaded.runtime_data.things["zone_lane"].state["needs_sign"])
    flow = await choose(hass, loaded, "lane")
    assert {str(key) for key in flow["data_schema"].schema} == {"act"}
    flow = await answer(hass, flow, act="button.act")
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.options["zones"]["lane"]["act"] == "button.act"
    assert "sign" not in loaded.options["zones"]["lane"]
    assert engine.of("zone/sign") == []
