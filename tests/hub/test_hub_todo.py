"""The list of cases to review: it follows the engine, names nobody, and confirms what it showed, or nothing."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from conftest import find, load, until
from fake_engine import FakeEngine, case
from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nvr_bridge.todo import PAUSE

CODE, OTHER = "K7QF-2M9D", "R2D4-XW7A"
AT = "2026-03-02 09:00"  # as the hub's clock shows it


@pytest.fixture(autouse=True)
async def cases(hass: HomeAssistant, engine: FakeEngine) -> None:
    """Two that wait for somebody, and one that does not."""
    await hass.config.async_set_time_zone("Asia/Shanghai")
    late = {"attribution": "channel", "partner": "acme", "rule": "late_referral", "risks": ["late_referral"]}
    engine.cases = {
        CODE: case(CODE, **late, needs_review=True),
        OTHER: case(OTHER, attribution="undetermined", rule="undetermined", needs_review=True),
        "QUIE-TDAY": case("QUIE-TDAY"),
    }
    engine.engine["cases_waiting"] = 2


def shown(hass: HomeAssistant) -> Any:
    return find(hass, "todo", "cases_to_review")


async def items(hass: HomeAssistant, entity_id: str = "todo.riverside_cases_to_review") -> list[dict[str, Any]]:
    target = {"entity_id": entity_id}
    answer = await hass.services.async_call("todo", "get_items", target, blocking=True, return_response=True)
    assert answer
    listed: list[dict[str, Any]] = answer[entity_id]["items"]  # type: ignore[assignment]
    return listed


async def check(hass: HomeAssistant, item: str, context: Context | None = None, **data: Any) -> None:
    data = {"entity_id": "todo.riverside_cases_to_review", "item": item, "status": "completed", **data}
    await hass.services.async_call("todo", "update_item", data, blocking=True, context=context)


async def listed(hass: HomeAssistant, count: int) -> list[dict[str, Any]]:
    await until(lambda: shown(hass).state == str(count))
    return await items(hass)


async def test_an_item_says_which_case_where_when_and_what(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    first, second = await listed(hass, 2)
    assert first["summary"] == f"{CODE} · Desk · {AT} · Channel partner · acme · Late referral"
    assert first["description"] == "Late referral"
    assert first["status"] == "needs_action"
    assert second["summary"] == f"{OTHER} · Desk · {AT} · Undetermined · Undetermined"
    assert "otter" not in str([first, second, shown(hass).attributes])


async def test_it_speaks_the_hubs_language(hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry) -> None:
    hass.config.language = "zh-Hans"
    await load(hass, entry)
    await until(lambda: find(hass, "todo", "cases_to_review").state == "2")
    [first, _] = await items(hass, shown(hass).entity_id)
    assert first["summary"] == f"{CODE} · Desk · {AT} · 渠道带访 · acme · 报备过晚"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_what_a_newer_engine_calls_otherwise_is_shown_as_it_is_called(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await listed(hass, 2)
    engine.cases = {CODE: case(CODE, zone="roof", rule="by_lot", risks=["fog"], needs_review=True)}
    await engine.judges()
    [only] = await listed(hass, 1)
    assert only["summary"] == f"{CODE} · roof · {AT} · Natural · by_lot"
    assert only["description"] == "fog"


async def test_checking_confirms_the_verdict_that_was_shown(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, hass_admin_user: User
) -> None:
    [first, _] = await listed(hass, 2)
    engine.cases[CODE]["needs_review"] = False
    await check(hass, first["uid"], Context(user_id=hass_admin_user.id))
    said = {"case": CODE, "seen": "1f0c9a2b", "by": hass_admin_user.id}
    assert engine.of("case/confirm") == [{"type": "case/confirm", **said}]
    [left] = await listed(hass, 1)  # without anything that the engine tells
    assert left["uid"] != first["uid"]


async def test_an_automation_checks_for_nobody(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    [first, _] = await listed(hass, 2)
    await check(hass, first["summary"])
    assert "by" not in engine.of("case/confirm")[0]


async def test_nobody_but_an_administrator_may(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, hass_owner_user: User
) -> None:
    [first, _] = await listed(hass, 2)
    user = await hass.auth.async_create_user("Guard", group_ids=["system-users"])
    with pytest.raises(Unauthorized):
        await check(hass, first["uid"], Context(user_id=user.id))
    assert engine.of("case/confirm") == []


async def test_what_is_undetermined_cannot_be_confirmed(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    [_, second] = await listed(hass, 2)
    with pytest.raises(ServiceValidationError) as caught:
        await check(hass, second["uid"])
    assert caught.value.translation_key == "nothing_to_confirm"
    assert engine.of("case/confirm") == []


async def test_what_nothing_is_left_of_cannot_be_confirmed(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await listed(hass, 2)
    lost = {"attribution": None, "rule": None, "version": None, "evidence_erased": True}
    engine.cases = {CODE: case(CODE, **lost, needs_review=True, state="appealed")}
    await engine.judges()
    [only] = await listed(hass, 1)
    assert only["summary"] == f"{CODE} · Desk · {AT}"
    with pytest.raises(ServiceValidationError) as caught:
        await check(hass, only["uid"])
    assert caught.value.translation_key == "nothing_to_confirm"


async def test_what_changed_meanwhile_is_refused_and_shown_anew(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    [first, _] = await listed(hass, 2)
    engine.refuse["case/confirm"] = ("conflict", "seen: the verdict changed meanwhile and is natural now")
    engine.cases[CODE] |= {"version": "2222bbbb", "attribution": "natural", "partner": None, "rule": "natural"}
    with pytest.raises(ServiceValidationError) as caught:
        await check(hass, first["uid"])
    assert caught.value.translation_key == "seen_conflict"
    async with asyncio.timeout(10):
        while (now := (await items(hass))[0])["uid"] == first["uid"]:  # noqa: ASYNC110 - items set no event of ours
            await asyncio.sleep(0.005)
    assert now["summary"] == f"{CODE} · Desk · {AT} · Natural · Natural"
    with pytest.raises(ServiceValidationError):  # what is not shown any more is no item of the list
        await check(hass, first["uid"])


@pytest.mark.parametrize("change", [{"status": "needs_action"}, {"status": "needs_action", "rename": "Done"}])
async def test_an_item_can_only_be_checked(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, change: dict[str, str]
) -> None:
    [first, _] = await listed(hass, 2)
    with pytest.raises(ServiceValidationError) as caught:
        await check(hass, first["uid"], **change)
    assert caught.value.translation_key == "only_confirm"
    assert engine.of("case/confirm") == []


async def test_it_follows_what_happens_without_asking_each_time(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await listed(hass, 2)
    asked, began = len(engine.of("case/list")), time.monotonic()
    engine.cases[OTHER] |= {"needs_review": False}
    for _ in range(200):
        await engine.judges()
    await until(lambda: shown(hass).state == "1")
    await until(lambda: loaded.runtime_data.memory.sequence == 200)
    looks = len(engine.of("case/list")) - asked
    assert 1 <= looks <= 2 + (time.monotonic() - began) / PAUSE


async def test_it_does_not_ask_because_the_engine_counts_something_else(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await listed(hass, 2)
    asked = len(engine.of("case/list"))
    await engine.engine_is(subjects=7)
    await engine.engine_is(subjects=8)
    for kind in ("person_approaching", "first_visit", "visit_ended"):
        await engine.happens(kind)
    await until(lambda: loaded.runtime_data.things["engine"].state["subjects"] == 8)
    await asyncio.sleep(0.05)
    assert len(engine.of("case/list")) == asked
    engine.cases = {}
    await engine.engine_is(cases_waiting=0)  # as at midnight
    await listed(hass, 0)


@pytest.mark.warns("connection lost")
async def test_it_is_there_again_when_the_engine_is(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await listed(hass, 2)
    await engine.stop()
    await until(lambda: shown(hass).state == "unavailable")
    del engine.cases[OTHER]
    await engine.start()
    await listed(hass, 1)


async def test_nobody_knows_what_the_engine_does_not_tell(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await listed(hass, 2)
    engine.refuse["case/list"] = ("retry", "the store is locked")
    await engine.judges()
    await until(lambda: shown(hass).state == "unknown")
    del engine.refuse["case/list"]
    await engine.judges()
    await listed(hass, 2)


async def test_a_case_that_cannot_be_understood_ends_nothing(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await listed(hass, 2)
    started_at = engine.cases[CODE].pop("started_at")
    await engine.judges()
    await until(lambda: shown(hass).state == "unknown")
    engine.cases[CODE]["started_at"] = started_at
    await engine.judges()
    await listed(hass, 2)


async def test_an_engine_without_cases_has_no_list(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    del engine.engine["cases_waiting"]
    await load(hass, entry)
    assert hass.states.async_all("todo") == []
    assert engine.of("case/list") == []
    await hass.config_entries.async_unload(entry.entry_id)
