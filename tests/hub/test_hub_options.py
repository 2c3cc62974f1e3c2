"""Binding a zone's sign and act, and confirming the notice."""

from __future__ import annotations

from typing import Any

from conftest import is_shown, until
from fake_engine import NOTICE, FakeEngine
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers import selector
from pytest_homeassistant_custom_component.common import MockConfigEntry


async def choose(hass: HomeAssistant, entry: MockConfigEntry, zone: str) -> Any:
    """The form of a zone."""
    return await answer(hass, await open_menu(hass, entry, "signs"), zone=zone)


async def open_menu(hass: HomeAssistant, entry: MockConfigEntry, choice: str) -> Any:
    """The form behind an entry of the menu."""
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    assert (flow["type"], flow["step_id"]) == (FlowResultType.MENU, "init")
    assert choice in flow["menu_options"]
    return await answer(hass, flow, next_step_id=choice)


async def answer(hass: HomeAssistant, flow: Any, **fields: Any) -> Any:
    return await hass.config_entries.options.async_configure(flow["flow_id"], fields)


async def test_only_zones_that_wait_for_something_are_offered(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    flow = await open_menu(hass, loaded, "signs")
    (zone,) = flow["data_schema"].schema.values()
    assert isinstance(zone, selector.SelectSelector)
    assert [option["value"] for option in zone.config["options"]] == ["lane", "desk"]


async def test_a_lane_has_a_sign_and_an_act(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    hass.states.async_set("switch.sign", "on")
    flow = await choose(hass, loaded, "lane")
    assert {str(key) for key in flow["data_schema"].schema} == {"sign", "act", "notice_confirmed"}
    assert flow["description_placeholders"] == {"zone": "Lane", "notice_hash": NOTICE}
    flow = await answer(hass, flow, sign="switch.sign", act="button.act", notice_confirmed=True)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    lane = {"sign": "switch.sign", "act": "button.act", "notice_hash": NOTICE}
    assert loaded.options == {"zones": {"lane": lane}}
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "on"))
    assert engine.connections == 1  # nothing was interrupted


async def test_a_desk_has_no_act(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    flow = await choose(hass, loaded, "desk")
    assert {str(key) for key in flow["data_schema"].schema} == {"sign", "notice_confirmed"}


async def test_a_sign_needs_the_notice_confirmed(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    flow = await choose(hass, loaded, "lane")
    flow = await answer(hass, flow, sign="switch.sign", notice_confirmed=False)
    assert (flow["step_id"], flow["errors"]) == ("zone", {"notice_confirmed": "notice_not_confirmed"})
    assert loaded.options == {}


async def test_zones_are_bound_one_after_the_other(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    await answer(hass, await choose(hass, loaded, "lane"), sign="switch.sign", notice_confirmed=True)
    await answer(hass, await choose(hass, loaded, "desk"), sign="switch.sign", notice_confirmed=True)
    assert loaded.options["zones"].keys() == {"lane", "desk"}


async def test_what_was_bound_is_suggested_and_may_be_taken_away(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry
) -> None:
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "on"))
    flow = await choose(hass, bound, "lane")
    suggested = {str(key): (key.description or {}).get("suggested_value") for key in flow["data_schema"].schema}
    assert suggested == {"sign": "switch.sign", "act": "input_button.act", "notice_confirmed": True}
    await answer(hass, flow, notice_confirmed=False)
    assert bound.options == {"zones": {}}
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "off"))
    assert engine.of("zone/sign")[-1] == {"type": "zone/sign", "zone": "lane", "on": None, "notice_hash": NOTICE}
    issue = f"zone_lane_sign_unknown_{bound.entry_id}"  # which asks for one, and not for the one that is gone
    await until(lambda: ir.async_get(hass).async_get_issue("nvr_bridge", issue))


async def test_a_notice_that_changed_is_not_confirmed_any_more(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry
) -> None:
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "on"))
    await engine.zone_is("lane", notice_hash="b" * 64, reasons=["notice_changed"], armed=False)
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "off"))
    flow = await choose(hass, bound, "lane")
    suggested = {str(key): (key.description or {}).get("suggested_value") for key in flow["data_schema"].schema}
    assert suggested["notice_confirmed"] is False
    await answer(hass, flow, sign="switch.sign", notice_confirmed=True)
    assert bound.options["zones"]["lane"]["notice_hash"] == "b" * 64
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "on"))


async def test_an_engine_that_is_away_cannot_be_bound(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "not_connected")


async def test_an_engine_that_only_observes_has_nothing_to_bind(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    for zone in ("lane", "desk"):
        await engine.zone_is(zone, needs_sign=False, needs_act=False, reasons=["policy"])
    await engine.engine_is(settings=[])
    await until(lambda: not loaded.runtime_data.things["engine"].state["settings"])
    flow = await hass.config_entries.options.async_init(loaded.entry_id)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "nothing_to_set")


async def test_a_zone_that_stops_waiting_meanwhile(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    flow = await choose(hass, loaded, "desk")
    await engine.zone_is("desk", needs_sign=False, reasons=["policy"])
    await until(lambda: not loaded.runtime_data.things["zone_desk"].state["needs_sign"])
    flow = await answer(hass, flow, sign="switch.sign", notice_confirmed=True)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "nothing_to_set")
    flow = await answer(hass, await choose(hass, loaded, "lane"), sign="switch.sign", notice_confirmed=True)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
