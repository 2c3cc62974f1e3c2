"""What the hub reports of signs and acts. What it cannot read is off, and what nobody did is no act."""

from __future__ import annotations

import asyncio

import pytest
from conftest import find, is_shown, load, until
from fake_engine import NOTICE, FakeEngine
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

ARMED = ("binary_sensor", "zone_lane_recognition_armed")


def last_sign(engine: FakeEngine) -> bool | None:
    """What the lane's sign was last said to be."""
    return next((asked["on"] for asked in reversed(engine.of("zone/sign"))), None)


async def test_a_sign_is_reported_at_once_and_again_and_again(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry
) -> None:
    await until(is_shown(hass, *ARMED, "on"))
    report = {"type": "zone/sign", "zone": "lane", "on": True, "notice_hash": NOTICE}
    await until(lambda: engine.of("zone/sign").count(report) >= 4)  # the time-to-live is one second here
    assert report in engine.of("zone/sign")


@pytest.mark.parametrize("state", ["off", "unavailable", "unknown", "idle"])
async def test_anything_but_on_is_off(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry, state: str
) -> None:
    await until(is_shown(hass, *ARMED, "on"))
    hass.states.async_set("switch.sign", state)
    await until(is_shown(hass, *ARMED, "off"))
    assert find(hass, *ARMED).attributes["reasons"] == ["sign_off"]
    hass.states.async_set("switch.sign", "on")
    await until(is_shown(hass, *ARMED, "on"))


async def test_a_sign_that_vanishes_is_off(hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry) -> None:
    await until(is_shown(hass, *ARMED, "on"))
    hass.states.async_remove("switch.sign")
    await until(is_shown(hass, *ARMED, "off"))


@pytest.mark.warns("connection lost")
async def test_signs_are_reported_anew_to_an_engine_that_comes_back(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry
) -> None:
    await until(is_shown(hass, *ARMED, "on"))
    await engine.stop()
    engine.zones["lane"] |= {"armed": False, "reasons": ["sign_unknown"]}
    await engine.start()
    await until(lambda: engine.zones["lane"]["armed"])
    await until(is_shown(hass, *ARMED, "on"))


async def test_nothing_is_said_of_zones_that_nobody_bound(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry
) -> None:
    await until(is_shown(hass, *ARMED, "on"))
    assert {asked["zone"] for asked in engine.of("zone/sign")} == {"lane"}


@pytest.mark.warns("the profile forbids it")
async def test_a_refusal_is_logged_once(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    engine.refuse["zone/sign"] = ("invalid", "the profile forbids it")
    already = len(engine.of("zone/sign"))
    await until(lambda: len(engine.of("zone/sign")) >= already + 4)
    assert caplog.text.count("the profile forbids it") == 1


@pytest.mark.parametrize(
    ("entity_id", "states", "acts"),
    [
        ("input_button.act", ["2026-03-02T01:00:00+00:00", "2026-03-02T01:00:09+00:00"], 2),
        ("input_button.act", ["unavailable", "2026-03-02T01:00:00+00:00"], 0),
        ("input_button.act", ["unavailable", "unknown", "2026-03-02T01:00:00+00:00"], 1),
        ("binary_sensor.turnstile", ["off", "on", "off", "on"], 2),
        ("binary_sensor.turnstile", ["on", "unavailable", "on", "unknown", "on"], 0),
        ("switch.turnstile", ["off", "unavailable", "off", "on"], 1),
    ],
)
async def test_an_act_is_told_when_somebody_acted(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry, entity_id: str, states: list[str], acts: int
) -> None:
    if entity_id == "input_button.act":
        hass.states.async_set(entity_id, "unknown")
    hass.config_entries.async_update_entry(entry, options={"zones": {"lane": {"act": entity_id}}})
    await load(hass, entry)
    for state in states:
        hass.states.async_set(entity_id, state)
        await hass.async_block_till_done()
    await hass.services.async_call("nvr_bridge", "withdraw_consent", {"alias": "x"}, blocking=True)
    assert engine.of("consent/withdraw")  # which came after everything else
    assert engine.of("zone/act") == [{"type": "zone/act", "zone": "lane"}] * acts
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.warns("connection lost")
async def test_an_act_is_never_told_late(hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry) -> None:
    await engine.stop()
    await until(is_shown(hass, "binary_sensor", "connected", "off"))
    hass.states.async_set("input_button.act", "2026-03-02T01:00:00+00:00")
    await hass.async_block_till_done()
    await engine.start()
    await until(lambda: engine.listeners == 1)
    await until(lambda: last_sign(engine) is True)
    assert engine.of("zone/act") == []


async def test_a_slow_engine_holds_up_nothing(hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry) -> None:
    await until(is_shown(hass, *ARMED, "on"))
    engine.slow = 0.2
    for state in ("off", "on", "off"):
        hass.states.async_set("switch.sign", state)
        await asyncio.sleep(0)
    await until(lambda: last_sign(engine) is False)
    await until(is_shown(hass, *ARMED, "off"))
