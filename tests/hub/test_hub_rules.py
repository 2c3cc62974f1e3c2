"""The rules of hassfest and of HACS that apply to an integration that comes from elsewhere, each by its name.

Written from what the two check, because neither can be run here. What is for the hub's own integrations alone (requirements,
code owners' accounts, generated files) is left out.
"""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import voluptuous as vol
from awesomeversion import AwesomeVersion
from conftest import INTEGRATION
from homeassistant.const import Platform
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import selector
from homeassistant.util.yaml import load_yaml_dict

ROOT = INTEGRATION.parent.parent
DOMAIN = INTEGRATION.name
# Used by everybody without being named as a dependency, besides the platforms.
FREE = {"diagnostics", "frontend", "panel_custom", "repairs", "websocket_api", "zeroconf"} | set(Platform)


@cache
def read(name: str) -> Any:
    path = ROOT / name if name == "hacs.json" else INTEGRATION / name
    return load_yaml_dict(str(path)) if path.suffix == ".yaml" else json.loads(path.read_text(encoding="utf-8"))


def source(name: str) -> str:
    return (INTEGRATION / name).read_text(encoding="utf-8")


# --- hassfest: manifest ----------------------------------------------------------------------------------------------

URL = vol.All(vol.Url(), vol.Match(r"https://(?!www\.home-assistant\.io/)"))  # which are the hub's own
MANIFEST = {
    vol.Required("domain"): DOMAIN,
    vol.Required("name"): str,
    "after_dependencies": [str],
    vol.Required("codeowners"): [vol.Match(r"^@\S+$")],
    "config_flow": True,
    "dependencies": [str],
    vol.Required("documentation"): URL,
    vol.Required("integration_type"): vol.In(["device", "entity", "hardware", "helper", "hub", "service", "system"]),
    vol.Required("iot_class"): vol.In(
        ["assumed_state", "calculated", "cloud_polling", "cloud_push", "local_polling", "local_push"]
    ),
    "issue_tracker": URL,
    "loggers": [str],
    "requirements": [str],
    vol.Required("version"): vol.Coerce(AwesomeVersion),
    "zeroconf": [vol.Match(r"^_[a-z0-9-]+\._(tcp|udp)\.local\.$")],
}


def manifest_has_only_what_it_may() -> None:
    vol.Schema(MANIFEST)(read("manifest.json"))
    assert AwesomeVersion(read("manifest.json")["version"]).strategy != "unknown"


def manifest_is_sorted() -> None:
    keys = list(read("manifest.json"))
    assert keys == ["domain", "name", *sorted(keys[2:])]


def no_integration_of_the_hub_has_the_name() -> None:
    import homeassistant.components  # noqa: PLC0415 - only to see where they are

    assert not any((INTEGRATION.__class__(path) / DOMAIN).exists() for path in homeassistant.components.__path__)


def components_that_are_used_are_dependencies() -> None:
    manifest = read("manifest.json")
    named = {*manifest["dependencies"], *manifest["after_dependencies"], DOMAIN}
    used = {name.split(".")[2] for name in imported() if name.startswith("homeassistant.components.")}
    assert used - named - FREE == set()


def imported() -> Iterator[str]:
    for path in INTEGRATION.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and not node.level:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)


# --- hassfest: translations -------------------------------------------------------------------------------------------

NAMED = re.compile(r"^(?!.+[_-]{2})(?![_-])[a-z0-9-_]+(?<![_-])$")
ADDRESS = re.compile(r"((ftp|https?|mqtts?|wss?)://|www\.)\S+", re.IGNORECASE)


def text(placeholders: bool = True) -> Callable[[Any], str]:
    """A text that may be shown: no markup, address or stray space, and no placeholder in quotes or where none is filled."""

    def check(value: Any) -> str:
        shown = cv.string_with_no_html(value)
        names = [name for _, name, _, _ in string.Formatter().parse(shown) if name]
        if shown != shown.strip() or ADDRESS.search(shown) or re.search(r"'{\w+}'", shown):
            raise vol.Invalid(f"not a text: {shown}")
        if not all(name.isidentifier() for name in names) or (names and not placeholders):
            raise vol.Invalid(f"placeholders: {names}")
        return shown

    return check


def by_key(value: Any) -> vol.Schema:
    return vol.Schema({vol.Match(NAMED): value})


def flow(more: dict[Any, Any] | None = None) -> vol.All:
    texts = {str: text()}
    step = {key: text() for key in ("title", "description", "submit")}
    step |= dict.fromkeys(("data", "data_description", "menu_options", "menu_option_descriptions"), texts)
    schema = vol.Schema(
        {
            "flow_title": text(),
            vol.Required("step"): {str: step},
            "error": texts,
            "abort": texts,
            "progress": texts,
            "create_entry": texts,
            **(more or {}),
        }
    )
    return vol.All(schema, described)


def described(value: dict[str, Any]) -> dict[str, Any]:
    for name, step in value["step"].items():
        if unknown := step.get("data_description", {}).keys() - step.get("data", {}).keys():
            raise vol.Invalid(f"{name}: describes {unknown}, which it does not ask for")
    return value


PART: dict[Any, Any] = {
    vol.Required("entry_type"): text(),
    vol.Required("initiate_flow"): {vol.Required("user"): text(), str: text()},
}
FIELDS = by_key({vol.Required("name"): text(), vol.Required("description"): text()})
SHOWN = {"name": text(), "state": by_key(text(placeholders=False)), "unit_of_measurement": text(placeholders=False)}
STRINGS = vol.Schema(
    {
        "title": text(),
        "config": flow(),
        "config_subentries": by_key(flow(PART)),
        "options": flow(),
        "device": by_key({"name": text()}),
        "entity": by_key(
            by_key({**SHOWN, "state_attributes": by_key({"name": text(False), "state": by_key(text(False))})})
        ),
        "exceptions": by_key({vol.Required("message"): text()}),
        "issues": by_key({vol.Required("title"): text(), vol.Required("description"): text()}),
        "selector": by_key({"options": by_key(text())}),
        "services": by_key({vol.Required("name"): text(), vol.Required("description"): text(), "fields": FIELDS}),
    }
)


def translations_have_only_what_they_may() -> None:
    for path in (INTEGRATION / "strings.json", *(INTEGRATION / "translations").glob("*.json")):
        STRINGS(json.loads(path.read_text(encoding="utf-8")))


def translations_are_json_without_a_double() -> None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), [key for key, _ in pairs]
        return dict(pairs)

    for path in INTEGRATION.rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=once)


# --- hassfest: services, icons, flows ----------------------------------------------------------------------------------

SERVICE = vol.Schema(
    {
        "fields": {
            cv.slug: {"required": bool, "example": object, "default": object, "selector": selector.validate_selector}
        }
    }
)


def services_fit_their_texts() -> None:
    words = read("translations/en.json")
    assert read("services.yaml").keys() == words["services"].keys()
    for name, service in read("services.yaml").items():
        SERVICE(service)
        assert service["fields"].keys() == words["services"][name]["fields"].keys()
        for field in service["fields"].values():
            assert None not in field.values()
            if "translation_key" in (select := field["selector"].get("select") or {}):
                assert select["options"] == list(words["selector"][select["translation_key"]]["options"])


def every_service_has_an_icon() -> None:
    assert read("icons.json")["services"].keys() == read("services.yaml").keys()


def icons_are_of_the_hubs_set() -> None:
    icon = vol.Match(r"^mdi:[a-z0-9-]+$")
    state = by_key(icon)
    shown = {"default": icon, "state": state, "state_attributes": by_key({"default": icon, "state": state})}
    schema = {"entity": by_key(by_key(shown)), "services": by_key({vol.Required("service"): icon})}
    vol.Schema(schema)(read("icons.json"))


def what_has_an_icon_exists() -> None:
    named = read("translations/en.json")["entity"]
    for platform, icons in read("icons.json")["entity"].items():
        assert icons.keys() <= named[platform].keys()
        assert platform in set(Platform)


def a_discoverable_flow_sets_a_unique_id() -> None:
    assert "self.async_set_unique_id(" in source("config_flow.py")


def set_up_from_entries_alone_is_said() -> None:
    assert "async def async_setup(" in source("__init__.py")
    assert re.search(r"^CONFIG_SCHEMA = cv\.config_entry_only_config_schema\(DOMAIN\)$", source("__init__.py"), re.M)


# --- HACS -------------------------------------------------------------------------------------------------------------

HACS = {
    vol.Required("name"): str,
    "content_in_root": bool,
    "country": vol.Any(str, [str]),
    "filename": str,
    "hacs": vol.Coerce(AwesomeVersion),
    "hide_default_branch": bool,
    "homeassistant": vol.Coerce(AwesomeVersion),
    "persistent_directory": str,
    "render_readme": bool,
    "zip_release": bool,
}


def hacs_json_has_only_what_it_may() -> None:
    vol.Schema(HACS)(read("hacs.json"))


def hacs_finds_its_keys_in_the_manifest() -> None:
    wanted = {"domain", "name", "codeowners", "documentation", "issue_tracker", "version"}
    assert wanted <= read("manifest.json").keys()
    for key in ("documentation", "issue_tracker"):
        cv.url(read("manifest.json")[key])


def there_is_one_integration() -> None:
    folders = [path for path in INTEGRATION.parent.iterdir() if path.is_dir() and (path / "manifest.json").exists()]
    assert folders == [INTEGRATION]


def all_that_it_needs_is_in_its_folder() -> None:
    assert not any(path.is_symlink() for path in INTEGRATION.rglob("*"))
    assert not any(name.split(".")[0] in {"nvr_bridge", "custom_components"} for name in imported())


def it_has_a_brand() -> None:
    assert (INTEGRATION / "brand" / "icon.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def there_is_something_to_read() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8")) > 1000
    assert (ROOT / "LICENSE").exists()


RULES: dict[str, list[Callable[[], None]]] = {
    "hassfest config_flow": [a_discoverable_flow_sets_a_unique_id],
    "hassfest config_schema": [set_up_from_entries_alone_is_said],
    "hassfest dependencies": [components_that_are_used_are_dependencies],
    "hassfest icons": [icons_are_of_the_hubs_set, what_has_an_icon_exists],
    "hassfest json": [translations_are_json_without_a_double],
    "hassfest manifest": [
        manifest_has_only_what_it_may,
        manifest_is_sorted,
        no_integration_of_the_hub_has_the_name,
    ],
    "hassfest services": [services_fit_their_texts, every_service_has_an_icon],
    "hassfest translations": [translations_have_only_what_they_may],
    "HACS brands": [it_has_a_brand],
    "HACS hacsjson": [hacs_json_has_only_what_it_may],
    "HACS information": [there_is_something_to_read],
    "HACS integration_manifest": [hacs_finds_its_keys_in_the_manifest],
    "HACS structure": [there_is_one_integration, all_that_it_needs_is_in_its_folder],
}
CHECKS = [(f"{rule}: {check.__name__}", check) for rule, checks in RULES.items() for check in checks]


@pytest.mark.parametrize(("rule", "check"), CHECKS, ids=[name for name, _ in CHECKS])
def test_the_rule_holds(rule: str, check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize(
    "wrong",
    [
        {"config": {"step": {"user": {"data_description": {"host": "A name."}}}}},
        {"exceptions": {"refused": {"message": "See https://example.com"}}},
        {"exceptions": {"refused": {"message": "Not <b>so</b>"}}},
        {"exceptions": {"refused": {"message": "Not '{so}'"}}},
        {"exceptions": {"refused": {"message": " no"}}},
        {"exceptions": {"_refused": {"message": "no"}}},
        {"entity": {"sensor": {"count": {"state": {"on": "{count} on"}}}}},
        {"services": {"purge": {"name": "Purge"}}},
        {"titles": {}},
    ],
)
def test_a_text_that_breaks_a_rule_is_found(wrong: dict[str, Any]) -> None:
    with pytest.raises(vol.Invalid):
        STRINGS(wrong)
