"""Whatever an engine says beyond what the hub is to show, and whatever a person types, the hub keeps none of it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import voluptuous as vol
from conftest import load, until
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


async def test_nothing_personal_is_shown_kept_or_logged(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    engine: FakeEngine,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)  # the test kit itself writes every state at DEBUG
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

    await restore_state.async_get(hass).async_dump_states()
    await hass.async_block_till_done()
    await async_wait_recording_done(hass)
    states = json.dumps([state.as_dict() for state in hass.states.async_all()], cls=JSONEncoder)
    diagnostics = json.dumps(await async_get_config_entry_diagnostics(hass, entry), cls=JSONEncoder)
    recorded = await recorder_mock.async_add_executor_job(lambda: everything_recorded(recorder_mock))
    stored = json.dumps(hass_storage, default=str)
    assert "K7QF-2M9D" in recorded  # it does hold the events, and the actions' data
    assert "wrong_person" in recorded
    assert "amber otter 42" in states
    for place, text in {
        "states": states,
        "answers": json.dumps(answers),
        "diagnostics": diagnostics,
        "recorder": recorded,
        "storage": stored,
        "log": caplog.text,
    }.items():
        for what, canary in PLANTED.items():
            assert canary not in text, f"{what} in {place}"
        for written in NOT_KEPT:
            assert place in ("states", "answers") or written not in text, f"{written} in {place}"
    await hass.config_entries.async_unload(entry.entry_id)
