"""The documents say what the code says, and the automations that they give to copy do what they say."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml
from conftest import INTEGRATION, until
from fake_engine import FakeEngine, case
from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nvr_bridge import bridge, client, memory, signs
from custom_components.nvr_bridge.actions import ACTIONS
from custom_components.nvr_bridge.const import EVENT_TYPES
from custom_components.nvr_bridge.event import DETAILS

DOCS = INTEGRATION.parent.parent / "docs"
HUB, ENTITIES, AUTOMATIONS = (
    (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("hub", "hub-entities", "hub-automations")
)
EXAMPLES = {
    example["alias"]: example
    for example in map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", AUTOMATIONS, re.DOTALL))
}
STRINGS = json.loads((INTEGRATION / "strings.json").read_text(encoding="utf-8"))


def section(document: str, heading: str) -> str:
    """What stands below a heading, up to the next one of any level."""
    [found] = re.findall(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", document, re.DOTALL | re.MULTILINE)
    return str(found)


def rows(text: str) -> list[list[str]]:
    """The cells of a table, below its head."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"][2:]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_entity_is_in_the_table() -> None:
    shown = [cells[2] for cells in rows(section(ENTITIES, "Entities"))]
    comma = "Gallery search, 99th percentile"  # a name with a comma
    said = {name.strip(" *") for cell in shown for name in ([comma] if comma in cell else cell.split(", "))}
    assert said == {entity["name"] for kind in STRINGS["entity"].values() for entity in kind.values()}


async def test_those_that_are_disabled_are_marked(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    marked = {cells[2].rstrip("* ") for cells in rows(section(ENTITIES, "Entities")) if cells[2].endswith("*")}
    entities = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    disabled = {entity.original_name for entity in entities if entity.disabled_by}
    known = {entity.original_name for entity in entities}
    assert disabled == marked & known
    assert disabled


def test_every_action_is_in_the_table() -> None:
    said = {name: set(quoted(cells[1])) for cells in rows(section(AUTOMATIONS, "Actions")) for name in quoted(cells[0])}
    assert said == {
        f"nvr_bridge.{name}": {str(key) for key in action.fields} - {"config_entry_id"}
        for name, action in ACTIONS.items()
    }


def test_every_event_and_detail_is_in_a_table() -> None:
    told = [name for cells in rows(section(ENTITIES, "Events")) for name in quoted(cells[0])]
    assert sorted(told) == sorted([*EVENT_TYPES, *DETAILS, "alias", "visit"])


def test_every_blueprint_is_in_the_table() -> None:
    folder = INTEGRATION.parent.parent / "blueprints" / "automation" / "nvr_bridge"
    told = [name for cells in rows(section(AUTOMATIONS, "Blueprints")) for name in quoted(cells[0])]
    assert sorted(told) == sorted(path.stem for path in folder.glob("*.yaml"))


@pytest.mark.parametrize("flow", ["config", "options"])
def test_every_parameter_is_explained(flow: str) -> None:
    said = {name.strip() for cell in re.findall(r"^\| ([^|]+) \|", HUB, re.MULTILINE) for name in cell.split(", ")}
    asked = {label for step in STRINGS[flow]["step"].values() for label in step.get("data", {}).values()}
    assert asked - said == set()


def test_the_times_are_those_of_the_code() -> None:
    told = section(HUB, "How data is updated")
    assert f"says nothing for {client.SILENCE:g} seconds" in told
    assert f"taken for gone {client.SILENCE:g} seconds later" in told
    assert f"{bridge.FIRST_WAIT:g} seconds, then ever more seldom, up to every {bridge.LONGEST_WAIT:g} seconds" in told
    assert f"at least every {signs.LONGEST_PERIOD:g} seconds" in told
    assert f"saved within {memory.SAVE_AFTER:g} seconds" in told


@pytest.mark.parametrize("alias", EXAMPLES)
def test_no_example_keeps_what_it_was_told_in_a_trace(alias: str) -> None:
    assert EXAMPLES[alias]["trace"] == {"stored_traces": 0}


@pytest.fixture
async def notes(hass: HomeAssistant) -> AsyncIterator[dict[str, Any]]:
    """The notifications, by id, with all examples set up."""
    shown: dict[str, Any] = {}
    persistent_notification.async_register_callback(hass, lambda _, changed: shown.update(changed))
    assert await async_setup_component(hass, "persistent_notification", {})
    assert await async_setup_component(hass, "automation", {"automation": list(EXAMPLES.values())})
    await hass.async_block_till_done()
    assert {state.state for state in hass.states.async_all("automation")} == {"on"}
    assert len(hass.states.async_all("automation")) == len(EXAMPLES) == 3
    yield shown
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


async def test_a_new_risk_is_told_once(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, notes: dict[str, Any]
) -> None:
    new = {"risks": "late_referral, contact_changed", "new_risks": "late_referral, contact_changed"}
    await engine.judges(attribution="channel", partner="acme", **new)  # told right behind `channel_visit`
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


async def test_a_pass_that_is_scanned_is_checked_in(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, notes: dict[str, Any]
) -> None:
    hass.bus.async_fire("tag_scanned", {"tag_id": "ABCD-EFGH-JKMN-PQRS", "device_id": "desk_scanner"})
    await until(lambda: notes)
    assert engine.of("pass/scan") == [{"type": "pass/scan", "zone": "desk", "code": "ABCD-EFGH-JKMN-PQRS"}]
    assert [note["message"] for note in notes.values()] == ["They were here before."]
