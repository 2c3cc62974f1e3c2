"""Each event is shown once and in order, whatever happens to the engine or the hub, and no alias outlives its reason."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from conftest import find, is_shown, load, until
from fake_engine import FakeEngine
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import restore_state
from pytest_homeassistant_custom_component.common import MockConfigEntry

pytestmark = pytest.mark.warns("connection lost")


class Seen:
    """What an automation sees of the desk: every state of its event entity that is news, in order."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.events: list[dict[str, Any]] = []
        self.times: list[str] = []
        hass.bus.async_listen("state_changed", self._changed)

    @property
    def sequences(self) -> list[int]:
        return [event["sequence"] for event in self.events]

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        new, old = event.data["new_state"], event.data["old_state"]
        if event.data["entity_id"] != "event.desk_visit" or new is None or new.state in ("unknown", "unavailable"):
            return
        if old is None or old.state == "unavailable" or old.attributes.get("sequence") == new.attributes["sequence"]:
            return
        self.events.append(dict(new.attributes))
        self.times.append(new.state)


@pytest.fixture
def seen(hass: HomeAssistant) -> Seen:
    """From the start of the test."""
    return Seen(hass)


async def test_an_event_is_shown_with_all_that_it_says(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, seen: Seen
) -> None:
    await engine.happens("first_visit", occurred_at="2026-03-02T01:02:03.004Z")
    await until(lambda: seen.events)
    shown = seen.events[0]
    assert shown["event_type"] == "first_visit"
    assert "first_visit" in shown["event_types"]
    assert shown["sequence"] == 1
    assert shown["occurred_at"] == "2026-03-02T01:02:03.004Z"
    assert shown["replayed"] is False
    assert shown["alias"] == "amber otter 42"
    assert shown["visit"] == "vvvvvvvv"
    assert find(hass, "event", "zone_lane_visit").state == "unknown"


async def test_a_crowd_is_shown_one_by_one(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, seen: Seen
) -> None:
    for _ in range(200):
        await engine.happens("first_visit", visit=None, alias=None)
    await until(lambda: len(seen.events) >= 200)
    assert seen.sequences == list(range(1, 201))


async def test_what_is_told_twice_is_shown_once(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, seen: Seen
) -> None:
    event = await engine.happens("first_visit")
    await engine.push({"type": "event", "event": event})
    await engine.happens("visit_ended")
    await until(lambda: len(seen.events) >= 2)
    assert seen.sequences == [1, 2]


async def test_events_that_no_entity_shows_count_all_the_same(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, seen: Seen
) -> None:
    await engine.happens("a_kind_of_a_newer_engine")
    await engine.happens("first_visit")
    await until(lambda: seen.events)
    await engine.drop()
    await until(lambda: engine.listeners == 1)
    assert engine.of("subscribe")[-1]["since"] == 2
    assert seen.sequences == [2]


async def test_a_hub_that_is_new_asks_for_no_past(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry, seen: Seen
) -> None:
    await engine.happens("first_visit")
    await load(hass, entry)
    assert engine.of("subscribe") == [{"type": "subscribe"}]
    await engine.drop()
    await until(lambda: engine.listeners == 1)
    assert engine.of("subscribe")[-1] == {"type": "subscribe", "since": 1}
    await engine.happens("visit_ended")
    await until(lambda: seen.events)
    assert seen.sequences == [2]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_what_was_missed_while_the_engine_was_away_is_shown_as_replayed(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, seen: Seen
) -> None:
    await engine.happens("first_visit")
    await until(lambda: seen.events)
    await engine.stop()
    await until(is_shown(hass, "binary_sensor", "connected", "off"))
    await engine.happens("visit_ended")
    await engine.happens("returning_visit")
    await engine.start()
    await until(lambda: len(seen.events) >= 3)
    await engine.happens("visit_ended")
    await until(lambda: len(seen.events) >= 4)
    assert seen.sequences == [1, 2, 3, 4]
    assert [event["replayed"] for event in seen.events] == [False, True, True, False]


async def test_what_was_missed_while_the_hub_was_away_is_shown_as_replayed(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry, seen: Seen
) -> None:
    await load(hass, entry)
    await engine.happens("first_visit")
    await until(lambda: seen.events)
    await hass.config_entries.async_unload(entry.entry_id)
    await engine.happens("visit_ended")
    await load(hass, entry)
    await until(lambda: len(seen.events) >= 2)
    assert seen.sequences == [1, 2]
    assert seen.events[1]["replayed"] is True
    await hass.config_entries.async_unload(entry.entry_id)


async def test_coming_back_does_not_look_like_news(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, seen: Seen
) -> None:
    await engine.happens("first_visit")
    await until(lambda: seen.events)
    await engine.drop()
    await until(lambda: engine.listeners == 1)
    await until(is_shown(hass, "event", "zone_desk_visit", seen.times[0]))
    again = find(hass, "event", "zone_desk_visit").attributes
    assert again["sequence"] == 1
    assert again["replayed"] is True
    assert again["alias"] is None
    assert again["visit"] is None


async def test_the_last_sequence_is_on_disk_within_a_second_even_in_a_crowd(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    for _ in range(12):  # for longer than a second, never quiet for half of one
        await engine.happens("first_visit")
        await asyncio.sleep(0.1)
    saved = hass_storage[f"nvr_bridge.{loaded.entry_id}"]["data"]["sequence"]
    assert saved >= 1
    await until(lambda: hass_storage[f"nvr_bridge.{loaded.entry_id}"]["data"]["sequence"] == 12)


async def test_a_hub_that_was_killed_repeats_at_most_what_it_had_not_saved(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry, hass_storage: dict[str, Any], seen: Seen
) -> None:
    for _ in range(3):
        await engine.happens("first_visit")
    last = {"sequence": 2, "occurred_at": "2026-03-02T01:00:02.000Z", "replayed": False}
    shown = {"desk": {"kind": "visit_ended", "state": "2026-03-02T01:00:02.100+00:00", "shown": last}}
    hass_storage[f"nvr_bridge.{entry.entry_id}"] = {
        "version": 1,
        "minor_version": 1,
        "key": f"nvr_bridge.{entry.entry_id}",
        "data": {"sequence": 2, "zones": shown},
    }
    await load(hass, entry)
    await until(lambda: seen.events)
    assert seen.sequences == [3]
    assert seen.events[0]["replayed"] is True
    await hass.config_entries.async_unload(entry.entry_id)


async def test_after_a_restart_the_last_event_is_shown_again_without_its_alias(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry, seen: Seen
) -> None:
    await load(hass, entry)
    await engine.happens("first_visit")
    await until(lambda: seen.events)
    await hass.config_entries.async_unload(entry.entry_id)
    await load(hass, entry)
    await until(lambda: find(hass, "event", "zone_desk_visit").state != "unavailable")
    again = find(hass, "event", "zone_desk_visit").attributes
    assert again["event_type"] == "first_visit"
    assert again["sequence"] == 1
    assert again["replayed"] is True
    assert again["alias"] is None
    assert find(hass, "event", "zone_desk_visit").state == seen.times[0]
    assert len(seen.events) == 1
    await hass.config_entries.async_unload(entry.entry_id)


async def test_no_alias_reaches_the_disk(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, hass_storage: dict[str, Any], seen: Seen
) -> None:
    await engine.happens("first_visit")
    await until(lambda: seen.events)
    await restore_state.async_get(hass).async_dump_states()
    await until(lambda: f"nvr_bridge.{loaded.entry_id}" in hass_storage)
    written = json.dumps(hass_storage, default=str)
    assert "first_visit" in written
    assert "amber otter" not in written
    assert "vvvvvvvv" not in written
    await hass.config_entries.async_unload(loaded.entry_id)
    await restore_state.async_get(hass).async_dump_states()
    assert "amber otter" not in json.dumps(hass_storage, default=str)


async def test_a_withdrawal_takes_the_alias_and_leaves_the_event(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, seen: Seen
) -> None:
    await engine.happens("first_visit")
    await engine.happens("first_visit", "lane", alias="brave heron 10", visit="w" * 8)
    await until(lambda: find(hass, "event", "zone_lane_visit").attributes.get("sequence") == 2)
    await engine.forgets("amber otter 42", ["v" * 8])
    await until(lambda: find(hass, "event", "zone_desk_visit").attributes["alias"] is None)
    forgotten = find(hass, "event", "zone_desk_visit")
    assert forgotten.state == seen.times[0]
    assert forgotten.attributes["visit"] is None
    assert forgotten.attributes["sequence"] == 1
    assert find(hass, "event", "zone_lane_visit").attributes["alias"] == "brave heron 10"


async def test_a_withdrawal_takes_the_visit_that_was_shown_without_alias(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await engine.happens("visit_ended", alias=None)
    await until(lambda: find(hass, "event", "zone_desk_visit").attributes.get("visit"))
    await engine.forgets("amber otter 42", ["v" * 8])
    await until(lambda: find(hass, "event", "zone_desk_visit").attributes["visit"] is None)


@pytest.mark.warns("went back")
async def test_a_log_that_went_back_is_followed_from_there(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        await engine.happens("first_visit")
    await until(lambda: len(seen.events) == 3)
    await engine.stop()
    del engine.log[1:]
    await engine.start()
    await until(lambda: engine.listeners == 1)
    await engine.happens("visit_ended")
    await until(lambda: len(seen.events) == 4)
    assert seen.sequences == [1, 2, 3, 2]
    assert "went back" in caplog.text
