"""The files beside the code: what the hub and its store read before they load it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import INTEGRATION
from homeassistant.core import HomeAssistant
from homeassistant.helpers.icon import async_get_icons
from homeassistant.helpers.service import async_get_all_descriptions
from homeassistant.helpers.translation import async_get_translations
from homeassistant.loader import async_get_integration
from pytest_homeassistant_custom_component.common import MockConfigEntry

ROOT = INTEGRATION.parent.parent


def read(path: Path) -> dict[str, Any]:
    text: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return text


@pytest.mark.usefixtures("enable_custom_integrations")
async def test_it_copies_into_a_folder_and_works(hass: HomeAssistant) -> None:
    manifest = (await async_get_integration(hass, "nvr_bridge")).manifest
    assert manifest["requirements"] == []
    assert manifest["dependencies"] == []
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
async def test_every_entity_has_a_name(hass: HomeAssistant, loaded: MockConfigEntry, language: str) -> None:
    names = await async_get_translations(hass, language, "entity", {"nvr_bridge"})
    entities = [hass.states.get(entity_id) for entity_id in hass.states.async_entity_ids()]
    assert len(entities) == 2 + 3 * 6 + 2 * 2
    wanted = set(re.findall(r'\bkey="(\w+)"|_count\("(\w+)"', sources()))
    for key in {first or second for first, second in wanted}:
        assert any(name.endswith(f".{key}.name") and text for name, text in names.items()), key


async def test_the_actions_are_described(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    described = (await async_get_all_descriptions(hass))["nvr_bridge"]["withdraw_consent"]
    assert described["fields"].keys() == {"alias", "config_entry_id"}
    words = await async_get_translations(hass, "zh-Hans", "services", {"nvr_bridge"})
    for key in ("name", "fields.alias.name", "fields.config_entry_id.description"):
        assert words[f"component.nvr_bridge.services.withdraw_consent.{key}"]
    icons = await async_get_icons(hass, "services", {"nvr_bridge"})
    assert icons["nvr_bridge"].keys() == {"withdraw_consent"}


def sources() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(INTEGRATION.glob("*.py")))
