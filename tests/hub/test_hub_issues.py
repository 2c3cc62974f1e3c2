"""What the engine says that a person has to do is a repair issue, until the engine says so no more."""

from __future__ import annotations

import json

import pytest
from conftest import INTEGRATION, is_shown, until
from fake_controls import because, problem
from fake_engine import FakeEngine
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nvr_bridge.const import PROBLEMS
from nvr_bridge.consent.interlock import Reason
from nvr_bridge.problems import MEANT, WAITING, EngineProblem


def issues(hass: HomeAssistant, thing: str) -> list[ir.IssueEntry]:
    """Those of a thing: `zone_lane`, `engine`, …"""
    return [it for (_, issue_id), it in ir.async_get(hass).issues.items() if issue_id.startswith(f"{thing}_")]


def issue(hass: HomeAssistant, zone: str) -> ir.IssueEntry | None:
    """The one of a zone, which has one at most."""
    found = issues(hass, f"zone_{zone}")
    assert len(found) <= 1
    return found[0] if found else None


def in_words(raised: ir.IssueEntry) -> dict[str, list[str]]:
    """What is shown in each language, with nothing left out."""
    shown = {}
    for language in ("en", "zh-Hans"):
        words = json.loads((INTEGRATION / "translations" / f"{language}.json").read_text(encoding="utf-8"))
        texts = words["issues"][raised.translation_key].values()
        shown[language] = [text.format(**raised.translation_placeholders or {}) for text in texts]
    return shown


async def test_a_zone_without_a_sign_asks_for_one(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    await until(lambda: issue(hass, "lane"))
    raised = issue(hass, "lane")
    assert raised
    assert raised.translation_key == "sign_unknown"
    assert raised.severity is ir.IssueSeverity.WARNING
    said = {"problem": "sign_unknown", "reasons": "sign_unknown"}
    assert raised.translation_placeholders == {"name": "Lane", "engine": "Riverside", **said}
    assert issue(hass, "entrance") is None


async def test_an_issue_clears_itself(hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry) -> None:
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "on"))
    assert issue(hass, "lane") is None
    hass.states.async_set("switch.sign", "off")
    await until(lambda: issue(hass, "lane"))
    raised = issue(hass, "lane")
    assert raised
    assert raised.translation_key == "sign_off"
    hass.states.async_set("switch.sign", "on")
    await until(lambda: issue(hass, "lane") is None)


async def test_every_start_with_the_sign_on_is_quiet(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry
) -> None:
    raised: list[str] = []
    hass.bus.async_listen("repairs_issue_registry_updated", lambda event: raised.append(event.data["issue_id"]))
    await hass.config_entries.async_reload(bound.entry_id)
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "on"))
    assert [name for name in raised if name.startswith("zone_lane")] == []


async def test_a_sign_whose_report_is_on_its_way_is_not_out_of_order(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry
) -> None:
    await engine.zone_is("desk", **because("sign_off"))
    await engine.zone_is("lane", **because("sign_unknown"))
    await engine.zone_is("desk", **because("sign_unknown"))  # told after it, so all were heard
    await until(lambda: (raised := issue(hass, "desk")) and raised.translation_key == "sign_unknown")
    assert issue(hass, "lane") is None


REASONS = sorted(set(Reason) - MEANT)


@pytest.mark.parametrize("reason", REASONS)
async def test_each_reason_has_words(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, reason: str
) -> None:
    await until(lambda: issue(hass, "desk"))
    await engine.zone_is("desk", **because(reason, "another"))
    await until(lambda: "another" in str(issue(hass, "desk")))
    raised = issue(hass, "desk")
    assert raised
    assert raised.translation_key == reason
    for title, text in in_words(raised).values():
        assert "Desk" in title
        assert f"{reason}, another" in text
    await engine.zone_is("desk", **because())
    await until(lambda: issue(hass, "desk") is None)


@pytest.mark.parametrize(
    ("about", "key", "names"),
    [
        ("engine", "erasures_overdue", {"number": "2"}),
        ("engine", "clock_doubted", {}),
        ("engine", "many_subjects", {"number": "1001", "level": "1000"}),
        ("engine", "assessment_expires", {"date": "2026-12-21"}),
        ("camera_north", "needs_credentials", {}),
        ("camera_north", "no_video", {}),
    ],
)
async def test_what_else_a_person_has_to_do(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, about: str, key: str, names: dict[str, str]
) -> None:
    async def has(*problems: object) -> None:
        changes = {"problems": list(problems)}
        await (engine.engine_is(**changes) if about == "engine" else engine.camera_is("north", **changes))

    await until(lambda: issue(hass, "lane"))
    assert issues(hass, about) == []
    await has(problem(key, **names))
    await until(lambda: issues(hass, about))
    (raised,) = issues(hass, about)
    assert raised.translation_key == key
    for shown in in_words(raised).values():
        assert all(name in " ".join(shown) for name in ("North" if about == "camera_north" else "", *names.values()))
    await has()
    await until(lambda: not issues(hass, about))


async def test_the_text_follows_what_it_names(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await engine.engine_is(problems=[problem("erasures_overdue", number="2"), problem("clock_doubted")])
    await until(lambda: len(issues(hass, "engine")) == 2)
    await engine.engine_is(problems=[problem("erasures_overdue", number="3")])
    await until(lambda: len(issues(hass, "engine")) == 1)
    (raised,) = issues(hass, "engine")
    assert (raised.translation_placeholders or {})["number"] == "3"


async def test_what_only_a_newer_engine_knows_is_told_by_its_word(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await engine.zone_is("desk", problems=[problem("roof_leaks", number="3")])
    await until(lambda: (raised := issue(hass, "desk")) and raised.translation_key == "problem")
    raised = issue(hass, "desk")
    assert raised
    for title, text in in_words(raised).values():
        assert "Desk" in title
        assert "`roof_leaks`" in text


def test_every_problem_of_this_engine_has_a_text_of_its_own() -> None:
    own = {"engine_too_old", "engine_too_new", "unreachable", "problem"}
    words = json.loads((INTEGRATION / "strings.json").read_text(encoding="utf-8"))["issues"]
    assert words.keys() - own == PROBLEMS == {*EngineProblem, *REASONS, *WAITING}


@pytest.mark.warns("connection lost")
async def test_an_engine_that_does_not_answer_is_until_it_does(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    key = ("nvr_bridge", f"unreachable_{loaded.entry_id}")
    await engine.stop()
    await until(lambda: ir.async_get(hass).async_get_issue(*key))
    raised = ir.async_get(hass).async_get_issue(*key)
    assert raised
    assert raised.translation_key == "unreachable"
    await engine.start()
    await until(lambda: ir.async_get(hass).async_get_issue(*key) is None)


@pytest.mark.warns("connection lost")
async def test_the_issue_of_a_zone_goes_with_it(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await until(lambda: issue(hass, "lane"))
    del engine.zones["lane"]
    await engine.drop()  # as an engine whose settings were edited
    await until(lambda: issue(hass, "lane") is None)
    assert hass.states.get("event.lane_visit") is None


async def test_unloading_takes_the_issues_along(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    await until(lambda: issue(hass, "lane"))
    await hass.config_entries.async_unload(loaded.entry_id)
    assert issue(hass, "lane") is None


@pytest.mark.warns("not ready yet")
async def test_an_entry_that_is_disabled_while_it_retries_has_no_issue(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    engine.hello |= {"schema": 2, "oldest_schema": 2}
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    (raised,) = issues(hass, "versions")
    assert raised.translation_key == "engine_too_new"
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert issues(hass, "versions") == []
    engine.hello |= {"schema": 1, "oldest_schema": 1}
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    assert entry.state is ConfigEntryState.LOADED
    assert issues(hass, "versions") == []
    await hass.config_entries.async_unload(entry.entry_id)
