"""What the engine lets one set, in the options: it says how far, and has the last word."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from conftest import until
from fake_engine import FakeEngine
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from test_hub_options import answer, open_menu

RETENTION = ("templates", "sightings", "visits", "referrals", "images", "events")
DURATIONS = ("lead_time", "validity", "protection", "natural_protection", "visit_gap")
WINNERS = ["first_declared", "undetermined"]


def number(key: str, value: float, unit: str) -> dict[str, Any]:
    about = {"default": value, "source": "profile", "unit": unit}
    return {"key": key, "value": value, **about, "min": 1, "max": 365, "step": 1}


@pytest.fixture(autouse=True)
def settings(engine: FakeEngine) -> None:
    """An engine with settings of every kind."""
    winner = {"key": "attribution_winner", "value": "first_declared", "default": "first_declared", "options": WINNERS}
    engine.engine["settings"] = [
        *(number(f"retention_{kind}", 30, "d") for kind in RETENTION),
        *(number(f"attribution_{kind}", 60, "min") for kind in DURATIONS),
        {**winner, "source": "bridge.yaml"},
    ]


def fields(flow: Any) -> dict[str, Any]:
    return {str(key): value.config for key, value in flow["data_schema"].schema.items()}


def suggested(flow: Any) -> dict[str, Any]:
    return {str(key): key.description["suggested_value"] for key in flow["data_schema"].schema}


async def test_the_menu_offers_what_there_is(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    flow = await hass.config_entries.options.async_init(loaded.entry_id)
    assert flow["menu_options"] == ["signs", "retention", "attribution"]
    await engine.engine_is(settings=[number("retention_visits", 30, "d")])
    await until(lambda: len(loaded.runtime_data.things["engine"].state["settings"]) == 1)
    flow = await hass.config_entries.options.async_init(loaded.entry_id)
    assert flow["menu_options"] == ["signs", "retention"]


async def test_how_long_data_is_kept(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    flow = await open_menu(hass, loaded, "retention")
    assert fields(flow).keys() == {f"retention_{kind}" for kind in RETENTION}
    shown = fields(flow)["retention_visits"]
    assert (shown["min"], shown["max"], shown["step"], shown["unit_of_measurement"]) == (1, 365, 1, "d")
    assert suggested(flow)["retention_visits"] == 30
    flow = await answer(hass, flow, **{**suggested(flow), "retention_visits": 90})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert engine.of("settings/set") == [{"type": "settings/set", "key": "retention_visits", "value": 90}]
    assert loaded.options == {}  # the engine keeps it


async def test_what_the_rules_go_by(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    flow = await open_menu(hass, loaded, "attribution")
    assert fields(flow)["attribution_winner"]["options"] == WINNERS
    changed = {"attribution_lead_time": 30, "attribution_winner": "undetermined"}
    flow = await answer(hass, flow, **{**suggested(flow), **changed})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert {asked["key"]: asked["value"] for asked in engine.of("settings/set")} == changed


async def test_what_the_engine_refuses_is_told_in_its_words(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    flow = await open_menu(hass, loaded, "retention")
    engine.refuse["settings/set"] = ("invalid", "value: the profile allows 60 at most")
    flow = await answer(hass, flow, **{**suggested(flow), "retention_visits": 90})
    assert (flow["step_id"], flow["errors"]) == ("retention", {"retention_visits": "refused"})
    assert flow["description_placeholders"]["reason"] == "value: the profile allows 60 at most"
    assert suggested(flow)["retention_visits"] == 90
    del engine.refuse["settings/set"]
    flow = await answer(hass, flow, **{**suggested(flow), "retention_visits": 60})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert engine.of("settings/set")[-1]["value"] == 60


@pytest.mark.parametrize("odd", [0.25, 400])
async def test_what_lies_outside_of_what_can_be_set_may_stay(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, odd: float
) -> None:
    await engine.engine_is(
        settings=[number("attribution_visit_gap", odd, "min"), number("attribution_lead_time", 9, "min")]
    )
    await until(lambda: len(loaded.runtime_data.things["engine"].state["settings"]) == 2)
    flow = await open_menu(hass, loaded, "attribution")
    flow = await answer(hass, flow, attribution_visit_gap=odd, attribution_lead_time=10)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert [asked["key"] for asked in engine.of("settings/set")] == ["attribution_lead_time"]


@pytest.mark.warns("connection lost")
async def test_the_engine_goes_meanwhile(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    flow = await open_menu(hass, loaded, "retention")
    await engine.stop()
    await until(lambda: not loaded.runtime_data.connected)
    flow = await answer(hass, flow, **{**suggested(flow), "retention_visits": 90})
    assert flow["errors"] == {"retention_visits": "refused"}
    await engine.start()
    await until(lambda: loaded.runtime_data.connected)
    flow = await answer(hass, flow, **suggested(flow))
    assert flow["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.filterwarnings("ignore:It is recommended to use web")  # the hub's own keys, which aiohttp would name anew
async def test_the_engine_is_told_who_it_was(
    hass: HomeAssistant,
    engine: FakeEngine,
    loaded: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
) -> None:
    assert await async_setup_component(hass, "config", {})
    client = await hass_client()
    address = "/api/config/config_entries/options/flow"
    flow = await (await client.post(address, json={"handler": loaded.entry_id})).json()
    flow = await (await client.post(f"{address}/{flow['flow_id']}", json={"next_step_id": "retention"})).json()
    wanted = {f"retention_{kind}": 31 if kind == "events" else 30 for kind in RETENTION}
    response = await client.post(f"{address}/{flow['flow_id']}", json=wanted)
    assert response.status == HTTPStatus.OK
    assert [(asked["key"], asked["by"]) for asked in engine.of("settings/set")] == [
        ("retention_events", hass_admin_user.id)
    ]


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
async def test_every_setting_has_words(hass: HomeAssistant, loaded: MockConfigEntry, language: str) -> None:
    words = await async_get_translations(hass, language, "options", {"nvr_bridge"})
    chosen = await async_get_translations(hass, language, "selector", {"nvr_bridge"})
    for kind in ("retention", "attribution"):
        for key in fields(await open_menu(hass, loaded, kind)):
            assert words[f"component.nvr_bridge.options.step.{kind}.data.{key}"]
    for winner in WINNERS:
        assert chosen[f"component.nvr_bridge.selector.attribution_winner.options.{winner}"]
