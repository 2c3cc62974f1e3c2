"""The parts of an entry are the engine's cameras: made, renamed and removed as the engine says, and by users."""

from __future__ import annotations

import pytest
from conftest import ENGINE_ID, is_shown, load, until
from fake_engine import FakeEngine, camera
from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry


def parts(entry: MockConfigEntry) -> dict[str | None, str]:
    """By camera, what they are called."""
    return {part.unique_id: part.title for part in entry.subentries.values()}


def part_of(entry: MockConfigEntry, camera_id: str) -> str:
    return next(part.subentry_id for part in entry.subentries.values() if part.unique_id == camera_id)


def device_of(hass: HomeAssistant, entry: MockConfigEntry, camera_id: str) -> dr.DeviceEntry | None:
    identifier = ("nvr_bridge", f"{ENGINE_ID}_camera_{camera_id}")
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return next((device for device in devices if identifier in device.identifiers), None)


def parts_of(device: dr.DeviceEntry) -> set[str | None]:
    """Which parts of the entry it belongs to; in newer hubs it can only be one."""
    if hasattr(device, "config_subentry_id"):
        return {device.config_subentry_id}
    (parts,) = device.config_entries_subentries.values()
    return set(parts)


async def test_each_camera_is_a_part_with_its_id_alone(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    assert parts(loaded) == {"north": "North", "south": "South"}
    for part in loaded.subentries.values():
        assert (part.subentry_type, part.data) == ("camera", {"camera": part.unique_id})


async def test_a_cameras_device_and_entities_belong_to_its_part(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    entities = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    of_camera = {entity.entity_id for entity in entities if f"{ENGINE_ID}_camera_north" in entity.unique_id}
    assert of_camera
    assert {e.entity_id for e in entities if e.config_subentry_id == part_of(loaded, "north")} == of_camera
    for device in dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id):
        (part,) = parts_of(device)
        assert (part is not None) == any("_camera_" in name for _, name in device.identifiers)


async def test_a_new_camera_is_a_new_part_without_a_restart(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await engine.camera_is("lobby")
    await until(lambda: hass.states.get("binary_sensor.lobby_online"))
    assert parts(loaded) == {"north": "North", "south": "South", "lobby": "Lobby"}
    entity = er.async_get(hass).async_get("binary_sensor.lobby_online")
    assert entity
    assert entity.config_subentry_id == part_of(loaded, "lobby")
    assert engine.connections == 1


async def test_a_camera_that_is_renamed(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    before = part_of(loaded, "north")
    await engine.camera_is("north", name="Main gate")
    await until(lambda: parts(loaded)["north"] == "Main gate")
    assert part_of(loaded, "north") == before
    device = device_of(hass, loaded, "north")
    assert device
    assert device.name == "Main gate"
    assert hass.states.get("binary_sensor.north_online")  # what automations use stays


async def test_a_camera_that_the_engine_drops(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await engine.camera_goes("north")
    await until(lambda: "north" not in parts(loaded))
    assert hass.states.get("binary_sensor.north_online") is None
    assert device_of(hass, loaded, "north") is None
    assert engine.of("camera/remove") == []


async def test_what_changed_while_the_hub_was_away(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    kept = part_of(loaded, "south")
    await hass.config_entries.async_unload(loaded.entry_id)
    engine.cameras = {"south": camera("south", "lane", name="Back door"), "lobby": camera("lobby", "entrance")}
    await load(hass, loaded)
    assert parts(loaded) == {"south": "Back door", "lobby": "Lobby"}
    assert part_of(loaded, "south") == kept


async def test_deleting_a_part_removes_the_camera(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    hass.config_entries.async_remove_subentry(loaded, part_of(loaded, "north"))
    await until(lambda: "camera_north" not in loaded.runtime_data.things)
    assert engine.of("camera/remove") == [{"type": "camera/remove", "camera": "north"}]
    assert parts(loaded) == {"south": "South"}
    assert hass.states.get("binary_sensor.north_online") is None
    assert device_of(hass, loaded, "north") is None


@pytest.mark.warns("connection lost")
async def test_a_part_that_is_deleted_while_the_engine_is_away(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await engine.stop()
    await until(is_shown(hass, "binary_sensor", "connected", "off"))
    hass.config_entries.async_remove_subentry(loaded, part_of(loaded, "north"))
    await hass.async_block_till_done()
    await engine.start()
    await until(lambda: "north" not in engine.cameras)
    await until(lambda: "camera_north" not in loaded.runtime_data.things)
    assert parts(loaded) == {"south": "South"}


@pytest.mark.warns("camera north was not removed: busy")
async def test_a_camera_that_the_engine_keeps_is_asked_for_again(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    engine.refuse["camera/remove"] = ("conflict", "busy")
    hass.config_entries.async_remove_subentry(loaded, part_of(loaded, "north"))
    await until(lambda: engine.of("camera/remove"))
    await engine.camera_is("north")
    await engine.camera_is("south", name="Back door")  # told after it, so both were heard
    await until(lambda: parts(loaded) == {"south": "Back door"})
    del engine.refuse["camera/remove"]
    hass.config_entries.async_update_entry(loaded, title="Riverside 2")
    await until(lambda: "north" not in engine.cameras)


async def test_nothing_listens_after_the_entry_is_unloaded(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    part = part_of(loaded, "north")
    heard = len(hass.data["dispatcher"][SIGNAL_CONFIG_ENTRY_CHANGED])
    await hass.config_entries.async_unload(loaded.entry_id)
    assert len(hass.data["dispatcher"].get(SIGNAL_CONFIG_ENTRY_CHANGED, ())) == heard - 1
    hass.config_entries.async_remove_subentry(loaded, part)
    assert engine.of("camera/remove") == []


async def test_a_part_that_is_deleted_while_the_entry_is_not_loaded(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    hass.config_entries.async_remove_subentry(loaded, part_of(loaded, "north"))
    engine.cameras["lobby"] = camera("lobby", "entrance")  # meanwhile new, which is another matter
    await load(hass, loaded)
    await until(lambda: "north" not in engine.cameras)
    await until(lambda: "camera_north" not in loaded.runtime_data.things)
    assert {asked["camera"] for asked in engine.of("camera/remove")} == {"north"}
    assert parts(loaded).keys() == {"south", "lobby"}
    assert device_of(hass, loaded, "north") is None


async def test_a_camera_that_was_dropped_and_is_added_anew(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    hass.config_entries.async_remove_subentry(loaded, part_of(loaded, "north"))
    await until(lambda: "camera_north" not in loaded.runtime_data.things)
    await engine.camera_is("north", name="Main gate")
    await until(lambda: parts(loaded) == {"south": "South", "north": "Main gate"})
    assert len(engine.of("camera/remove")) == 1


async def test_a_cameras_device_is_what_it_says_itself(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    device = device_of(hass, loaded, "north")
    assert device
    assert (device.manufacturer, device.model) == ("Demo Optics", "DO-220")
    await engine.camera_is("lobby", manufacturer=None, model=None)  # not asked yet
    await until(lambda: hass.states.get("binary_sensor.lobby_online"))
    device = device_of(hass, loaded, "lobby")
    assert device
    assert (device.manufacturer, device.model) == (None, None)
    await engine.camera_is("lobby", manufacturer="Acme", model="C1")
    await until(lambda: (device := device_of(hass, loaded, "lobby")) and device.manufacturer == "Acme")
    await engine.camera_is("lobby", manufacturer=None, model=None, name="Hall")  # an engine that has just started
    await until(lambda: (device := device_of(hass, loaded, "lobby")) and device.name == "Hall")
    device = device_of(hass, loaded, "lobby")
    assert device
    assert (device.manufacturer, device.model) == ("Acme", "C1")
