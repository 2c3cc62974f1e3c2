"""Each blueprint, imported as a user imports it and run: it does what it says, once, and keeps nobody's alias."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from conftest import INTEGRATION, find, is_shown, until
from fake_desk import NOTHING, REPORT
from fake_engine import FakeEngine
from homeassistant.components.notify import DOMAIN as NOTIFY
from homeassistant.components.notify import NotifyEntity, NotifyEntityFeature
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity_component import EntityComponent
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed, async_mock_service
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

FOLDER = INTEGRATION.parent.parent / "blueprints" / "automation" / "nvr_bridge"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
VISITS = "event.desk_visit"
ARMED = "binary_sensor.desk_recognition_armed"

type Use = Callable[..., Coroutine[Any, Any, None]]


class Phone(NotifyEntity):
    """Somebody's."""

    _attr_name = "Phone"
    _attr_supported_features = NotifyEntityFeature.TITLE

    def __init__(self) -> None:
        self.heard: list[tuple[str | None, str]] = []

    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Keep what was said."""
        self.heard.append((title, message))


@pytest.fixture
async def phone(hass: HomeAssistant) -> Phone:
    """What is told to `notify.phone`."""
    assert await async_setup_component(hass, NOTIFY, {})
    component: EntityComponent[NotifyEntity] = hass.data[NOTIFY]
    made = Phone()
    await component.async_add_entities([made])
    assert made.entity_id == "notify.phone"
    return made


@pytest.fixture
async def shelf() -> AsyncIterator[str]:
    """Where the blueprints are offered, as on a code host."""
    app = web.Application()
    app.router.add_static("/", FOLDER)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def use(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, shelf: str, tmp_path: Path, phone: Phone
) -> AsyncIterator[Use]:
    """Import a blueprint, save it, and make an automation of it."""
    hass.config.config_dir = str(tmp_path)
    assert await async_setup_component(hass, "automation", {})
    browser = await hass_ws_client(hass)

    async def make(name: str, **inputs: Any) -> None:
        await browser.send_json_auto_id({"type": "blueprint/import", "url": f"{shelf}/{name}.yaml"})
        answer = await browser.receive_json()
        assert answer["success"], answer
        imported = answer["result"]
        assert imported["validation_errors"] is None
        path = f"nvr_bridge/{name}.yaml"
        kept = {
            "domain": "automation",
            "path": path,
            "yaml": imported["raw_data"],
            "source_url": f"{shelf}/{name}.yaml",
        }
        await browser.send_json_auto_id({"type": "blueprint/save", **kept})
        assert (await browser.receive_json())["success"]
        config = {"id": name, "alias": name, "use_blueprint": {"path": path, "input": inputs}}
        (tmp_path / "configuration.yaml").write_text(json.dumps({"automation": [config]}), encoding="utf-8")
        await hass.services.async_call("automation", "reload", blocking=True)
        assert hass.states.is_state(f"automation.{name}", "on")

    yield make
    if hass.services.has_service("automation", "turn_off"):
        await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


def keep(hass: HomeAssistant, domain: str, action: str) -> list[ServiceCall]:
    """What an action of somebody else's was called with; the entities that it names are on or off from then on."""
    calls = async_mock_service(hass, domain, action)

    @callback
    def switched(call: ServiceCall) -> None:
        calls.append(call)
        for entity_id in call.data["entity_id"]:
            hass.states.async_set(entity_id, action.removeprefix("turn_"))

    if action.startswith("turn_"):
        hass.services.async_register(domain, action, switched)
    return calls


async def shows(hass: HomeAssistant, event_type: str) -> None:
    await until(lambda: find(hass, "event", "zone_desk_visit").attributes.get("event_type") == event_type)
    await hass.async_block_till_done()


def test_there_are_six() -> None:
    assert NAMES == [
        "alert_on_risk",
        "ask_for_consent",
        "disarm_at_closing_time",
        "greet_returning_visitor",
        "nightly_report",
        "wake_sign",
    ]


async def test_a_returning_visitors_host_is_told_once(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, use: Use, phone: Phone
) -> None:
    await use("greet_returning_visitor", visits=[VISITS], host=["notify.phone"])
    await engine.happens("first_visit")
    await engine.happens("returning_visit", data={"confidence": 0.8})
    await shows(hass, "returning_visit")
    await engine.forgets("amber otter 42", [])
    await until(lambda: find(hass, "event", "zone_desk_visit").attributes["alias"] is None)
    await hass.async_block_till_done()
    assert phone.heard == [("Desk", "a visitor who was here before is back.")]
    await engine.happens("returning_visit", alias="brave heron 10")
    await until(lambda: len(phone.heard) == 2)


@pytest.mark.warns("connection lost")
async def test_what_was_missed_is_no_news(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, use: Use, phone: Phone
) -> None:
    await use("greet_returning_visitor", visits=[VISITS], host=["notify.phone"])
    await engine.stop()
    await until(lambda: not loaded.runtime_data.connected)
    await engine.happens("returning_visit")
    await engine.start()
    await shows(hass, "returning_visit")
    assert find(hass, "event", "zone_desk_visit").attributes["replayed"] is True
    assert phone.heard == []


async def test_no_trace_is_kept_of_what_had_an_alias(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    engine: FakeEngine,
    loaded: MockConfigEntry,
    use: Use,
    phone: Phone,
) -> None:
    """Home Assistant writes traces to its storage when it stops, with all that the trigger knew."""
    browser = await hass_ws_client(hass)
    for name, told in (("greet_returning_visitor", "host"), ("alert_on_risk", "recipients")):
        phone.heard.clear()
        await use(name, visits=[VISITS], **{told: ["notify.phone"]})
        await engine.happens("returning_visit")
        await engine.judges(risks="late_referral", new_risks="late_referral")
        await until(lambda: phone.heard)
        await hass.async_block_till_done()
        await browser.send_json_auto_id({"type": "trace/list", "domain": "automation", "item_id": name})
        assert (await browser.receive_json())["result"] == []


def test_every_blueprint_that_hears_of_visits_keeps_no_trace() -> None:
    for name in NAMES:
        text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
        assert ("entity_id: !input visits" in text) == ("stored_traces: 0" in text), name


async def test_the_sign_wakes_and_the_engine_takes_it(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry, use: Use, phone: Phone
) -> None:
    hass.states.async_set("switch.sign", "off")
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "off"))
    await engine.zone_is("lane", people_present=1)
    keep(hass, "homeassistant", "turn_on")
    went_off = keep(hass, "homeassistant", "turn_off")
    await use("wake_sign", **WAKE, rest=0)
    await engine.happens("person_approaching", "entrance", alias=None, visit=None)
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "on"))
    await until(is_shown(hass, "sensor", "zone_lane_people_present", "1"))
    assert went_off == []  # somebody is there
    await engine.zone_is("lane", people_present=0)
    await until(lambda: went_off)
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "off"))
    assert phone.heard == []


WAKE = {
    "visits": ["event.entrance_visit"],
    "sign": "switch.sign",
    "armed": "binary_sensor.lane_recognition_armed",
    "people": "sensor.lane_people_present",
    "recipients": ["notify.phone"],
}


async def test_a_sign_that_stays_off_is_told_of(
    hass: HomeAssistant, engine: FakeEngine, bound: MockConfigEntry, use: Use, phone: Phone
) -> None:
    hass.states.async_set("switch.sign", "unavailable")
    await until(is_shown(hass, "binary_sensor", "zone_lane_recognition_armed", "off"))
    asked = async_mock_service(hass, "homeassistant", "turn_on")  # which does not help
    async_mock_service(hass, "homeassistant", "turn_off")
    await use("wake_sign", **WAKE, patience=1)
    await engine.happens("person_approaching", "entrance", alias=None, visit=None)
    await until(lambda: asked)
    assert phone.heard == []
    await until(lambda: phone.heard)
    assert phone.heard == [("Lane", "The sign is unavailable, and recognition is off: sign off.")]


async def test_the_tablet_asks_whoever_comes_near_while_recognition_is_armed(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, use: Use
) -> None:
    woken = async_mock_service(hass, "homeassistant", "turn_on")
    opened = async_mock_service(hass, "fully_kiosk", "load_url")
    page = "http://192.0.2.5:8645/visit/desk"
    load_url = {"action": "fully_kiosk.load_url", "data": {"url": "{{ page }}"}, "target": {"device_id": "tablet"}}
    await use("ask_for_consent", visits=VISITS, armed=ARMED, screen="switch.tablet", page=page, open_page=[load_url])
    await engine.happens("person_approaching", alias=None, visit=None)
    await shows(hass, "person_approaching")
    assert (woken, opened) == ([], [])
    await engine.zone_is("desk", armed=True, reasons=[])
    await until(is_shown(hass, "binary_sensor", "zone_desk_recognition_armed", "on"))
    await engine.happens("person_approaching", alias=None, visit=None)
    await until(lambda: opened)
    assert [call.data["entity_id"] for call in woken] == [["switch.tablet"]]
    assert [call.data["url"] for call in opened] == [page]


async def test_a_tablet_that_shows_nothing_else_is_only_woken(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, use: Use
) -> None:
    woken = async_mock_service(hass, "homeassistant", "turn_on")
    await use("ask_for_consent", visits=VISITS, armed=ARMED, screen="switch.tablet", page="http://192.0.2.5/visit/desk")
    await engine.zone_is("desk", armed=True, reasons=[])
    await until(is_shown(hass, "binary_sensor", "zone_desk_recognition_armed", "on"))
    await engine.happens("person_approaching", alias=None, visit=None)
    await until(lambda: woken)


async def test_every_new_risk_is_told_even_right_behind_another_event(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, use: Use, phone: Phone
) -> None:
    await use("alert_on_risk", visits=[VISITS], recipients=["notify.phone"])
    risks = {"risks": "late_referral, contact_changed", "new_risks": "late_referral, contact_changed"}
    await engine.judges(attribution="channel", partner="acme", **risks)
    await engine.judges(attribution="channel", partner="acme", risks=risks["risks"], new_risks="", state="confirmed")
    await engine.judges(case="R2D4-XW7A", risks="intercepted", new_risks="intercepted")
    await until(lambda: len(phone.heard) == 2)
    await shows(hass, "attribution")
    assert phone.heard == [
        ("Desk: case K7QF-2M9D", "late referral, contact changed"),
        ("Desk: case R2D4-XW7A", "intercepted"),
    ]


async def test_only_the_risks_that_are_wanted(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, use: Use, phone: Phone
) -> None:
    await use("alert_on_risk", visits=[VISITS], risks=["intercepted"], recipients=["notify.phone"])
    await engine.judges(risks="late_referral", new_risks="late_referral")
    await engine.judges(case="R2D4-XW7A", risks="intercepted", new_risks="intercepted")
    await until(lambda: phone.heard)
    await hass.async_block_till_done()
    assert phone.heard == [("Desk: case R2D4-XW7A", "intercepted")]


@pytest.mark.parametrize("chosen", [[], ["desk", "lane"]])
async def test_recognition_ends_when_the_site_closes(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, use: Use, chosen: list[str]
) -> None:
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    zones = [it.id for zone in chosen for it in devices if it.name == zone.capitalize()]
    assert len(zones) == len(chosen)
    await use("disarm_at_closing_time", engine=loaded.entry_id, zones=zones, closes=in_hours(1), opens=in_hours(2))
    for hours, on in ((1, False), (2, True)):
        await passes(hass, hours)
        said = [{"type": "engine/recognition", "on": on, **zone} for zone in [{"zone": z} for z in chosen] or [{}]]
        await until(lambda said=said: engine.of("engine/recognition")[-len(said) :] == said)
    assert len(engine.of("engine/recognition")) == 2 * max(1, len(chosen))


async def test_the_days_numbers_are_sent_at_night(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, use: Use, phone: Phone
) -> None:
    await use("nightly_report", engine=loaded.entry_id, at=in_hours(1), recipients=["notify.phone"])
    await passes(hass, 1)
    await until(lambda: phone.heard)
    [(title, message)] = phone.heard
    assert title == "Visits of 2026-03-02"
    assert message == (
        "3 visits, 1 of them returning: 1 natural, 1 by channel partners, 0 staff, 1 undetermined."
        " 2 reviewed, 0 unregistered.\nacme: 1\ndesk: 3\nlane: 0"
    )
    assert NOTHING["visits"] == REPORT["zone"][1]["visits"]


def in_hours(hours: int) -> str:
    """A time of the hub's day."""
    return (dt_util.now() + timedelta(hours=hours)).strftime("%H:%M:%S")


async def passes(hass: HomeAssistant, hours: int) -> None:
    """So much time."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(hours=hours))
    await hass.async_block_till_done()
