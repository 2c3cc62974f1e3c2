"""The automations that docs/hub.md gives to copy do what they say."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml
from conftest import INTEGRATION, until
from fake_engine import FakeEngine, case
from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

DOCUMENT = (INTEGRATION.parent.parent / "docs" / "hub.md").read_text(encoding="utf-8")
EXAMPLES = {
    example["alias"]: example for example in map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL))
}


@pytest.fixture
async def notes(hass: HomeAssistant) -> AsyncIterator[dict[str, Any]]:
    """The notifications, by id, with all examples set up."""
    shown: dict[str, Any] = {}
    persistent_notification.async_register_callback(hass, lambda _, changed: shown.update(changed))
    assert await async_setup_component(hass, "persistent_notification", {})
    assert await async_setup_component(hass, "automation", {"automation": list(EXAMPLES.values())})
    await hass.async_block_till_done()
    assert {state.state for state in hass.states.async_all("automation")} == {"on"}
    assert len(hass.states.async_all("automation")) == len(EXAMPLES) == 2
    yield shown
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


async def test_a_new_risk_is_told_once(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, notes: dict[str, Any]
) -> None:
    await engine.judges(risks="late_referral, contact_changed", new_risks="late_referral, contact_changed")
    await engine.judges(risks="late_referral, contact_changed", state="confirmed")
    await until(lambda: hass.states.get("event.desk_visit").attributes.get("state") == "confirmed")
    await hass.async_block_till_done()
    assert [(note["title"], note["message"]) for note in notes.values()] == [
        ("Case K7QF-2M9D", "late_referral, contact_changed")
    ]


async def test_the_evening_review(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, notes: dict[str, Any]
) -> None:
    engine.cases = {
        "K7QF-2M9D": case("K7QF-2M9D", attribution="undetermined", rule="undetermined", needs_review=True),
        "R2D4-XW7A": case("R2D4-XW7A"),
    }
    await hass.services.async_call("automation", "trigger", {"entity_id": "automation.cases_of_today"}, blocking=True)
    await until(lambda: notes)
    assert [(note["title"], note["message"]) for note in notes.values()] == [
        ("1 cases wait for somebody", "K7QF-2M9D: undetermined (undetermined)")
    ]
