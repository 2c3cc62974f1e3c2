"""What people set and switch at the hub is asked of the engine, and shown once the engine says so."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import find, is_shown, until
from fake_engine import FakeEngine
from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

CONTROLS = [
    ("switch", "turn_off", "recognition", {}, {"type": "engine/recognition", "on": False}),
    ("switch", "turn_off", "zone_lane_recognition", {}, {"type": "engine/recognition", "zone": "lane", "on": False}),
    (
        "switch",
        "turn_off",
        "camera_north_recognition",
        {},
        {"type": "camera/recognition", "camera": "north", "on": False},
    ),
    (
        "number",
        "set_value",
        "retention_templates",
        {"value": 30},
        {"type": "settings/set", "key": "retention_templates", "value": 30.0},
    ),
    (
        "select",
        "select_option",
        "attribution_winner",
        {"option": "undetermined"},
        {"type": "settings/set", "key": "attribution_winner", "value": "undetermined"},
    ),
]
SAYS = {"turn_off": "off", "set_value": "30.0", "select_option": "undetermined"}


async def run(
    hass: HomeAssistant, platform: str, action: str, key: str, data: dict[str, Any], user: User | None = None
) -> None:
    target = {"entity_id": find(hass, platform, key).entity_id}
    context = Context(user_id=user.id) if user else None
    await hass.services.async_call(platform, action, data, blocking=True, target=target, context=context)


@pytest.mark.parametrize(("platform", "action", "key", "data", "asked"), CONTROLS, ids=[row[2] for row in CONTROLS])
async def test_what_is_set_is_asked_of_the_engine_by_whom_and_shown(
    hass: HomeAssistant,
    engine: FakeEngine,
    loaded: MockConfigEntry,
    hass_admin_user: User,
    platform: str,
    action: str,
    key: str,
    data: dict[str, Any],
    asked: dict[str, Any],
) -> None:
    await run(hass, platform, action, key, data, hass_admin_user)
    assert engine.of(asked["type"]) == [{**asked, "by": hass_admin_user.id}]
    await until(is_shown(hass, platform, key, SAYS[action]))


@pytest.mark.parametrize(("platform", "action", "key", "data", "asked"), CONTROLS, ids=[row[2] for row in CONTROLS])
async def test_what_the_engine_refuses_stays_as_it_was(
    hass: HomeAssistant,
    engine: FakeEngine,
    loaded: MockConfigEntry,
    platform: str,
    action: str,
    key: str,
    data: dict[str, Any],
    asked: dict[str, Any],
) -> None:
    before = find(hass, platform, key).state
    engine.refuse[asked["type"]] = ("invalid", "value: the profile allows less")
    with pytest.raises(ServiceValidationError, match="the profile allows less") as caught:
        await run(hass, platform, action, key, data)
    assert (caught.value.translation_domain, caught.value.translation_key) == ("nvr_bridge", "refused")
    assert find(hass, platform, key).state == before


async def test_recognition_comes_on_again(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await engine.zone_is("lane", recognition=False)
    await until(is_shown(hass, "switch", "zone_lane_recognition", "off"))
    await run(hass, "switch", "turn_on", "zone_lane_recognition", {})
    assert engine.of("engine/recognition") == [{"type": "engine/recognition", "zone": "lane", "on": True}]
    await until(is_shown(hass, "switch", "zone_lane_recognition", "on"))


async def test_a_purge_is_run_now(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await run(hass, "button", "press", "purge", {})
    assert engine.of("retention/purge") == [{"type": "retention/purge"}]


@pytest.mark.warns("connection lost")
async def test_nothing_is_set_while_the_engine_is_away(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    entity = hass.data["entity_components"]["number"].get_entity(find(hass, "number", "retention_visits").entity_id)
    await engine.stop()
    await until(is_shown(hass, "number", "retention_visits", "unavailable"))
    with pytest.raises(HomeAssistantError) as caught:
        await entity.async_set_native_value(1.0)
    assert caught.value.translation_key == "not_connected"


async def test_a_number_goes_as_far_as_the_engine_says(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    limits = find(hass, "number", "retention_templates").attributes
    assert (limits["min"], limits["max"], limits["step"], limits["unit_of_measurement"]) == (1.0, 180.0, 1.0, "d")
    with pytest.raises(ServiceValidationError):
        await run(hass, "number", "set_value", "retention_templates", {"value": 181})
    tightened = [{**it, "max": 60.0, "value": 60.0} for it in engine.engine["settings"][:1]]
    await engine.engine_is(settings=[*tightened, *engine.engine["settings"][1:]])
    await until(is_shown(hass, "number", "retention_templates", "60.0"))
    assert find(hass, "number", "retention_templates").attributes["max"] == 60.0


async def test_a_setting_that_the_hub_does_not_know_is_left_alone(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    entities = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    assert not [entity for entity in entities if "newer_engine" in entity.unique_id]
    assert {entity.translation_key for entity in entities if entity.domain == "number"} == {
        "retention_templates",
        "retention_visits",
        "attribution_lead_time",
    }
