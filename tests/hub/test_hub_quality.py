"""quality_scale.yaml names every rule of the hub's scale, and what it claims is so, as far as a machine can tell."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from conftest import INTEGRATION
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.util.yaml import load_yaml_dict
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nvr_bridge.const import PLATFORMS

ROOT = INTEGRATION.parent.parent
SCALE: dict[str, Any] = load_yaml_dict(str(INTEGRATION / "quality_scale.yaml"))["rules"]
STRINGS: dict[str, Any] = json.loads((INTEGRATION / "strings.json").read_text(encoding="utf-8"))
# As of July 2026.
TIERS = {
    "bronze": (
        "action-setup appropriate-polling brands common-modules config-flow config-flow-test-coverage"
        " dependency-transparency docs-actions docs-conditions docs-high-level-description docs-installation-instructions"
        " docs-removal-instructions docs-triggers entity-event-setup entity-unique-id has-entity-name runtime-data"
        " test-before-configure test-before-setup unique-config-entry"
    ),
    "silver": (
        "action-exceptions config-entry-unloading docs-configuration-parameters docs-installation-parameters"
        " entity-unavailable integration-owner log-when-unavailable parallel-updates reauthentication-flow test-coverage"
    ),
    "gold": (
        "devices diagnostics discovery discovery-update-info docs-data-update docs-examples docs-known-limitations"
        " docs-supported-devices docs-supported-functions docs-troubleshooting docs-use-cases dynamic-devices"
        " entity-category entity-device-class entity-disabled-by-default entity-translations exception-translations"
        " icon-translations reconfiguration-flow repair-issues stale-devices"
    ),
    "platinum": "async-dependency inject-websession strict-typing",
}


def source(name: str) -> str:
    return (INTEGRATION / f"{name}.py").read_text(encoding="utf-8")


def everything() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(INTEGRATION.glob("*.py")))


def has(module: str, *parts: str) -> Callable[[], None]:
    """The code has these."""

    def check() -> None:
        for part in parts:
            assert re.search(part, source(module)), f"{module}.py: no {part}"

    return check


def tells(document: str, heading: str) -> Callable[[], None]:
    """A document has something to say below a heading."""

    def check() -> None:
        written = (ROOT / "docs" / document).read_text(encoding="utf-8")
        [told] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", written, re.DOTALL | re.MULTILINE)
        assert len(told.split()) > 30, told

    return check


def shown_by(file: str, *names: str) -> Callable[[], None]:
    """There are tests of it, by these names."""

    def check() -> None:
        written = (ROOT / "tests" / "hub" / f"{file}.py").read_text(encoding="utf-8")
        for name in names:
            assert re.search(rf"^async def test_{name}\b", written, re.MULTILINE), f"{file}: no test of {name}"

    return check


def every_platform_says_how_many_at_once() -> None:
    for platform in PLATFORMS:
        assert re.search(r"^PARALLEL_UPDATES = [01]$", source(platform.value), re.MULTILINE), platform


def every_error_is_translated() -> None:
    """`Unauthorized` is the hub's own, with its own words."""
    told = {"HomeAssistantError", "ServiceValidationError", "ConfigEntryNotReady", "ConfigEntryAuthFailed"}
    for path in INTEGRATION.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) in told:
                assert {"translation_domain", "translation_key"} <= {word.arg for word in node.exc.keywords}, path.name


def nothing_polls() -> None:
    assert "_attr_should_poll = False" in source("entity")
    assert not re.search(r"DataUpdateCoordinator|SCAN_INTERVAL|async def async_update\(", everything())


def every_field_of_a_flow_is_described() -> None:
    for part in (STRINGS["config"], STRINGS["options"], *STRINGS["config_subentries"].values()):
        for name, step in part["step"].items():
            missing = step.get("data", {}).keys() - step.get("data_description", {}).keys()
            assert not missing or "description" in step, f"{name}: {missing}"


def every_issue_says_what_to_do() -> None:
    assert all(len(issue["description"].split()) > 8 for issue in STRINGS["issues"].values())


def it_has_no_requirement() -> None:
    assert json.loads((INTEGRATION / "manifest.json").read_text(encoding="utf-8"))["requirements"] == []


EVIDENCE: dict[str, list[Callable[[], None]]] = {
    "action-setup": [has("__init__", r"async def async_setup\(.*\n.*\n    actions\.register\(hass\)")],
    "appropriate-polling": [nothing_polls],
    "brands": [lambda: (INTEGRATION / "brand" / "icon.png").stat() and None],
    "common-modules": [has("entity", "class BridgeEntity"), has("bridge", "class Bridge")],
    "config-flow": [has("config_flow", "ConfigFlow, domain=DOMAIN"), every_field_of_a_flow_is_described],
    "dependency-transparency": [it_has_no_requirement],
    "docs-actions": [tells("hub-automations.md", "Actions")],
    "docs-high-level-description": [tells("hub.md", "What it is")],
    "docs-installation-instructions": [tells("hub.md", "Installation")],
    "docs-removal-instructions": [tells("hub.md", "Removal")],
    "entity-event-setup": [has("entity", r"async def async_added_to_hass", r"self\.async_on_remove\(")],
    "has-entity-name": [has("entity", "_attr_has_entity_name = True")],
    "runtime-data": [has("bridge", r"type \w+ = ConfigEntry\[Bridge\]"), has("__init__", r"entry\.runtime_data = ")],
    "test-before-setup": [has("__init__", "raise ConfigEntryNotReady", "raise ConfigEntryAuthFailed")],
    "unique-config-entry": [has("config_flow", r"async_set_unique_id\(", r"_abort_if_unique_id_configured\(")],
    "test-before-configure": [
        shown_by("test_hub_config_flow", "nobody_answers_then_somebody_does", "a_wrong_code_may_be_corrected")
    ],
    "action-exceptions": [every_error_is_translated, shown_by("test_hub_cases", "the_engine_says_why_not")],
    "entity-unavailable": [
        shown_by("test_hub_connection", "a_lost_engine_makes_its_entities_unavailable_and_its_connection_off")
    ],
    "log-when-unavailable": [
        has("bridge", r"_LOGGER\.warning\(\"%s: connection lost", r"_LOGGER\.info\(\"%s: connected\"")
    ],
    "devices": [shown_by("test_hub_setup", "each_thing_is_a_device_of_the_entry")],
    "discovery-update-info": [shown_by("test_hub_config_flow", "an_announcement_brings_a_new_address")],
    "dynamic-devices": [shown_by("test_hub_cameras", "a_new_camera_is_a_new_device")],
    "stale-devices": [shown_by("test_hub_cameras", "a_removed_camera_is_gone")],
    "entity-disabled-by-default": [shown_by("test_hub_entities", "what_few_people_need_is_disabled_at_first")],
    "config-entry-unloading": [has("__init__", "async def async_unload_entry")],
    "docs-configuration-parameters": [tells("hub.md", "Options")],
    "docs-installation-parameters": [tells("hub.md", "Installation")],
    "parallel-updates": [every_platform_says_how_many_at_once],
    "reauthentication-flow": [has("config_flow", "async def async_step_reauth")],
    "diagnostics": [has("diagnostics", "async_get_config_entry_diagnostics", "async_redact_data")],
    "discovery": [has("config_flow", "async def async_step_zeroconf", "async def async_step_hassio")],
    "docs-data-update": [tells("hub.md", "How data is updated")],
    "docs-examples": [tells("hub-automations.md", "Examples")],
    "docs-known-limitations": [tells("hub.md", "Known limitations")],
    "docs-supported-devices": [tells("hub.md", "Supported devices")],
    "docs-supported-functions": [tells("hub.md", "Supported functions"), tells("hub-entities.md", "Entities")],
    "docs-troubleshooting": [tells("hub.md", "Troubleshooting")],
    "docs-use-cases": [tells("hub-automations.md", "Use cases")],
    "exception-translations": [every_error_is_translated],
    "reconfiguration-flow": [has("config_flow", "async def async_step_reconfigure")],
    "repair-issues": [every_issue_says_what_to_do],
    "async-dependency": [it_has_no_requirement],
    "inject-websession": [has("bridge", r"async_get_clientsession\(")],
}


def test_every_rule_is_there_in_its_order() -> None:
    assert [len(rules.split()) for rules in TIERS.values()] == [20, 10, 21, 3]
    assert list(SCALE) == [rule for rules in TIERS.values() for rule in rules.split()]


@pytest.mark.parametrize("rule", SCALE)
def test_a_rule_is_done_or_there_is_a_reason(rule: str) -> None:
    said = SCALE[rule]
    if said == "done":
        return
    assert said.keys() == {"status", "comment"}
    assert said["status"] in {"done", "exempt"}
    assert said["comment"].endswith(".")


@pytest.mark.parametrize("rule", EVIDENCE)
def test_what_is_claimed_is_so(rule: str) -> None:
    for check in EVIDENCE[rule]:
        check()


async def test_entities_are_named_categorised_and_theirs(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """What the rules about entities say of each: an id, a name, a device, a category, a class or an icon."""
    assert loaded.state is ConfigEntryState.LOADED
    icons = json.loads((INTEGRATION / "icons.json").read_text(encoding="utf-8"))["entity"]
    entities = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    assert {entity.domain for entity in entities} <= {platform.value for platform in PLATFORMS}
    devices = {device.id for device in dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)}
    for entity in entities:
        assert entity.unique_id
        assert entity.has_entity_name
        assert entity.device_id in devices
        assert entity.translation_key in STRINGS["entity"][entity.domain]
        known = entity.original_device_class or icons.get(entity.domain, {}).get(entity.translation_key)
        assert known, f"{entity.entity_id}: neither a device class nor an icon"
    assert {entity.entity_category for entity in entities} >= {None, "diagnostic"}
