"""The files beside the code: what the hub and its store read before they load it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import voluptuous as vol
from conftest import INTEGRATION
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.icon import async_get_icons
from homeassistant.helpers.service import async_get_all_descriptions
from homeassistant.helpers.translation import async_get_translations
from homeassistant.loader import async_get_integration
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nvr_bridge.actions import ACTIONS
from custom_components.nvr_bridge.const import PLATFORMS
from custom_components.nvr_bridge.event import DETAILS
from custom_components.nvr_bridge.number import SHOWN as NUMBERS
from custom_components.nvr_bridge.select import SHOWN as SELECTS

ROOT = INTEGRATION.parent.parent


def read(path: Path) -> dict[str, Any]:
    text: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return text


@pytest.mark.usefixtures("enable_custom_integrations")
async def test_it_copies_into_a_folder_and_works(hass: HomeAssistant) -> None:
    manifest = (await async_get_integration(hass, "nvr_bridge")).manifest
    assert manifest["requirements"] == []
    assert manifest["dependencies"] == []
    assert manifest["after_dependencies"] == ["frontend", "http"]  # a hub without them is shown no panel
    assert manifest["iot_class"] == "local_push"
    assert manifest["zeroconf"] == ["_nvr-bridge._tcp.local."]


def test_the_manifest_is_linked_from_the_root() -> None:
    link = ROOT / "manifest.json"
    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.resolve() == INTEGRATION / "manifest.json"


def test_the_store_finds_its_file() -> None:
    assert read(ROOT / "hacs.json")["homeassistant"] == "2025.4.0"


def test_the_icon_is_a_square_picture() -> None:
    header = (INTEGRATION / "brand" / "icon.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(header[16:20]) == int.from_bytes(header[20:24]) == 256


def test_the_english_texts_are_the_texts() -> None:
    assert read(INTEGRATION / "translations" / "en.json") == read(INTEGRATION / "strings.json")


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
async def test_every_entity_has_a_name_and_an_icon(hass: HomeAssistant, loaded: MockConfigEntry, language: str) -> None:
    names = await async_get_translations(hass, language, "entity", {"nvr_bridge"})
    icons = (await async_get_icons(hass, "entity", {"nvr_bridge"}))["nvr_bridge"]
    entities = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    assert {entity.domain for entity in entities} == set(PLATFORMS)
    for entity in entities:
        key = entity.translation_key
        assert names[f"component.nvr_bridge.entity.{entity.domain}.{key}.name"], entity.entity_id
        assert key in icons.get(entity.domain, {}) or entity.original_device_class, entity.entity_id
    named = {(name.split(".")[3], name.split(".")[4]) for name in names}
    keys = {(entity.domain, str(entity.translation_key)) for entity in entities}
    offered = {("number", it.key) for it in NUMBERS["engine"]} | {("select", it.key) for it in SELECTS["engine"]}
    assert named == keys | offered


def test_it_asks_only_what_a_hub_may() -> None:
    rows = re.findall(
        r"^\| `([a-z]+/[a-z_]+)` \| ([a-z, ]+) \|", (ROOT / "docs" / "protocol.md").read_text(), re.MULTILINE
    )
    may = {command for command, roles in rows if "hub" in roles.split(", ")}
    asked = set(re.findall(r'"([a-z]+/[a-z_]+)"', sources())) - {"nvr_bridge/call"}  # which the panel asks of the hub
    assert {"settings/set", "engine/recognition", "camera/recognition", "retention/purge"} <= asked
    assert asked <= may


async def test_the_actions_are_described(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    for name in hass.services.async_services_for_domain("todo"):  # whose descriptions take packages of the hub's own
        hass.services.async_remove("todo", name)
    described = (await async_get_all_descriptions(hass))["nvr_bridge"]
    assert described.keys() == hass.services.async_services_for_domain("nvr_bridge").keys() == ACTIONS.keys()
    words = await async_get_translations(hass, "zh-Hans", "services", {"nvr_bridge"})
    options = await async_get_translations(hass, "zh-Hans", "selector", {"nvr_bridge"})
    for name, action in ACTIONS.items():
        fields = described[name]["fields"]
        assert fields.keys() == {str(key) for key in action.fields} | {"config_entry_id"}
        assert {str(key) for key in action.fields if isinstance(key, vol.Required)} == {
            key for key, field in fields.items() if field.get("required")
        }
        for key in (
            "name",
            "description",
            *(f"fields.{field}.{text}" for field in fields for text in ("name", "description")),
        ):
            assert words[f"component.nvr_bridge.services.{name}.{key}"]
        for field in fields.values():
            if select := field["selector"].get("select"):
                for option in select["options"]:
                    assert options[f"component.nvr_bridge.selector.{select['translation_key']}.options.{option}"]
    icons = await async_get_icons(hass, "services", {"nvr_bridge"})
    assert icons["nvr_bridge"].keys() == ACTIONS.keys()


async def test_what_a_zone_may_show_has_words(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    shown = hass.states.get("event.desk_visit")
    assert shown
    words = await async_get_translations(hass, "zh-Hans", "entity", {"nvr_bridge"})
    attributes = "component.nvr_bridge.entity.event.visit.state_attributes"
    assert all(words[f"{attributes}.event_type.state.{name}"] for name in shown.attributes["event_types"])
    assert all(words[f"{attributes}.{name}.name"] for name in DETAILS)


def sources() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(INTEGRATION.glob("*.py")))
