"""What a real engine said over one day's story, said again to the hub: its states and events are what the session says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from conftest import DOMAIN, load, until
from fake_recorded import TOKEN, RecordedEngine, lines
from homeassistant.auth.models import User
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Context, Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nvr_bridge.const import EVENT_TYPES

pytestmark = pytest.mark.warns("connection lost")

SESSION = lines()
SAID = [line["says"] for line in SESSION if line["from"] == "engine"]
ASKED = [line["says"] for line in SESSION if line["from"] == "hub" and line["says"]]
HELLO = SAID[0]


def events() -> list[dict[str, Any]]:
    """Every event of the session, in order, also those that a hub that came back was told."""
    told = []
    for says in SAID:
        told += says["result"]["events"] if "snapshot" in (says.get("result") or ()) else []
        told += [says["event"]] if says["type"] == "event" else []
    return told


def at_last(kind: str) -> dict[str, dict[str, Any]]:
    """What the session said last of each engine, site, zone or camera, by its id."""
    states: dict[str, dict[str, Any]] = {}
    for says in SAID:
        snapshot = (says.get("result") or {}) if says["type"] == "result" else {}
        there_is = snapshot["snapshot"] if "snapshot" in snapshot else says if says["type"] == "state" else {}
        for state in there_is.get(f"{kind}s", [there_is[kind]] if kind in there_is else []):
            states[state.get("id", kind)] = state
    return states


class Seen:
    """Every event that an automation could act on, in order."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.events: list[tuple[int, str, bool]] = []
        self._last: dict[str, tuple[int, str]] = {}
        hass.bus.async_listen("state_changed", self._changed)

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        if new is None or new.domain != "event" or new.state in ("unknown", "unavailable"):
            return
        said = new.attributes
        news = (said["sequence"], said["event_type"])
        if self._last.get(new.entity_id) != news:
            self.events.append((*news, said["replayed"]))
        self._last[new.entity_id] = news


@pytest.fixture
async def engine(enable_custom_integrations: None) -> AsyncIterator[RecordedEngine]:
    """The engine of the session."""
    recorded = RecordedEngine(SESSION)
    await recorded.start()
    yield recorded
    await recorded.stop()


@pytest.fixture
async def entry(hass: HomeAssistant, engine: RecordedEngine) -> AsyncIterator[MockConfigEntry]:
    """Paired with it; the signs and the act are bound as they were."""
    signs = [asked for asked in ASKED if asked["type"] == "zone/sign"]
    zones = {
        asked["zone"]: {"sign": f"switch.{asked['zone']}_sign", "notice_hash": asked["notice_hash"]} for asked in signs
    }
    for bound in zones.values():
        hass.states.async_set(bound["sign"], "off")
    for zone in {asked["zone"] for asked in ASKED if asked["type"] == "zone/act"}:
        zones[zone]["act"] = f"input_button.{zone}_act"
        hass.states.async_set(zones[zone]["act"], "unknown")
    made = MockConfigEntry(
        domain=DOMAIN,
        title=HELLO["name"],
        unique_id=HELLO["engine_id"],
        data={"host": "127.0.0.1", "port": engine.port, "token": TOKEN},
        options={"zones": zones},
    )
    made.add_to_hass(hass)
    yield made
    if made.state is ConfigEntryState.LOADED:
        await hass.config_entries.async_unload(made.entry_id)


async def does(hass: HomeAssistant, asked: dict[str, Any], user: User) -> None:
    """What made the hub of the session ask for this. The rest it asks by itself."""
    match asked:
        case {"type": "zone/sign", "zone": zone, "on": on}:
            hass.states.async_set(f"switch.{zone}_sign", "on" if on else "off")
        case {"type": "zone/act", "zone": zone}:
            hass.states.async_set(f"input_button.{zone}_act", dt_util.utcnow().isoformat())
        case {"type": "case/confirm", "case": case, "seen": version}:
            await act(hass, "confirm_case", user, case=case, version=version)
        case {"type": "consent/withdraw", "alias": alias}:
            await act(hass, "withdraw_consent", user, alias=alias)


async def act(hass: HomeAssistant, action: str, user: User, **given: Any) -> None:
    """By an administrator."""
    await hass.services.async_call(DOMAIN, action, given, blocking=True, context=Context(user_id=user.id))


async def play(hass: HomeAssistant, engine: RecordedEngine, entry: MockConfigEntry, user: User) -> None:
    """The whole session."""
    await load(hass, entry)
    done = None
    while not engine.over:
        await until(lambda done=done: engine.over or (engine.awaits and engine.awaits is not done), 20)
        done = engine.awaits
        if done is not None:
            await does(hass, done, user)
    # The session's last word, which is still on its way when all is said.
    [camera] = at_last("camera")
    await until(lambda: find(hass, "binary_sensor", f"camera_{camera}_online").state == "off")
    await hass.async_block_till_done()


def find(hass: HomeAssistant, platform: str, key: str) -> State:
    """By what it shows."""
    entity_id = er.async_get(hass).async_get_entity_id(platform, DOMAIN, f"{HELLO['engine_id']}_{key}")
    assert entity_id, f"no {platform} {key}"
    state = hass.states.get(entity_id)
    assert state
    return state


def test_the_session_tells_a_day() -> None:
    shown = {word for event in events() for word in event["shown"]}
    wanted = "consent_granted first_visit returning_visit visit_ended channel_visit attribution consent_withdrawn"
    assert set(wanted.split()) <= shown <= set(EVENT_TYPES)
    assert any(event["replayed"] for event in events())
    assert {"forget", "state", "event"} <= {says["type"] for says in SAID}
    armed = [says["zone"]["armed"] for says in SAID if "zone" in says and says["zone"]["id"] == "desk"]
    assert True in armed
    assert not armed[-1]
    assert [camera["state"] for camera in at_last("camera").values()] == ["offline"]


async def test_every_event_is_shown_once_in_its_order(
    hass: HomeAssistant, engine: RecordedEngine, entry: MockConfigEntry, hass_admin_user: User
) -> None:
    seen = Seen(hass)
    await play(hass, engine, entry, hass_admin_user)
    assert seen.events == [
        (event["sequence"], word, event["replayed"]) for event in events() for word in event["shown"]
    ]
    assert engine.unknown == []


async def test_the_states_are_what_was_said_last(
    hass: HomeAssistant, engine: RecordedEngine, entry: MockConfigEntry, hass_admin_user: User
) -> None:
    await play(hass, engine, entry, hass_admin_user)
    [said] = at_last("engine").values()
    assert find(hass, "binary_sensor", "connected").state == "on"
    assert find(hass, "sensor", "subjects").state == str(said["subjects"])
    assert find(hass, "sensor", "cases_waiting").state == str(said["cases_waiting"])
    assert find(hass, "sensor", "embeddings_without_permit").state == "0"
    [site] = at_last("site").values()
    for key in ("visits_today", "natural_today", "channel_today", "unregistered_today"):
        assert find(hass, "sensor", f"site_{key}").state == str(site[key])
    for zone_id, zone in at_last("zone").items():
        armed = find(hass, "binary_sensor", f"zone_{zone_id}_recognition_armed")
        assert armed.state == ("on" if zone["armed"] else "off")
        assert armed.attributes["reasons"] == zone["reasons"]
        assert find(hass, "sensor", f"zone_{zone_id}_visits_today").state == str(zone["visits_today"])
        assert find(hass, "sensor", f"zone_{zone_id}_last_event").state == (zone["last_event"] or "unknown")
    [camera] = at_last("camera").values()
    online = find(hass, "binary_sensor", f"camera_{camera['id']}_online")
    assert (online.state, online.attributes["reason"]) == ("off", camera["reason"])
    # With its only camera offline, nobody knows who is there.
    assert find(hass, "sensor", f"zone_{camera['zone']}_people_present").state == "unavailable"


async def test_a_person_has_to_do_what_was_said_last(
    hass: HomeAssistant, engine: RecordedEngine, entry: MockConfigEntry, hass_admin_user: User
) -> None:
    await play(hass, engine, entry, hass_admin_user)
    zones = at_last("zone").items()
    said = {f"zone_{zone_id}_{problem['key']}" for zone_id, zone in zones for problem in zone["problems"]}
    assert said == {"zone_lane_sign_off", "zone_desk_sign_off"}
    raised = {issue_id for domain, issue_id in ir.async_get(hass).issues if domain == DOMAIN}
    assert raised == {f"{issue}_{entry.entry_id}" for issue in said}


async def test_the_visitor_who_withdrew_is_named_nowhere(
    hass: HomeAssistant, engine: RecordedEngine, entry: MockConfigEntry, hass_admin_user: User
) -> None:
    await play(hass, engine, entry, hass_admin_user)
    gone = [says for says in SAID if says["type"] == "forget"]
    assert gone
    shown = str([state.as_dict() for state in hass.states.async_all()])
    for says in gone:
        assert not any(text in shown for text in (says["alias"], *says["visits"]))
