"""What the actions and the to-do list ask is what the engine itself takes, from a hub."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import until
from fake_engine import FakeEngine, case
from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant, SupportsResponse
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nvr_bridge.actions import ACTIONS
from nvr_bridge.arguments import validate
from nvr_bridge.protocol import ALLOWED, Command, Role

GIVEN: dict[str, dict[str, Any]] = {
    "check_in": {"zone": "desk", "code": "ABCD-EFGH-JKMN-PQRS"},
    "withdraw_consent": {"alias": "amber otter 42"},
    "list_cases": {"date": "2026-03-02", "needs_review": True},
    "confirm_case": {"case": "K7QF-2M9D", "version": "1f0c9a2b"},
    "change_case": {
        "case": "K7QF-2M9D",
        "attribution": "channel",
        "partner": "acme",
        "reason": "evidence_reviewed",
        "version": "1f0c9a2b",
    },
    "send_back_case": {"case": "K7QF-2M9D", "reason": "other"},
    "second_case": {"case": "K7QF-2M9D", "agree": True, "version": "1f0c9a2b"},
    "daily_report": {"date": "2026-03-02"},
    "set_retention": dict.fromkeys(("templates", "sightings", "visits", "referrals", "images", "events"), 90),
    "purge": {},
    "disarm": {"zone": "desk"},
    "rearm": {"zone": "desk"},
}


def taken(engine: FakeEngine, since: int) -> list[str]:
    """The commands that were given since then, each checked as the engine checks it."""
    given = [message for message in engine.asked[since:] if message["type"] != "zone/sign"]
    for message in given:
        command = Command(message["type"])
        assert Role.HUB in ALLOWED[command]
        validate(command, {key: value for key, value in message.items() if key not in ("id", "type")})
    return [message["type"] for message in given]


@pytest.mark.parametrize("somebody", [True, False])
@pytest.mark.parametrize("name", ACTIONS)
async def test_the_engine_takes_what_an_action_asks(
    hass: HomeAssistant,
    engine: FakeEngine,
    loaded: MockConfigEntry,
    hass_admin_user: User,
    name: str,
    somebody: bool,
) -> None:
    engine.cases = {"K7QF-2M9D": case("K7QF-2M9D")}
    await until(lambda: engine.of("case/list"))  # the to-do list's own
    since = len(engine.asked)
    assert set(GIVEN[name]) == {str(key) for key in ACTIONS[name].fields} - {"config_entry_id"}
    await hass.services.async_call(
        "nvr_bridge",
        name,
        GIVEN[name],
        blocking=True,
        context=Context(user_id=hass_admin_user.id) if somebody else None,
        return_response=hass.services.supports_response("nvr_bridge", name) is not SupportsResponse.NONE,
    )
    assert set(taken(engine, since)) == {ACTIONS[name].command}


async def test_the_engine_takes_what_the_list_asks(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, hass_admin_user: User
) -> None:
    engine.cases = {"K7QF-2M9D": case("K7QF-2M9D", needs_review=True)}
    await engine.judges()
    await until(lambda: hass.states.get("todo.riverside_cases_to_review").state == "1")
    items = await hass.services.async_call(
        "todo", "get_items", {"entity_id": "todo.riverside_cases_to_review"}, blocking=True, return_response=True
    )
    [item] = items["todo.riverside_cases_to_review"]["items"]
    checked = {"entity_id": "todo.riverside_cases_to_review", "item": item["uid"], "status": "completed"}
    await hass.services.async_call(
        "todo", "update_item", checked, blocking=True, context=Context(user_id=hass_admin_user.id)
    )
    assert {"case/list", "case/confirm"} <= set(taken(engine, 2))
