"""Cameras go down, come back, are added and removed; the engine's list is the truth."""

from __future__ import annotations

from conftest import ENGINE_ID, find, is_shown, until
from fake_engine import FakeEngine, camera
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry


def devices(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    found = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return {name.removeprefix(f"{ENGINE_ID}_") for device in found for _, name in device.identifiers}


async def test_a_camera_that_is_down_is_off_and_says_why(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await engine.camera_is("south", state="offline", reason="192.0.2.7 does not answer; check its power", stream=None)
    await until(is_shown(hass, "binary_sensor", "camera_south_online", "off"))
    down = find(hass, "binary_sensor", "camera_south_online").attributes
    assert down["status"] == "offline"
    assert down["reason"] == "192.0.2.7 does not answer; check its power"
    assert find(hass, "sensor", "camera_south_stream").state == "unavailable"
    assert find(hass, "sensor", "zone_lane_people_present").state == "unavailable"
    assert find(hass, "sensor", "zone_lane_visits_today").state == "0"  # what was counted stays counted
    assert find(hass, "sensor", "zone_entrance_people_present").state == "0"
    await engine.camera_is("south", **camera("south", "lane"))
    await until(is_shown(hass, "binary_sensor", "camera_south_online", "on"))
    assert find(hass, "sensor", "camera_south_stream").state == "640×360"
    assert find(hass, "sensor", "zone_lane_people_present").state == "0"


async def test_a_zone_is_watched_while_one_of_its_cameras_is_up(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await engine.camera_is("lobby")
    await until(lambda: hass.states.get("binary_sensor.lobby_online"))
    await engine.camera_is("north", state="offline")
    await until(is_shown(hass, "binary_sensor", "camera_north_online", "off"))
    assert find(hass, "sensor", "zone_entrance_people_present").state == "0"
    await engine.camera_is("lobby", state="needs_credentials")
    await until(is_shown(hass, "sensor", "zone_entrance_people_present", "unavailable"))


async def test_a_new_camera_is_a_new_device(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await engine.camera_is("lobby")
    await until(lambda: hass.states.get("binary_sensor.lobby_online"))
    assert find(hass, "binary_sensor", "camera_lobby_online").state == "on"
    assert "camera_lobby" in devices(hass, loaded)


async def test_a_removed_camera_is_gone(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await engine.camera_goes("north")
    await until(lambda: hass.states.get("binary_sensor.north_online") is None)
    assert "camera_north" not in devices(hass, loaded)
    assert find(hass, "sensor", "zone_entrance_people_present").state == "unavailable"


async def test_cameras_that_changed_while_the_hub_was_away(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    engine.cameras = {"lobby": camera("lobby", "entrance")}
    await hass.config_entries.async_setup(loaded.entry_id)
    await until(lambda: hass.states.get("binary_sensor.lobby_online"))
    assert hass.states.get("binary_sensor.north_online") is None
    assert {name for name in devices(hass, loaded) if name.startswith("camera")} == {"camera_lobby"}
