"""The panel: when it is there, who may ask what over the hub's WebSocket, and that nothing of it is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from conftest import DOMAIN, TOKEN, load, log_all
from fake_engine import FakeEngine, case
from homeassistant.components.frontend import DATA_PANELS
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.util import session_scope
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import restore_state
from homeassistant.helpers.json import JSONEncoder
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser, mock_component
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

# The hub's own web server names its parts by text.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

PLANTED = {"name": "Canary Chen", "contact": "13800000001", "reason": "she said that her aunt brought her"}


@pytest.fixture
async def page(hass: HomeAssistant) -> None:
    """A hub with a web server, and as if its frontend were there: that itself is tested in tests/hubpages."""
    assert await async_setup_component(hass, "http", {"http": {}})
    assert await async_setup_component(hass, "websocket_api", {})
    mock_component(hass, "frontend")


def panels(hass: HomeAssistant) -> set[str]:
    return set(hass.data.get(DATA_PANELS, {}))


async def ask(socket: Any, entry: MockConfigEntry, command: str, /, **given: Any) -> dict[str, Any]:
    """The hub's whole answer to a command of the panel's."""
    asked = {"type": "nvr_bridge/call", "entry_id": entry.entry_id, "command": command, "arguments": given}
    await socket.send_json_auto_id(asked)
    answer: dict[str, Any] = await socket.receive_json()
    return answer


async def test_without_a_frontend_nothing_is_shown(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    assert DOMAIN not in panels(hass)


@pytest.mark.usefixtures("page")
async def test_it_is_there_for_administrators(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    shown = hass.data[DATA_PANELS][DOMAIN]
    assert shown.require_admin
    assert shown.component_name == "custom"
    assert shown.config["_panel_custom"]["name"] == "nvr-bridge-panel"


@pytest.mark.usefixtures("page")
async def test_its_files_are_served(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_client_no_auth: ClientSessionGenerator
) -> None:
    client: TestClient[Any, Any] = await hass_client_no_auth()
    url = hass.data[DATA_PANELS][DOMAIN].config["_panel_custom"]["module_url"]
    for file in ("panel.js", "style.js", "words-zh.js"):
        answer = await client.get(f"{url.rpartition('/')[0]}/{file}")
        assert answer.status == 200
        assert "javascript" in answer.headers["Content-Type"]
        assert "export" in await answer.text() or file == "panel.js"


@pytest.mark.usefixtures("page")
async def test_it_stays_over_reloads_and_goes_with_the_last_engine(
    hass: HomeAssistant, entry: MockConfigEntry, engine: FakeEngine
) -> None:
    second = MockConfigEntry(domain=DOMAIN, title="Lakeside", unique_id="f" * 32, disabled_by=ConfigEntryDisabler.USER)
    second.add_to_hass(hass)
    await load(hass, entry)
    assert DOMAIN in panels(hass)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert DOMAIN in panels(hass)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert DOMAIN not in panels(hass)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    assert DOMAIN in panels(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    assert DOMAIN not in panels(hass)


@pytest.mark.usefixtures("page")
async def test_engines_that_are_set_up_side_by_side_share_it(
    hass: HomeAssistant, entry: MockConfigEntry, engine: FakeEngine
) -> None:
    second = MockConfigEntry(domain=DOMAIN, title="Lakeside", unique_id="f" * 32, data={**entry.data, "port": 1})
    second.add_to_hass(hass)
    assert await async_setup_component(hass, DOMAIN, {})
    assert (entry.state, second.state) == (ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY)
    assert DOMAIN in panels(hass)
    for one in (entry, second):
        await hass.config_entries.async_unload(one.entry_id)


@pytest.mark.usefixtures("page")
async def test_it_is_there_while_the_engine_is_not(
    hass: HomeAssistant, entry: MockConfigEntry, engine: FakeEngine, hass_ws_client: WebSocketGenerator
) -> None:
    await engine.stop()
    await hass.config_entries.async_setup(entry.entry_id)
    assert DOMAIN in panels(hass)
    answer = await ask(await hass_ws_client(hass), entry, "case/list")
    assert answer["error"]["code"] == "cannot_connect"
    await hass.config_entries.async_remove(entry.entry_id)
    assert DOMAIN not in panels(hass)


@pytest.mark.usefixtures("page")
async def test_commands_go_to_the_engine_in_the_name_of_the_user(
    hass: HomeAssistant, loaded: MockConfigEntry, engine: FakeEngine, hass_ws_client: WebSocketGenerator
) -> None:
    engine.cases = {"K7QF-2M9D": case("K7QF-2M9D")}
    engine.answers["report/visits"] = []
    socket = await hass_ws_client(hass)
    listed = await ask(socket, loaded, "case/list")
    assert listed["result"]["nvr_bridge/call"] == [engine.cases["K7QF-2M9D"]]
    await ask(socket, loaded, "case/confirm", case="K7QF-2M9D", seen="1f0c9a2b", by="somebody else")
    await ask(socket, loaded, "report/visits", **{"from": "2026-03-02", "to": "2026-03-02", "by": "hour"})
    users = {user.id for user in await hass.auth.async_get_users()}
    [confirmed] = engine.of("case/confirm")
    assert confirmed["by"] in users
    [reported] = engine.of("report/visits")
    assert reported["by"] == "hour"


@pytest.mark.usefixtures("page")
async def test_what_is_known_is_told_at_once(
    hass: HomeAssistant, loaded: MockConfigEntry, engine: FakeEngine, hass_ws_client: WebSocketGenerator
) -> None:
    asked = len(engine.asked)
    known = (await ask(await hass_ws_client(hass), loaded, "things"))["result"]["nvr_bridge/call"]
    assert known["connected"]
    assert known["states"]["zone_desk"]["kind"] == "consent_point"
    assert known["states"]["engine"]["watch"]["to_renew"] == 2
    assert [message["type"] for message in engine.asked[asked:]] in ([], ["zone/sign"])


@pytest.mark.usefixtures("page")
async def test_what_the_engine_refuses_is_told_by_its_code(
    hass: HomeAssistant, loaded: MockConfigEntry, engine: FakeEngine, hass_ws_client: WebSocketGenerator
) -> None:
    engine.refuse["case/confirm"] = ("conflict", "seen: the verdict changed meanwhile")
    answer = await ask(await hass_ws_client(hass), loaded, "case/confirm", case="K7QF-2M9D", seen="1")
    assert (answer["error"]["code"], answer["error"]["message"]) == ("conflict", "seen: the verdict changed meanwhile")


@pytest.mark.parametrize(
    "command", ["zone/sign", "zone/act", "subscribe", "camera/add", "retention/purge", "token/list"]
)
@pytest.mark.usefixtures("page")
async def test_nothing_else_can_be_asked(
    hass: HomeAssistant, loaded: MockConfigEntry, engine: FakeEngine, hass_ws_client: WebSocketGenerator, command: str
) -> None:
    asked = len(engine.of(command))
    answer = await ask(await hass_ws_client(hass), loaded, command)
    assert answer["error"]["code"] == "invalid_format"
    assert len(engine.of(command)) == asked


@pytest.mark.usefixtures("page")
async def test_what_is_given_to_a_command_cannot_make_it_another(
    hass: HomeAssistant, loaded: MockConfigEntry, engine: FakeEngine, hass_ws_client: WebSocketGenerator
) -> None:
    socket = await hass_ws_client(hass)
    for word in ("type", "command"):
        given = {word: "camera/remove", "id": 1, "camera": "north"}
        assert (await ask(socket, loaded, "case/list", **given))["success"]
    assert engine.of("camera/remove") == []
    assert sum("camera" in asked for asked in engine.of("case/list")) == 2


@pytest.mark.usefixtures("page")
async def test_it_answers_administrators_only(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    engine: FakeEngine,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: MockUser,
) -> None:
    hass_admin_user.groups = []
    socket = await hass_ws_client(hass)
    for command in ("things", "case/get", "subject/get"):
        assert (await ask(socket, loaded, command))["error"]["code"] == "unauthorized"
    assert engine.of("case/get") == engine.of("subject/get") == []


async def test_nothing_of_it_is_kept_or_logged(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    page: None,
    engine: FakeEngine,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    await load(hass, entry)
    log_all(caplog)
    engine.answers = {
        "referral/add": lambda asked: {"referral": "r-1", **{key: asked[key] for key in ("contact", "broker")}},
        "subject/get": {"alias": "amber otter 42", "reviews": [PLANTED]},
        "referral/list": [{"referral": "r-1", "broker": PLANTED["name"]}],
        "case/get": {**case("K7QF-2M9D"), "history": [PLANTED]},
    }
    engine.cases = {"K7QF-2M9D": case("K7QF-2M9D")}
    engine.refuse["visit/check_in"] = ("invalid", f"contact: {PLANTED['contact']} of {PLANTED['name']} is no number")
    socket = await hass_ws_client(hass)
    answers = [
        await ask(socket, entry, "referral/add", contact=PLANTED["contact"], broker=PLANTED["name"], partner="acme"),
        await ask(socket, entry, "visit/check_in", contact=PLANTED["contact"], source=PLANTED["name"], zone="desk"),
        await ask(socket, entry, "subject/get", alias="amber otter 42"),
        await ask(socket, entry, "referral/list"),
        await ask(socket, entry, "case/get", case="K7QF-2M9D"),
        await ask(socket, entry, "case/send_back", case="K7QF-2M9D", reason=PLANTED["reason"]),
    ]
    assert all(text in json.dumps(answers) for text in PLANTED.values())
    await socket.send_json_auto_id({"type": "get_config"})
    await socket.receive_json()
    await restore_state.async_get(hass).async_dump_states()
    await hass.async_block_till_done()
    await async_wait_recording_done(hass)
    states = json.dumps([state.as_dict() for state in hass.states.async_all()], cls=JSONEncoder)
    recorded = await recorder_mock.async_add_executor_job(lambda: everything_recorded(recorder_mock))
    assert "get_config" in caplog.text  # the hub does log what goes over its WebSocket
    assert "event.desk_visit" in recorded
    for place, text in {
        "states": states,
        "recorder": recorded,
        "storage": json.dumps(hass_storage, default=str),
        "log": caplog.text,
    }.items():
        for what, canary in PLANTED.items():
            assert canary not in text, f"{what} in {place}"
    assert TOKEN not in caplog.text
    assert await hass.config_entries.async_unload(entry.entry_id)


def everything_recorded(recorder: Recorder) -> str:
    """The recorder's whole database as text."""
    with session_scope(session=recorder.get_session(), read_only=True) as session:
        return "\n".join(session.connection().connection.dbapi_connection.iterdump())
