"""A zone that should recognise and does not is a repair issue, until it does."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from conftest import INTEGRATION, is_shown, until
from fake_engine import FakeEngine
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry


def issue(hass: HomeAssistant, entry: MockConfigEntry, zone: str) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue("nvr_bridge", f"interlock_{zone}_{entry.entry_id}")


async def test_a_zone_without_a_sign_asks_for_one(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    await until(lambda: issue(hass, loaded, "lane"))
    raised = issue(hass, loaded, "lane")
    assert raised
    assert raised.translation_key == "interlock_sign_unbound"
    assert raised.severity is ir.IssueSeverity.WARNING
    assert raised.translation_placeholders == {"zone": "Lane", "engine": "Riverside", "reasons": "sign_unknown"}
    assert issue(hass, loaded, "entrance") is None


async def test_an_issue_clears_itself(hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry) -> None:
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "on"))
    assert issue(hass, bound, "lane") is None
    hass.states.async_set("switch.sign", "off")
    await until(lambda: issue(hass, bound, "lane"))
    raised = issue(hass, bound, "lane")
    assert raised
    assert raised.translation_key == "interlock_sign_off"
    hass.states.async_set("switch.sign", "on")
    await until(lambda: issue(hass, bound, "lane") is None)


async def test_every_start_with_the_sign_on_is_quiet(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry
) -> None:
    raised: list[str] = []
    hass.bus.async_listen("repairs_issue_registry_updated", lambda event: raised.append(event.data["issue_id"]))
    await hass.config_entries.async_reload(bound.entry_id)
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "on"))
    assert [name for name in raised if name.startswith("interlock_lane")] == []


REASONS = [
    "assessment_missing",
    "assessment_expired",
    "sign_silent",
    "sign_off",
    "notice_changed",
    "settings_edited",
    "a_reason_of_a_newer_engine",
]


@pytest.mark.parametrize("reason", REASONS)
async def test_each_reason_has_words(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry, reason: str
) -> None:
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "on"))
    await engine.zone_is("desk", reasons=[reason, "sign_unknown"])
    await until(lambda: (raised := issue(hass, bound, "desk")) and raised.translation_key != "interlock_sign_unbound")
    raised = issue(hass, bound, "desk")
    assert raised
    assert raised.translation_key == ("interlock_other" if reason not in REASONS[:-1] else f"interlock_{reason}")
    for language in ("en", "zh-Hans"):
        words = json.loads((INTEGRATION / "translations" / f"{language}.json").read_text(encoding="utf-8"))
        text = words["issues"][raised.translation_key]
        assert all("{" not in part.format(**raised.translation_placeholders or {}) for part in text.values())


async def test_a_profile_that_allows_none_is_not_out_of_order(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await until(lambda: issue(hass, loaded, "desk"))
    await engine.zone_is("desk", reasons=["policy"], needs_sign=False)
    await until(lambda: issue(hass, loaded, "desk") is None)


async def test_a_bound_sign_where_the_profile_allows_none_any_more_is(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry
) -> None:
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "on"))
    await engine.zone_is("lane", armed=False, reasons=["policy"], needs_sign=False)
    await until(lambda: (raised := issue(hass, bound, "lane")) and raised.translation_key == "interlock_policy")
    await engine.zone_is("lane", armed=True, reasons=[], needs_sign=True)
    await until(lambda: issue(hass, bound, "lane") is None)


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


async def test_what_was_disarmed_by_hand_is_not_out_of_order(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await until(lambda: issue(hass, loaded, "desk"))
    await engine.zone_is("desk", reasons=["assessment_missing", "disarmed"], recognition=False)
    await until(lambda: issue(hass, loaded, "desk") is None)
    await engine.zone_is("desk", reasons=["assessment_missing"], recognition=True)
    await until(lambda: issue(hass, loaded, "desk"))


def in_days(days: float) -> str:
    return (dt_util.utcnow() + timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("erasures_overdue", {"erasures_overdue": 2}, {"erasures_overdue": 0}),
        ("clock_doubted", {"clock_doubted": True}, {"clock_doubted": False}),
        ("many_subjects", {"subjects_warning": 0.5}, {"subjects_warning": None}),
        ("assessment_expires", {"assessment_expires_at": in_days(29)}, {"assessment_expires_at": in_days(31)}),
        ("assessment_expires", {"assessment_expires_at": in_days(29)}, {"assessment_expires_at": in_days(-1)}),
    ],
)
async def test_what_whoever_answers_for_the_data_has_to_do(
    hass: HomeAssistant,
    engine: FakeEngine,
    loaded: MockConfigEntry,
    name: str,
    wrong: dict[str, object],
    right: dict[str, object],
) -> None:
    issues, key = ir.async_get(hass), ("nvr_bridge", f"{name}_{loaded.entry_id}")
    assert issues.async_get_issue(*key) is None
    await engine.engine_is(watch={**engine.engine["watch"], **wrong})
    await until(lambda: issues.async_get_issue(*key))
    raised = issues.async_get_issue(*key)
    assert raised
    assert raised.translation_key == name
    words = json.loads((INTEGRATION / "translations" / "zh-Hans.json").read_text(encoding="utf-8"))["issues"][name]
    assert all("{" not in text.format(**raised.translation_placeholders or {}) for text in words.values())
    await engine.engine_is(watch={**engine.engine["watch"], **right})
    await until(lambda: issues.async_get_issue(*key) is None)


async def test_the_issue_of_a_zone_goes_with_it(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await until(lambda: issue(hass, loaded, "lane"))
    del engine.zones["lane"]
    await engine.push({"type": "state", "removed_zone": "lane"})
    await until(lambda: issue(hass, loaded, "lane") is None)
    assert hass.states.get("event.lane_visit") is None


async def test_unloading_takes_the_issues_along(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    await until(lambda: issue(hass, loaded, "lane"))
    await hass.config_entries.async_unload(loaded.entry_id)
    assert issue(hass, loaded, "lane") is None
