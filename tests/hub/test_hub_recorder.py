"""What the hub's recorder keeps of a visit: that it was, and not whose."""

from __future__ import annotations

from typing import Any

from conftest import load, until
from fake_engine import FakeEngine
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.history import get_significant_states
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done


async def test_alias_and_visit_are_not_recorded(
    recorder_mock: Recorder, hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    await load(hass, entry)
    started = dt_util.utcnow()
    await engine.happens("first_visit")
    await until(lambda: hass.states.get("event.desk_visit").attributes.get("alias"))
    await async_wait_recording_done(hass)
    kept: dict[str, Any] = await recorder_mock.async_add_executor_job(
        lambda: get_significant_states(hass, started, entity_ids=["event.desk_visit"], include_start_time_state=False)
    )
    attributes = kept["event.desk_visit"][-1].attributes
    assert attributes["event_type"] == "first_visit"
    assert attributes["sequence"] == 1
    assert "alias" not in attributes
    assert "visit" not in attributes
    await hass.config_entries.async_unload(entry.entry_id)
