"""What a user may paste into a public report."""

from __future__ import annotations

import json

from conftest import until
from fake_engine import TOKEN, FakeEngine
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import JSONEncoder
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nvr_bridge.diagnostics import async_get_config_entry_diagnostics


async def test_diagnostics_help_and_tell_nothing_private(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry
) -> None:
    await engine.happens("first_visit")
    await engine.camera_is("south", state="offline", reason="192.0.2.7:80 does not answer; check its power")
    await until(lambda: bound.runtime_data.memory.sequence == 1)
    await until(lambda: bound.runtime_data.things["camera_south"].state["state"] == "offline")
    told = await async_get_config_entry_diagnostics(hass, bound)
    text = json.dumps(told, cls=JSONEncoder)
    for private in (TOKEN, "127.0.0.1", "192.0.2.7", "amber otter", "vvvvvvvv"):
        assert private not in text
    assert told["connection"] == {"error": None, "last_sequence": 1}
    assert told["things"]["camera_south"]["state"] == "offline"
    assert told["things"]["engine"]["watch"]["to_renew"] == 2
    assert told["entry"]["options"]["zones"]["lane"]["sign"] == "switch.sign"
