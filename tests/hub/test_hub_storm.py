"""A thousand events at once, a network that breaks again and again, fifty reloads: nothing missed, doubled or left behind."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cable import Cable
from conftest import DOMAIN, ENGINE_ID, find, is_shown, load, until
from fake_engine import TOKEN, FakeEngine, zone
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

pytestmark = [pytest.mark.warns("connection lost"), pytest.mark.timeout(120)]


class Told:
    """What automations see: the sequence of every state of an event entity that is news, and who was unavailable."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.sequences: list[int] = []
        self.replayed: set[int] = set()
        hass.bus.async_listen("state_changed", self._changed)

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        new, old = event.data["new_state"], event.data["old_state"]
        if new is None or new.domain != "event" or new.state in ("unknown", "unavailable"):
            return
        sequence = new.attributes["sequence"]
        if old is None or old.state == "unavailable" or old.attributes.get("sequence") == sequence:
            return
        self.sequences.append(sequence)
        if new.attributes["replayed"]:
            self.replayed.add(sequence)

    @property
    def all_once(self) -> bool:
        """Every one from the first to the last, and none twice."""
        return sorted(self.sequences) == list(range(1, len(self.sequences) + 1))


@pytest.fixture
def told(hass: HomeAssistant) -> Told:
    """From the start of the test."""
    return Told(hass)


@pytest.fixture
async def cable(engine: FakeEngine) -> AsyncIterator[Cable]:
    """To the engine."""
    made = Cable()
    await made.start(engine.port)
    yield made
    await made.stop()


@pytest.fixture
async def wired(hass: HomeAssistant, cable: Cable) -> AsyncIterator[MockConfigEntry]:
    """An entry that reaches the engine by the cable."""
    data = {"host": "127.0.0.1", "port": cable.port, "token": TOKEN}
    entry = MockConfigEntry(domain=DOMAIN, title="Riverside", unique_id=ENGINE_ID, data=data)
    entry.add_to_hass(hass)
    await load(hass, entry)
    yield entry
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_thousand_events_at_once(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry, told: Told
) -> None:
    engine.zones |= {f"hall{number}": zone(f"hall{number}", "observe") for number in range(37)}
    zones = list(engine.zones)
    await load(hass, entry)
    for number in range(1000):
        await engine.happens("first_visit", zones[number % 40])
    await until(lambda: len(told.sequences) >= 1000, 60)
    assert told.sequences == list(range(1, 1001))
    assert told.replayed == set()
    assert (
        Counter(state.attributes["sequence"] % 40 for state in hass.states.async_all("event")).most_common(1)[0][1] == 1
    )
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_thousand_events_while_the_hub_was_away(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, told: Told
) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    await until(lambda: not engine.sockets)
    for _ in range(1000):
        await engine.happens("visit_ended", "desk")
    await load(hass, loaded)
    await until(lambda: len(told.sequences) >= 1000, 60)
    assert told.sequences == list(range(1, 1001))
    assert told.replayed == set(range(1, 1001))


async def test_a_network_that_is_cut_again_and_again(
    hass: HomeAssistant, engine: FakeEngine, cable: Cable, wired: MockConfigEntry, told: Told
) -> None:
    dice = random.Random(7)
    for turn in range(12):
        for _ in range(dice.randrange(30)):
            await engine.happens("first_visit", dice.choice(["desk", "lane", "entrance"]))
            if dice.random() < 0.2:
                await asyncio.sleep(0.002)
        cable.cut()
        await until(is_shown(hass, "binary_sensor", "connected", "off"))
        assert find(hass, "event", "zone_desk_visit").state == "unavailable", turn
        await until(is_shown(hass, "binary_sensor", "connected", "on"))
        assert find(hass, "event", "zone_desk_visit").state != "unavailable", turn
    await engine.happens("visit_ended")
    await until(lambda: len(told.sequences) >= len(engine.log))
    assert told.all_once
    assert len(told.sequences) == len(engine.log)


async def test_a_network_that_freezes_is_left_and_what_was_in_it_told_once(
    hass: HomeAssistant, engine: FakeEngine, cable: Cable, wired: MockConfigEntry, told: Told
) -> None:
    await engine.happens("first_visit")
    await until(lambda: told.sequences == [1])
    cable.freeze()
    await engine.happens("visit_ended")
    await until(is_shown(hass, "binary_sensor", "connected", "off"), 20)
    cable.cut()
    await until(lambda: told.sequences == [1, 2])
    assert told.replayed == {2}


async def test_entities_are_unavailable_exactly_while_nobody_is_there(
    hass: HomeAssistant, engine: FakeEngine, cable: Cable, wired: MockConfigEntry
) -> None:
    registered = er.async_entries_for_config_entry(er.async_get(hass), wired.entry_id)
    shown = {entity.entity_id for entity in registered if not entity.disabled}
    unwatched = find(hass, "sensor", "zone_desk_people_present").entity_id  # no camera does
    unwatched_too = find(hass, "sensor", "zone_desk_people_approaching").entity_id
    connection = find(hass, "binary_sensor", "connected").entity_id

    def unavailable() -> set[str]:
        return {entity_id for entity_id in shown if hass.states.is_state(entity_id, "unavailable")}

    assert unavailable() == {unwatched, unwatched_too}
    cable.plugged = False
    cable.cut()
    await until(is_shown(hass, "binary_sensor", "connected", "off"))
    assert unavailable() == shown - {connection}
    cable.plugged = True
    await until(is_shown(hass, "binary_sensor", "connected", "on"))
    assert unavailable() == {unwatched, unwatched_too}


def open_files() -> int:
    """Of this process, sockets among them."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_fifty_reloads_leave_no_socket_task_or_listener(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry
) -> None:
    async def reload() -> tuple[int, int, int]:
        """How many tasks, listeners and open files there are after one more."""
        await hass.config_entries.async_reload(bound.entry_id)
        await until(lambda: engine.listeners == engine.sockets == 1 and bound.runtime_data.connected)
        await until(lambda: not [task for task in asyncio.all_tasks() if "nvr_bridge zone" in task.get_name()])
        return len(asyncio.all_tasks()), sum(hass.bus.async_listeners().values()), open_files()

    first = await reload()
    for _ in range(50):
        last = await reload()
    assert all(now <= then for now, then in zip(last, first, strict=True)), (first, last)
    assert engine.connections == 52
