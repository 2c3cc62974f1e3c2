"""The evening's cases as actions: listed, confirmed and changed by people whom the engine can tell apart."""

from __future__ import annotations

from typing import Any

import pytest
import voluptuous as vol
from conftest import until
from fake_engine import FakeEngine, case
from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from pytest_homeassistant_custom_component.common import MockConfigEntry

CONFIRM = {"case": "K7QF-2M9D", "version": "1f0c9a2b"}
SEND_BACK = {"case": "K7QF-2M9D", "reason": "other"}
CHANGE = {"case": "K7QF-2M9D", "attribution": "channel", "partner": "acme", "reason": "evidence_reviewed"}


@pytest.fixture(autouse=True)
def cases(engine: FakeEngine) -> None:
    """Two of today's."""
    engine.cases = {
        "K7QF-2M9D": case("K7QF-2M9D"),
        "R2D4-XW7A": case("R2D4-XW7A", alias=None, risks=["late_referral"], rule="late_referral", needs_review=True),
    }


async def run(hass: HomeAssistant, action: str, context: Context | None = None, **data: Any) -> Any:
    return await hass.services.async_call(
        "nvr_bridge", action, data, blocking=True, context=context, return_response=True
    )


async def test_cases_are_listed_by_alias_and_case(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    listed = await run(hass, "list_cases")
    assert engine.of("case/list")[-1] == {"type": "case/list"}
    assert [(row["case"], row["alias"]) for row in listed["cases"]] == [
        ("K7QF-2M9D", "amber otter 42"),
        ("R2D4-XW7A", None),
    ]
    assert listed["cases"][1] == {
        "case": "R2D4-XW7A",
        "state": "proposed",
        "version": "1f0c9a2b",
        "alias": None,
        "zone": "desk",
        "started_at": "2026-03-02T01:00:00.000Z",
        "ended_at": None,
        "earlier": 0,
        "returning": False,
        "attribution": "natural",
        "partner": None,
        "rule": "late_referral",
        "risks": ["late_referral"],
        "needs_review": True,
        "evidence_erased": False,
    }


async def test_cases_of_a_day_that_wait_for_somebody(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    listed = await run(hass, "list_cases", date="2026-03-02", needs_review=True)
    assert engine.of("case/list")[-1] == {"type": "case/list", "day": "2026-03-02", "needs_review": True}
    assert [row["case"] for row in listed["cases"]] == ["R2D4-XW7A"]


async def test_a_list_is_for_those_who_read_it(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    with pytest.raises(ServiceValidationError):
        await hass.services.async_call("nvr_bridge", "list_cases", {}, blocking=True)


async def test_an_administrator_confirms_what_they_saw(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, hass_admin_user: User
) -> None:
    confirmed = await run(hass, "confirm_case", Context(user_id=hass_admin_user.id), **CONFIRM)
    said = {"case": "K7QF-2M9D", "seen": "1f0c9a2b", "by": hass_admin_user.id}
    assert engine.of("case/confirm") == [{"type": "case/confirm", **said}]
    assert (confirmed["case"], confirmed["state"]) == ("K7QF-2M9D", "confirmed")


async def test_an_automation_is_nobody(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await run(hass, "confirm_case", **CONFIRM)
    assert "by" not in engine.of("case/confirm")[0]


async def test_a_change_says_why_in_one_of_a_few_words(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, hass_admin_user: User
) -> None:
    changed = await run(hass, "change_case", Context(user_id=hass_admin_user.id), **CHANGE)
    assert engine.of("case/change") == [{"type": "case/change", **CHANGE, "by": hass_admin_user.id}]
    assert (changed["attribution"], changed["partner"], changed["state"]) == ("channel", "acme", "changed")
    await run(hass, "change_case", case="K7QF-2M9D", attribution="staff", reason="other", version="1f0c9a2b")
    assert engine.of("case/change")[1]["seen"] == "1f0c9a2b"


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "Ms Canary of 13800000001 told me so"},
        {"attribution": "broker"},
        {"case": ""},
        {"contact": "13800000001"},
        {"partner": ["acme"]},
    ],
)
async def test_what_is_no_such_field_or_word_goes_nowhere(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, wrong: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await run(hass, "change_case", **{**CHANGE, **wrong})
    assert engine.of("case/change") == []


async def test_a_case_is_sent_back(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, hass_admin_user: User
) -> None:
    sent = await run(hass, "send_back_case", Context(user_id=hass_admin_user.id), **SEND_BACK)
    assert engine.of("case/send_back") == [{"type": "case/send_back", **SEND_BACK, "by": hass_admin_user.id}]
    assert sent["state"] == "sent_back"


@pytest.mark.parametrize(("agree", "state"), [(True, "changed"), (False, "proposed")])
async def test_a_second_person_decides(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, hass_admin_user: User, agree: bool, state: str
) -> None:
    decided = await run(
        hass, "second_case", Context(user_id=hass_admin_user.id), case="K7QF-2M9D", agree=agree, version="1f0c9a2b"
    )
    said = {"case": "K7QF-2M9D", "agree": agree, "seen": "1f0c9a2b", "by": hass_admin_user.id}
    assert engine.of("case/second") == [{"type": "case/second", **said}]
    assert decided["state"] == state


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("list_cases", {}),
        ("confirm_case", CONFIRM),
        ("change_case", CHANGE),
        ("send_back_case", SEND_BACK),
        ("second_case", {"case": "K7QF-2M9D", "agree": True}),
    ],
)
async def test_nobody_else_may(
    hass: HomeAssistant,
    engine: FakeEngine,
    loaded: MockConfigEntry,
    hass_read_only_user: User,
    action: str,
    data: dict[str, Any],
) -> None:
    with pytest.raises(Unauthorized):
        await run(hass, action, Context(user_id=hass_read_only_user.id), **data)
    asked = [it for kind in ("list", "confirm", "change", "send_back", "second") for it in engine.of(f"case/{kind}")]
    assert asked in ([], [{"type": "case/list", "needs_review": True}])  # the to-do list's own


async def test_a_case_that_does_not_exist(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    engine.refuse["case/confirm"] = ("not_found", "case: 'K7QF-2M9D' does not exist")
    with pytest.raises(ServiceValidationError) as caught:
        await run(hass, "confirm_case", **CONFIRM)
    assert caught.value.translation_key == "case_not_found"


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        ("conflict", ServiceValidationError, "seen_conflict"),
        ("invalid", ServiceValidationError, "refused"),
        ("retry", HomeAssistantError, "refused"),
    ],
)
async def test_the_engine_says_why_not(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, code: str, kind: type[Exception], text: str
) -> None:
    engine.refuse["case/change"] = (code, "seen: the verdict changed meanwhile; look at the case again")
    with pytest.raises(kind, match="changed meanwhile") as caught:
        await run(hass, "change_case", **CHANGE)
    assert type(caught.value) is kind
    assert caught.value.translation_key == text


async def test_a_partner_that_does_not_exist(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    engine.refuse["case/change"] = ("not_found", "partner: 'acme' is not registered")
    with pytest.raises(ServiceValidationError) as caught:
        await run(hass, "change_case", **CHANGE)
    assert caught.value.translation_key == "partner_not_found"


@pytest.mark.warns("connection lost")
async def test_an_engine_that_is_away(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await engine.stop()
    await until(lambda: not loaded.runtime_data.connected)
    with pytest.raises(HomeAssistantError) as caught:
        await run(hass, "list_cases")
    assert caught.value.translation_key == "not_connected"
