"""The connection ends in every way there is, and comes back by itself."""

from __future__ import annotations

import json

import pytest
from conftest import find, is_shown, load, until
from fake_engine import FakeEngine
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

pytestmark = pytest.mark.warns("connection lost")


async def test_a_lost_engine_makes_its_entities_unavailable_and_its_connection_off(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await engine.stop()
    await until(is_shown(hass, "binary_sensor", "connected", "off"))
    assert find(hass, "binary_sensor", "armed").state == "unavailable"
    assert find(hass, "binary_sensor", "zone_lane_recognition_armed").state == "unavailable"
    assert find(hass, "binary_sensor", "camera_north_online").state == "unavailable"
    assert find(hass, "sensor", "zone_lane_visits_today").state == "unavailable"
    assert find(hass, "event", "zone_lane_visit").state == "unavailable"


async def test_it_comes_back_with_the_truth(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await engine.stop()
    await until(is_shown(hass, "binary_sensor", "connected", "off"))
    engine.zones["lane"]["people_present"] = 4
    engine.cameras["north"]["state"] = "offline"
    await engine.start()
    await until(is_shown(hass, "binary_sensor", "connected", "on"))
    assert find(hass, "sensor", "zone_lane_people_present").state == "4"
    assert find(hass, "binary_sensor", "camera_north_online").state == "off"


async def test_what_was_dropped_is_opened_again(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    for connections in (2, 3):
        await engine.drop()
        await until(lambda: engine.listeners == 1)
        assert engine.connections == connections


async def test_nonsense_ends_the_connection_and_not_the_integration(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    half_a_zone, too_many = '{"type": "state", "zone": {"id": "lane"}}', {**engine.engine, "subjects": "many"}
    told = json.dumps({"type": "state", "engine": too_many})
    for nonsense in ("{", "[1]", half_a_zone, '{"type": "event"}', told):
        before = engine.connections
        await engine.push(nonsense)
        await until(lambda before=before: engine.connections > before and engine.listeners == 1)
    await until(is_shown(hass, "binary_sensor", "connected", "on"))


async def test_what_a_newer_engine_adds_is_ignored(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await engine.push('{"id": 1, "type": "novelty"}')
    await engine.zone_is("lane", people_present=3, mood="unheard of")
    await until(is_shown(hass, "sensor", "zone_lane_people_present", "3"))
    assert engine.connections == 1


async def test_an_engine_that_freezes_is_noticed(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await until(lambda: engine.pings == 1)
    engine.pongs = False
    await until(lambda: engine.connections > 1)
    assert engine.pings == 2


async def test_a_token_revoked_meanwhile_asks_for_a_new_code(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    engine.token = "another"
    await engine.drop()
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"
    assert find(hass, "binary_sensor", "connected").state == "off"
    assert len(engine.of("auth")) == 2  # it is not tried again


@pytest.mark.parametrize(
    ("schema", "oldest", "issue"), [(0, 0, "engine_too_old"), (7, 2, "engine_too_new")], ids=["old", "new"]
)
async def test_an_engine_of_another_age_is_a_repair_issue_until_it_is_updated(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, schema: int, oldest: int, issue: str
) -> None:
    engine.hello |= {"schema": schema, "oldest_schema": oldest}
    await engine.drop()
    issues = ir.async_get(hass)
    key = ("nvr_bridge", f"versions_{loaded.entry_id}")
    await until(lambda: key in issues.issues)
    assert issues.issues[key].translation_key == issue
    assert issues.issues[key].translation_placeholders == {"engine": "Riverside", "version": "0.1.0"}
    engine.hello |= {"schema": 1, "oldest_schema": 1}
    await until(is_shown(hass, "binary_sensor", "connected", "on"))
    assert key not in issues.issues


@pytest.mark.warns("not ready yet")
async def test_an_engine_of_another_age_is_a_repair_issue_from_the_start(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    engine.hello |= {"schema": 7, "oldest_schema": 2}
    assert not await hass.config_entries.async_setup(entry.entry_id)
    issues = ir.async_get(hass)
    key = ("nvr_bridge", f"versions_{entry.entry_id}")
    assert issues.issues[key].translation_key == "engine_too_new"
    await hass.config_entries.async_remove(entry.entry_id)
    assert key not in issues.issues


async def test_a_newer_engine_that_still_speaks_the_old_schema_will_do(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    engine.hello |= {"schema": 9, "oldest_schema": 1}
    await load(hass, entry)
    assert engine.of("auth")[0]["schema"] == 1
    await hass.config_entries.async_unload(entry.entry_id)
