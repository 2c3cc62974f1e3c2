"""What a desk does from the hub, other than with cases: passes, the day's numbers, retention, purges, disarming."""

from __future__ import annotations

from typing import Any

import pytest
import voluptuous as vol
from conftest import ENGINE_ID, find
from fake_desk import COUNTS, NOTHING, REPORT
from fake_engine import FakeEngine
from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry

CODE = "ABCD-EFGH-JKMN-PQRS"


async def run(hass: HomeAssistant, action: str, context: Context | None = None, **data: Any) -> Any:
    return await hass.services.async_call(
        "nvr_bridge", action, data, blocking=True, context=context, return_response=True
    )


async def order(hass: HomeAssistant, action: str, context: Context | None = None, **data: Any) -> None:
    await hass.services.async_call("nvr_bridge", action, data, blocking=True, context=context)


def zone_device(hass: HomeAssistant, entry: MockConfigEntry, zone: str) -> str:
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    [device_id] = [it.id for it in devices if it.identifiers == {("nvr_bridge", f"{ENGINE_ID}_zone_{zone}")}]
    return device_id


@pytest.mark.parametrize("named", ["by its device", "by its id"])
async def test_somebody_checks_in_with_a_pass(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, named: str
) -> None:
    zone = zone_device(hass, loaded, "desk") if named == "by its device" else "desk"
    visit = await run(hass, "check_in", zone=zone, code=f" {CODE} ")
    assert engine.of("pass/scan") == [{"type": "pass/scan", "zone": "desk", "code": CODE}]
    assert visit == {
        "alias": "amber otter 42",
        "zone": "desk",
        "started_at": "2026-03-02T01:00:00.000Z",
        "earlier": 1,
        "returning": True,
    }


async def test_a_device_of_another_integration_is_no_zone(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    other = MockConfigEntry(domain="lamps")
    other.add_to_hass(hass)
    made = dr.async_get(hass).async_get_or_create(config_entry_id=other.entry_id, identifiers={("lamps", "zone_desk")})
    await order(hass, "disarm", zone=made.id)
    assert engine.asked[-1]["zone"] == made.id  # and the engine says that there is no such zone


@pytest.mark.parametrize("field", ["code", "zone"])
async def test_a_pass_or_a_zone_that_does_not_exist(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, field: str
) -> None:
    engine.refuse["pass/scan"] = ("not_found", f"{field}: no such thing")
    with pytest.raises(ServiceValidationError) as caught:
        await run(hass, "check_in", zone="desk", code=CODE)
    assert caught.value.translation_key == f"{field}_not_found"


@pytest.mark.parametrize("somebody", [True, False])
async def test_the_numbers_of_a_day(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, hass_admin_user: User, somebody: bool
) -> None:
    context = Context(user_id=hass_admin_user.id) if somebody else None
    report = await run(hass, "daily_report", context, date="2026-03-02")
    assert engine.of("report/visits") == [
        {"type": "report/visits", "day": "2026-03-02", "by": by} for by in ("day", "partner", "zone", "hour")
    ]
    assert report == {
        "days": [{"day": "2026-03-02", **COUNTS}],
        "partners": REPORT["partner"],
        "zones": [{"zone": "desk", **COUNTS}, {"zone": "lane", **NOTHING}],
        "hours": [{"hour": "2026-03-02T09:00+08:00", **COUNTS}],
    }


async def test_a_report_is_of_the_sites_own_today(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await run(hass, "daily_report")
    assert all("day" not in asked for asked in engine.of("report/visits"))


async def test_an_answer_has_nothing_that_a_newer_engine_adds(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REPORT, "day", [{**REPORT["day"][0], "visitor_names": ["Canary Chen"]}])
    report = await run(hass, "daily_report")
    assert "Canary" not in str(report)


async def test_days_of_retention(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    answer = await run(hass, "set_retention", visits=90, images="0.5")
    assert engine.of("retention/set") == [{"type": "retention/set", "visits": 90.0, "images": 0.5}]
    assert [(kept["class"], kept["days"], kept["most"]) for kept in answer["classes"]] == [
        ("visits", 90.0, 180.0),
        ("images", 0.5, 180.0),
    ]
    assert answer["profile"] == "demo"


@pytest.mark.parametrize("wrong", [{"visits": -1}, {"visits": "long"}, {"names": 3}])
async def test_what_are_no_days_goes_nowhere(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, wrong: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await order(hass, "set_retention", **wrong)
    assert engine.of("retention/set") == []


async def test_what_the_profile_does_not_allow(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    engine.refuse["retention/set"] = ("invalid", "visits: the profile allows 180 days at most")
    with pytest.raises(ServiceValidationError, match="180 days at most") as caught:
        await order(hass, "set_retention", visits=900)
    assert caught.value.translation_key == "refused"


@pytest.mark.parametrize(
    ("action", "data", "command"),
    [
        ("check_in", {"zone": "desk", "code": CODE}, "pass/scan"),
        ("withdraw_consent", {"alias": "amber otter 42"}, "consent/withdraw"),
        ("list_cases", {}, "case/list"),
        ("set_retention", {"visits": 90}, "retention/set"),
        ("purge", {}, "retention/purge"),
    ],
)
async def test_the_engine_notes_who_did_it(
    hass: HomeAssistant,
    engine: FakeEngine,
    loaded: MockConfigEntry,
    hass_admin_user: User,
    action: str,
    data: dict[str, Any],
    command: str,
) -> None:
    await run(hass, action, Context(user_id=hass_admin_user.id), **data)
    assert engine.of(command)[-1]["by"] == hass_admin_user.id


async def test_a_purge_says_what_it_removed(hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry) -> None:
    assert await run(hass, "purge") == {
        "removed": {"sightings": 3, "visitors": 1},
        "due": {"visits": "2026-03-09T00:00:00.000Z"},
    }
    assert engine.of("retention/purge") == [{"type": "retention/purge"}]


@pytest.mark.parametrize(("action", "on"), [("disarm", False), ("rearm", True)])
async def test_recognition_is_turned_off_and_on_by_hand(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, hass_admin_user: User, action: str, on: bool
) -> None:
    await order(hass, action, Context(user_id=hass_admin_user.id))
    answer = await run(hass, action, zone=zone_device(hass, loaded, "desk"))
    assert answer == {"recognition": on, "zone": "desk"}
    assert engine.of("engine/recognition") == [
        {"type": "engine/recognition", "on": on, "by": hass_admin_user.id},
        {"type": "engine/recognition", "on": on, "zone": "desk"},
    ]
    assert find(hass, "binary_sensor", "connected").state == "on"


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("check_in", {"zone": "desk", "code": CODE}),
        ("daily_report", {}),
        ("set_retention", {"visits": 90}),
        ("purge", {}),
        ("disarm", {}),
        ("rearm", {}),
    ],
)
async def test_nobody_but_an_administrator_may(
    hass: HomeAssistant,
    engine: FakeEngine,
    loaded: MockConfigEntry,
    hass_read_only_user: User,
    action: str,
    data: dict[str, Any],
) -> None:
    before = len(engine.asked)
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            "nvr_bridge",
            action,
            data,
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
            return_response=action == "daily_report",
        )
    assert [asked for asked in engine.asked[before:] if asked["type"] != "zone/sign"] == []
