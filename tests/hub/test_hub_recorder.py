"""What the hub's recorder keeps of a visit: that it was, and not whose."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from conftest import find, is_shown, load, until
from fake_engine import FakeEngine
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.history import get_significant_states
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)


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


async def test_counts_become_statistics(
    recorder_mock: Recorder, hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    assert await async_setup_component(hass, "sensor", {})  # whose statistics they are
    started = dt_util.utcnow()
    engine.site |= {"visits_today": 3, "natural_today": 2}
    await load(hass, entry)
    await until(is_shown(hass, "sensor", "site_visits_today", "3"))
    await engine.site_is(visits_today=5, natural_today=4, people_present=4, returning_share=20.0)
    await engine.site_is(natural_today=1)  # verdicts change
    await engine.zone_is("lane", visits_today=4)
    await engine.site_is(visits_today=1, people_present=0, day_started_at="2026-03-02T16:00:00.000+00:00")
    await engine.zone_is("lane", visits_today=1)
    await until(is_shown(hass, "sensor", "zone_lane_visits_today", "1"))
    await async_wait_recording_done(hass)
    for moment in dict.fromkeys(map(begun, (started, dt_util.utcnow()))):
        do_adhoc_statistics(hass, start=moment)
    await async_wait_recording_done(hass)

    async def last(key: str, kind: Literal["sum", "max"]) -> Any:
        entity_id = find(hass, "sensor", key).entity_id
        rows = await recorder_mock.async_add_executor_job(
            lambda: statistics_during_period(hass, begun(started), None, {entity_id}, "5minute", None, {kind})
        )
        return rows[entity_id][-1][kind]

    assert await last("site_visits_today", "sum") == 3.0  # two more on one day, one on the next
    assert await last("site_natural_today", "sum") == 0.0  # two more, three fewer, one on the next day
    assert await last("zone_lane_visits_today", "sum") == 5.0
    assert await last("site_people_present", "max") == 4.0
    assert await last("site_returning_share", "max") == 20.0
    await hass.config_entries.async_unload(entry.entry_id)


def begun(moment: datetime) -> datetime:
    """The five minutes that a moment is in."""
    return moment.replace(minute=moment.minute - moment.minute % 5, second=0, microsecond=0)
