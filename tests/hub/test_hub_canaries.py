"""Whatever an engine says beyond what the hub is to show, and whatever a person types, the hub keeps none of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any

import pytest
import voluptuous as vol
from conftest import load, log_all, until
from fake_engine import FakeEngine, case
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.util import session_scope
from homeassistant.core import HomeAssistant
from homeassistant.helpers import restore_state
from homeassistant.helpers.json import JSONEncoder
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done

from custom_components.nvr_bridge.diagnostics import async_get_config_entry_diagnostics

PLANTED = {
    "visitor_name": "Canary Chen",
    "contact": "13800000001",
    "document": "D-CANARY-77",
    "reason": "she said that her aunt brought her",
    "template": "Q0FOQVJZ",
}
NOT_KEPT = ("amber otter 42", "v" * 8)  # shown for a while, and never written


def everything_recorded(recorder: Recorder) -> str:
    """The recorder's whole database as text."""
    with session_scope(session=recorder.get_session(), read_only=True) as session:
        return "\n".join(session.connection().connection.dbapi_connection.iterdump())


async def everywhere(
    hass: HomeAssistant, entry: MockConfigEntry, recorder: Recorder, storage: dict[str, Any]
) -> dict[str, str]:
    """What the hub shows, keeps, and gives to whoever asks for help, apart from its log."""
    await restore_state.async_get(hass).async_dump_states()
    await hass.async_block_till_done()
    await async_wait_recording_done(hass)
    return {
        "states": json.dumps([state.as_dict() for state in hass.states.async_all()], cls=JSONEncoder),
        "diagnostics": json.dumps(await async_get_config_entry_diagnostics(hass, entry), cls=JSONEncoder),
        "recorder": await recorder.async_add_executor_job(lambda: everything_recorded(recorder)),
        "storage": json.dumps(storage, default=str),
    }


async def plant(hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry) -> None:
    """The engine says, wherever it says anything, what is no business of the hub's."""
    engine.cases = {"K7QF-2M9D": case("K7QF-2M9D", **PLANTED)}
    engine.engine |= PLANTED
    for zone in engine.zones.values():
        zone.update(PLANTED)
    for camera in engine.cameras.values():
        camera.update({**PLANTED, "reason": None})  # a camera has a reason of its own, and shows it
    await load(hass, entry)
    await engine.happens("first_visit", data={"confidence": 0.712, **PLANTED}, **PLANTED)
    await engine.judges(
        attribution="channel", partner="acme", risks="contact_changed", new_risks="contact_changed", **PLANTED
    )
    await engine.zone_is("desk", people_present=1)
    await until(lambda: hass.states.get("event.desk_visit").attributes.get("event_type") == "attribution")


async def use(hass: HomeAssistant) -> list[Any]:
    """A reviewer's actions, those too that are refused because somebody typed too much → what they were answered."""

    async def run(action: str, **data: Any) -> Any:
        return await hass.services.async_call("nvr_bridge", action, data, blocking=True, return_response=True)

    answers = [
        await run("list_cases"),
        await run("confirm_case", case="K7QF-2M9D", version="1f0c9a2b"),
        await run("change_case", case="K7QF-2M9D", attribution="staff", reason="wrong_person"),
    ]
    for field in ("reason", "contact", "name"):
        typed = {"case": "K7QF-2M9D", "attribution": "staff", "reason": "other", field: " ".join(PLANTED.values())}
        with pytest.raises(vol.Invalid):
            await run("change_case", **typed)
    return answers


def log(caplog: pytest.LogCaptureFixture, of: str = "", since: int = 0) -> str:
    """What was logged at any level by loggers with `of` in their names.

    Not what the hub itself says, at the lowest level, of an action that it refused before this integration saw it.
    """
    said = [record for record in caplog.records[since:] if of in record.name]
    refused = ("homeassistant.core", "Invalid data for service call")
    return "\n".join(each.getMessage() for each in said if (each.name, each.getMessage()[: len(refused[1])]) != refused)


def found(places: dict[str, str], canaries: Iterable[str]) -> list[tuple[str, str]]:
    return [(place, canary) for place, text in places.items() for canary in canaries if canary in text]


async def test_nothing_personal_is_shown_kept_or_logged(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    engine: FakeEngine,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    log_all(caplog)
    await plant(hass, engine, entry)
    answers = await use(hass)
    places = await everywhere(hass, entry, recorder_mock, hass_storage)
    assert "K7QF-2M9D" in places["recorder"]  # it does hold the events, and the actions' data
    assert "wrong_person" in places["recorder"]
    assert "amber otter 42" in places["states"]
    assert len(log(caplog)) > 10_000
    assert found({**places, "answers": json.dumps(answers), "log": log(caplog)}, PLANTED.values()) == []
    assert found({**places, "log": log(caplog, "nvr_bridge"), "states": ""}, NOT_KEPT) == []
    caplog.set_level(logging.WARNING)  # what follows is the hub's own end
    await hass.config_entries.async_unload(entry.entry_id)


async def test_after_an_erasure_nothing_of_the_visitor_is_left_in_the_hub(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    engine: FakeEngine,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    log_all(caplog)
    await plant(hass, engine, entry)
    assert "amber otter 42" in (await everywhere(hass, entry, recorder_mock, hass_storage))["states"]
    shown = len(caplog.records)
    engine.cases = {"K7QF-2M9D": case("K7QF-2M9D", **{**PLANTED, "alias": None, "evidence_erased": True})}
    for event in engine.log:
        event["alias"] = None  # as the engine tells it again
    await engine.forgets("amber otter 42", ["v" * 8])
    await until(lambda: not hass.states.get("event.desk_visit").attributes.get("alias"))
    for again in (False, True):
        if again:
            await hass.config_entries.async_reload(entry.entry_id)
            await hass.async_block_till_done()
        places = await everywhere(hass, entry, recorder_mock, hass_storage)
        answers = json.dumps(await use(hass))
        assert found({**places, "answers": answers, "log": log(caplog)}, PLANTED.values()) == []
        assert found(places, NOT_KEPT) == []
        assert "amber otter 42" not in answers
    assert found({"log": log(caplog, "nvr_bridge", shown)}, NOT_KEPT) == []
    caplog.set_level(logging.WARNING)  # what follows is the hub's own end
    await hass.config_entries.async_unload(entry.entry_id)
