"""From an entry to entities and back."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import ENGINE_ID, find, load, until
from fake_engine import FakeEngine
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_get_translations
from pytest_homeassistant_custom_component.common import MockConfigEntry


async def test_shows_the_engine_its_zones_and_its_cameras(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    assert find(hass, "binary_sensor", "connected").state == "on"
    assert find(hass, "binary_sensor", "armed").state == "off"
    assert find(hass, "sensor", "cases_waiting").state == "0"
    for zone in ("entrance", "lane", "desk"):
        assert find(hass, "binary_sensor", f"zone_{zone}_recognition_armed").state == "off"
        assert find(hass, "sensor", f"zone_{zone}_visits_today").state == "0"
        assert find(hass, "sensor", f"zone_{zone}_returning_today").state == "0"
        assert find(hass, "sensor", f"zone_{zone}_people_today").state == "0"
        assert find(hass, "event", f"zone_{zone}_visit").state == "unknown"
    assert find(hass, "sensor", "zone_lane_people_present").state == "0"
    assert find(hass, "binary_sensor", "camera_north_online").state == "on"
    stream = find(hass, "sensor", "camera_north_stream")
    assert stream.state == "640×360"
    assert stream.attributes["codec"] == "h264"
    assert stream.attributes["fps"] == 15.0


async def test_names_entities_after_their_zone_and_camera(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    assert hass.states.get("sensor.lane_people_present")
    assert hass.states.get("event.desk_visit")
    assert hass.states.get("binary_sensor.north_online")
    assert hass.states.get("sensor.desk_visits_today").attributes["friendly_name"] == "Desk Visits today"
    assert hass.states.get("sensor.desk_visits_today").attributes["unit_of_measurement"] == "visits"


async def test_a_camera_called_as_its_zone_is_told_apart(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    engine.cameras["north"]["name"] = "Entrance"
    await load(hass, entry)
    assert hass.states.get("binary_sensor.entrance_camera_online")
    await hass.config_entries.async_unload(entry.entry_id)


async def test_each_thing_is_a_device_of_the_entry(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    assert {device.name for device in devices} == {
        *("Riverside", "Riverside site", "Entrance", "Lane", "Desk", "North", "South")
    }
    assert {device.via_device_id for device in devices} == {None}
    (engine,) = (device for device in devices if ("nvr_bridge", ENGINE_ID) in device.identifiers)
    assert engine.sw_version == "0.1.0"


async def test_a_device_follows_its_name_and_its_version(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    def told() -> dict[str | None, str | None]:
        devices = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
        return {device.name: device.sw_version for device in devices}

    await engine.engine_is(version="0.2.0")
    await engine.zone_is("desk", name="Reception")
    await until(lambda: "Reception" in told())
    assert told()["Riverside"] == "0.2.0"
    assert "Desk" not in told()
    assert hass.states.get("event.desk_visit")  # what automations use stays


async def test_pushes_reach_the_state(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await engine.zone_is("lane", people_present=2, people_today=7, visits_today=3, returning_today=1, armed=True)
    await engine.engine_is(armed=True, cases_waiting=2)
    await until(lambda: find(hass, "binary_sensor", "armed").state == "on")
    assert find(hass, "sensor", "cases_waiting").state == "2"
    assert find(hass, "binary_sensor", "zone_lane_recognition_armed").state == "on"
    assert find(hass, "sensor", "zone_lane_people_present").state == "2"
    assert find(hass, "sensor", "zone_lane_people_today").state == "7"
    assert find(hass, "sensor", "zone_lane_visits_today").state == "3"
    assert find(hass, "sensor", "zone_lane_returning_today").state == "1"
    assert find(hass, "sensor", "zone_desk_people_present").state == "unavailable"  # no camera watches it


async def test_an_engine_that_counts_no_cases(hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry) -> None:
    del engine.engine["cases_waiting"]
    await load(hass, entry)
    assert hass.states.get("sensor.riverside_cases_waiting") is None
    assert find(hass, "binary_sensor", "armed").state == "off"
    await engine.engine_is(cases_waiting=3)
    await until(lambda: hass.states.get("sensor.riverside_cases_waiting"))
    assert find(hass, "sensor", "cases_waiting").state == "3"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_unloading_ends_the_connection(hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry) -> None:
    await load(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    await until(lambda: not engine.listeners)
    assert find(hass, "binary_sensor", "connected").state == "unavailable"


async def test_stopping_the_hub_ends_the_connection(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    await load(hass, entry)
    await hass.async_stop(force=True)
    await until(lambda: not engine.listeners)


async def test_what_was_seen_is_saved_where_the_hub_stops_right_after_it(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    await load(hass, entry)
    await engine.happens("first_visit")
    await until(lambda: find(hass, "event", "zone_desk_visit").state != "unknown")
    await hass.async_stop(force=True)
    assert hass_storage[f"nvr_bridge.{entry.entry_id}"]["data"]["sequence"] == 1


@pytest.mark.warns("cannot be set up")
@pytest.mark.warns("Error setting up entry")
async def test_no_socket_stays_open_where_a_platform_cannot_be_set_up(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        assert engine.sockets == 1
        raise ImportError("cannot be set up")

    with monkeypatch.context() as hub:
        hub.setattr(hass.config_entries, "async_forward_entry_setups", fails)
        await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    await until(lambda: engine.sockets == 0)


async def test_removing_the_entry_leaves_nothing(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry, hass_storage: dict[str, object]
) -> None:
    await load(hass, entry)
    await engine.happens("first_visit")
    key = f"nvr_bridge.{entry.entry_id}"
    await until(lambda: key in hass_storage)
    await hass.config_entries.async_remove(entry.entry_id)
    assert key not in hass_storage
    assert not er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)


@pytest.mark.warns("does not answer")
@pytest.mark.warns("Connect call failed")
@pytest.mark.warns("not ready yet")
async def test_is_tried_again_while_nobody_answers(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    await engine.stop()
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    await engine.start()
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.warns("could not authenticate")
async def test_asks_for_a_new_code_when_the_token_is_refused(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    engine.token = "another"
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert [flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()] == ["reauth"]


@pytest.mark.parametrize(
    ("why", "told"),
    [("stopped", "not_ready"), ("too_old", "engine_too_old"), ("too_new", "engine_too_new"), ("token", "unauthorized")],
)
@pytest.mark.warns("Riverside")
async def test_why_it_is_not_set_up_is_told_in_the_users_words(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry, why: str, told: str
) -> None:
    match why:
        case "stopped":
            await engine.stop()
        case "too_old":
            engine.hello["schema"] = 0
        case "too_new":
            engine.hello["oldest_schema"] = 99
        case "token":
            engine.token = "another"
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.error_reason_translation_key == told
    texts = await async_get_translations(hass, "zh-Hans", "exceptions", ["nvr_bridge"])
    assert f"component.nvr_bridge.exceptions.{told}.message" in texts
    assert entry.error_reason_translation_placeholders


@pytest.mark.warns("another engine")
async def test_shows_its_token_to_no_other_engine(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    engine.engine["id"] = "f" * 32
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert engine.asked == []


@pytest.mark.warns("connection lost")
async def test_zones_that_changed_are_new_entities(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    await load(hass, entry)
    await engine.stop()
    engine.zones["hall"] = {**engine.zones["desk"], "id": "hall", "name": "Hall"}
    del engine.zones["entrance"]
    await engine.happens("first_visit", "hall")
    await engine.start()
    await until(lambda: hass.states.get("event.hall_visit"))
    await until(lambda: find(hass, "event", "zone_hall_visit").attributes.get("sequence") == 1)
    assert hass.states.get("sensor.entrance_people_present") is None
    await hass.config_entries.async_unload(entry.entry_id)
