"""What each entity shows, and how the hub treats it."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import ENGINE_ID, find, load, until
from fake_engine import FakeEngine
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

SHOWN = [
    ("subjects", "1", {"state_class": "measurement", "unit_of_measurement": "people"}),
    ("cases_waiting", "0", {"state_class": "measurement", "unit_of_measurement": "cases"}),
    ("oldest_template", "2026-03-02T09:00:00+00:00", {"device_class": "timestamp"}),
    ("next_purge", "2026-03-02T10:00:00+00:00", {"device_class": "timestamp"}),
    ("assessment_expires", "unknown", {"device_class": "timestamp"}),
    ("erasures_overdue", "0", {"state_class": "measurement"}),
    ("embeddings_without_permit", "0", {"state_class": "total_increasing"}),
    ("search_p99", "1.23", {"device_class": "duration", "unit_of_measurement": "ms", "state_class": "measurement"}),
    ("to_renew", "2", {"state_class": "measurement"}),
    ("site_visits_today", "0", {"state_class": "total", "last_reset": "2026-03-01T16:00:00+00:00"}),
    ("site_natural_today", "0", {"state_class": "total"}),
    ("site_channel_today", "0", {"state_class": "total"}),
    ("site_staff_today", "0", {"state_class": "total"}),
    ("site_undetermined_today", "0", {"state_class": "total"}),
    ("site_unregistered_today", "0", {"state_class": "total"}),
    ("site_returning_share", "unknown", {"state_class": "measurement", "unit_of_measurement": "%"}),
    ("site_people_present", "0", {"state_class": "measurement", "unit_of_measurement": "people"}),
    ("zone_lane_people_approaching", "0", {"state_class": "measurement"}),
    ("zone_lane_last_event", "unknown", {"device_class": "enum", "occurred_at": None}),
    ("camera_north_analysed_per_second", "5.0", {"state_class": "measurement", "unit_of_measurement": "frames/s"}),
    ("camera_north_clock_offset", "1.5", {"device_class": "duration", "unit_of_measurement": "s"}),
]
QUIET = {"search_p99", "to_renew"}
QUIET |= {f"camera_{camera}_{key}" for camera in ("north", "south") for key in ("analysed_per_second", "clock_offset")}


@pytest.fixture
async def enabled(hass: HomeAssistant, loaded: MockConfigEntry) -> MockConfigEntry:
    """An entry whose every entity is shown."""
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, loaded.entry_id):
        registry.async_update_entity(entity.entity_id, disabled_by=None)
    await hass.config_entries.async_reload(loaded.entry_id)
    await until(lambda: loaded.runtime_data.connected)
    return loaded


async def test_each_fact_has_a_sensor(hass: HomeAssistant, enabled: MockConfigEntry) -> None:
    for key, value, attributes in SHOWN:
        shown = find(hass, "sensor", key)
        assert shown.state == value, key
        assert {name: shown.attributes.get(name) for name in attributes} == attributes, key


async def test_the_site_says_what_its_visits_came_to(
    hass: HomeAssistant, engine: FakeEngine, enabled: MockConfigEntry
) -> None:
    await engine.site_is(visits_today=5, natural_today=3, channel_today=1, returning_share=33.3, people_present=2)
    await until(lambda: find(hass, "sensor", "site_visits_today").state == "5")
    assert find(hass, "sensor", "site_natural_today").state == "3"
    assert find(hass, "sensor", "site_returning_share").state == "33.3"
    assert find(hass, "sensor", "site_people_present").state == "2"


async def test_the_last_event_of_a_zone(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await engine.zone_is("lane", last_event="first_visit", last_event_at="2026-03-02T01:02:03.000Z")
    await until(lambda: find(hass, "sensor", "zone_lane_last_event").state == "first_visit")
    assert find(hass, "sensor", "zone_lane_last_event").attributes["occurred_at"] == "2026-03-02T01:02:03.000Z"
    await engine.zone_is("lane", last_event="a_word_of_a_newer_engine")
    await until(lambda: find(hass, "sensor", "zone_lane_last_event").state == "unknown")


async def test_the_engine_says_why_nothing_is_armed(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    assert find(hass, "binary_sensor", "armed").attributes["reasons"] == ["assessment_missing", "sign_unknown"]


async def test_what_few_people_need_is_disabled_at_first(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    entities = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    disabled = {entity.unique_id.removeprefix(f"{ENGINE_ID}_") for entity in entities if entity.disabled}
    assert disabled == QUIET


async def test_each_has_its_place_on_its_device(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    entities = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    placed: dict[Any, set[str]] = {}
    for entity in entities:
        placed.setdefault(entity.entity_category, set()).add(str(entity.translation_key))
    settings = {"retention_templates", "retention_visits", "attribution_lead_time", "attribution_winner"}
    assert placed["config"] == settings | {"purge"}
    assert placed["diagnostic"] == {
        *("connected", "online", "stream", "analysed_per_second", "clock_offset"),
        *("oldest_template", "next_purge", "assessment_expires", "erasures_overdue", "to_renew"),
        *("embeddings_without_permit", "search_p99"),
    }


async def test_an_engine_that_knows_less_offers_less(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    for state in (engine.engine, *engine.zones.values(), *engine.cameras.values()):
        for field in ("recognition", "settings", "search_p99_ms", "people_approaching", "last_event", "clock_offset"):
            state.pop(field, None)
    engine.site = {}
    await load(hass, entry)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert {entity.domain for entity in entities} == {"binary_sensor", "button", "event", "sensor", "todo"}
    assert not [entity for entity in entities if entity.unique_id.startswith(f"{ENGINE_ID}_site")]
    await engine.engine_is(recognition=True)
    await until(lambda: hass.states.get("switch.riverside_recognition"))
    await hass.config_entries.async_unload(entry.entry_id)


async def test_nothing_is_written_that_is_no_news(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    written: list[str] = []
    note = callback(lambda event: written.append(event.data["entity_id"]))
    hass.bus.async_listen("state_changed", note)
    hass.bus.async_listen("state_reported", note, callback(lambda data: True))
    await until(lambda: hass.states.get("todo.riverside_cases_to_review").state == "0")
    written.clear()
    await engine.zone_is("lane", tracks=7)
    await engine.zone_is("lane", people_today=1)
    await until(lambda: find(hass, "sensor", "zone_lane_people_today").state == "1")
    assert written == ["sensor.lane_people_today"]
