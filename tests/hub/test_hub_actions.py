"""Withdrawing a consent by alias: administrators and automations may, and nobody is withdrawn by mistake."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import ENGINE_ID, until
from fake_engine import TOKEN, FakeEngine
from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from pytest_homeassistant_custom_component.common import MockConfigEntry


async def withdraw(hass: HomeAssistant, context: Context | None = None, answer: bool = False, **data: Any) -> Any:
    return await hass.services.async_call(
        "nvr_bridge", "withdraw_consent", data, blocking=True, context=context, return_response=answer
    )


async def test_an_automation_may(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    assert await withdraw(hass, alias=" amber otter 42 ") is None
    assert engine.of("consent/withdraw") == [{"type": "consent/withdraw", "alias": "amber otter 42"}]


async def test_it_may_be_asked_for_an_answer(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    assert await withdraw(hass, answer=True, alias="amber otter 42") == {"withdrawn": True}


async def test_an_administrator_may(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, hass_admin_user: User
) -> None:
    await withdraw(hass, Context(user_id=hass_admin_user.id), alias="amber otter 42")
    assert len(engine.of("consent/withdraw")) == 1


async def test_nobody_else_may(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, hass_read_only_user: User
) -> None:
    for user_id in (hass_read_only_user.id, "nobody"):
        with pytest.raises(Unauthorized):
            await withdraw(hass, Context(user_id=user_id), alias="amber otter 42")
    assert engine.of("consent/withdraw") == []


async def test_an_alias_that_nobody_has(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    engine.refuse["consent/withdraw"] = ("not_found", "alias: nobody")
    with pytest.raises(ServiceValidationError) as caught:
        await withdraw(hass, alias="brave heron 10")
    assert caught.value.translation_key == "alias_not_found"


async def test_the_engine_says_why_not(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    engine.refuse["consent/withdraw"] = ("retry", "the store is locked; try again")
    with pytest.raises(HomeAssistantError, match="the store is locked; try again"):
        await withdraw(hass, alias="amber otter 42")


@pytest.mark.warns("connection lost")
async def test_an_engine_that_is_away(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await engine.stop()
    await until(lambda: not loaded.runtime_data.connected)
    with pytest.raises(HomeAssistantError) as caught:
        await withdraw(hass, alias="amber otter 42")
    assert caught.value.translation_key == "not_connected"


@pytest.mark.warns("connection lost")
async def test_an_engine_that_goes_in_the_middle(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    engine.slow = 30
    asked = hass.async_create_task(withdraw(hass, alias="amber otter 42"))
    await until(lambda: engine.of("consent/withdraw"))
    await engine.stop()
    with pytest.raises(HomeAssistantError):
        await asked


async def test_without_an_engine(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(ServiceValidationError):
        await withdraw(hass, alias="amber otter 42")


async def test_with_two_engines_it_must_be_said_which(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    other = FakeEngine()
    other.engine |= {"id": "f" * 32, "name": "Hillside"}
    await other.start()
    data = {"host": "127.0.0.1", "port": other.port, "token": TOKEN}
    second = MockConfigEntry(domain="nvr_bridge", title="Hillside", unique_id="f" * 32, data=data)
    second.add_to_hass(hass)
    assert await hass.config_entries.async_setup(second.entry_id)
    assert loaded.unique_id == ENGINE_ID
    with pytest.raises(ServiceValidationError) as caught:
        await withdraw(hass, alias="amber otter 42")
    assert caught.value.translation_key == "which_engine"
    await withdraw(hass, alias="amber otter 42", config_entry_id=second.entry_id)
    assert engine.of("consent/withdraw") == []
    assert len(other.of("consent/withdraw")) == 1
    await hass.config_entries.async_unload(second.entry_id)
    await other.stop()
