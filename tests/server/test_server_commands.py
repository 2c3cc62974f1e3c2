"""Commands: who may give them, what they take, and that one never holds up another."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from aiohttp import WSCloseCode
from every_command import HASH, arguments
from small_engine import Site, until

from nvr_bridge.arguments import COMMAND_SCHEMAS, names_user, validate
from nvr_bridge.protocol import ALLOWED, Command, Role
from nvr_bridge.server import commands


def test_every_command_has_a_schema_roles_and_a_handler() -> None:
    assert set(COMMAND_SCHEMAS) == set(ALLOWED) == set(commands._HANDLERS) == set(Command)


@pytest.mark.parametrize("command", list(Command))
def test_every_command_can_be_given_by_the_tests_that_walk_them_all(command: Command) -> None:
    validate(command, arguments(command))


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_may_do_what_the_contract_allows_it_and_nothing_else(site: Site, role: Role) -> None:
    client = await site.let_in(role)
    for number, command in enumerate(Command, 1):
        answer = await client.ask(number, command, **arguments(command))
        refused = not answer["success"] and answer["error"]["code"] == "unauthorized"
        assert refused == (role not in ALLOWED[command]), (command, answer)
        assert answer["id"] == number
        if refused:
            assert str(command) in answer["error"]["message"]
            assert role in answer["error"]["message"]


@pytest.mark.parametrize(("command", "act"), commands.READS.items())
async def test_what_is_read_of_people_is_recorded_before_it_is_given(site: Site, command: Command, act: str) -> None:
    client = await site.let_in(Role.REVIEWER)
    site.engine.rows += [{"alias": "Amber Finch 12"}, {"alias": None}]
    answer = await client.ask(1, command, **arguments(command))
    found = answer["result"]["visits"] if command is Command.ATTRIBUTION_REPLAY else answer["result"]
    (token,) = await site.engine.tokens.all()
    assert found
    assert site.engine.readings.read_so_far == [(act, "reviewer", token.token_id, len(found), None)]
    site.engine.readings.disk_is_full = True
    refused = await client.ask(2, command, **arguments(command))
    assert (refused["success"], refused["error"]["code"]) == (False, "retry")


async def test_being_told_of_visits_is_reading_too(site: Site) -> None:
    client = await site.let_in(Role.HUB)
    site.engine.readings.disk_is_full = True
    assert (await client.ask(1, "subscribe"))["error"]["code"] == "retry"
    site.engine.readings.disk_is_full = False
    assert (await client.ask(2, "subscribe"))["success"]
    (token,) = await site.engine.tokens.all()
    assert site.engine.readings.read_so_far == [("read_events", "hub", token.token_id, 0, None)]


async def test_what_says_nothing_of_anybody_is_not_recorded(site: Site) -> None:
    client = await site.let_in(Role.ADMIN)
    for number, command in enumerate((Command.STATUS, Command.CAMERA_LIST, Command.TOKEN_LIST, Command.VISIT_LIST), 1):
        assert (await client.ask(number, command))["success"]
    assert site.engine.readings.read_so_far == []


async def test_arguments_reach_the_engine_checked_and_with_defaults(site: Site) -> None:
    client = await site.let_in(Role.ADMIN)
    assert (await client.ask(1, "visit/list", zone="lane", since="2026-03-02T09:00:00+08:00"))["success"]
    assert site.engine.asked[0] == ("visit_list", {"zone": "lane", "since": 1772413200.0, "limit": 1000})


REVIEWS = (Command.CASE_CONFIRM, Command.CASE_CHANGE, Command.CASE_SECOND, Command.CASE_SEND_BACK)


@pytest.mark.parametrize("command", REVIEWS)
async def test_a_review_is_by_the_token_that_it_came_with(site: Site, command: Command) -> None:
    hub = await site.let_in(Role.HUB)
    assert (await hub.ask(1, command, **arguments(command), by="u1"))["success"]
    (token,) = await site.engine.tokens.all()
    _, args, by = site.engine.asked[-1]
    assert (by, args["by"]) == (token.token_id, "u1")


NAMING = [command for command in Command if names_user(command)]


def test_a_report_is_by_something_and_an_assessment_by_somebody_and_neither_by_a_user() -> None:
    assert not {Command.REPORT_VISITS, Command.ASSESSMENT_ACKNOWLEDGE} & {*NAMING}
    assert {*REVIEWS, Command.REFERRAL_ADD, Command.RETENTION_SET, Command.CONSENT_WITHDRAW} <= {*NAMING}
    assert [command for command in NAMING if Role.HUB not in ALLOWED[command]] == []


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.HUB])
async def test_only_a_hub_says_which_of_its_users_it_was(site: Site, role: Role) -> None:
    client = await site.let_in(role)
    for number, command in enumerate((one for one in NAMING if role in ALLOWED[one]), 1):
        answer = await client.ask(number, command, **arguments(command), by="somebody else")
        assert answer["error"]["code"] == "invalid", command
        assert "by: is for a hub" in answer["error"]["message"]
    assert site.engine.asked == []


@pytest.mark.parametrize("command", NAMING)
async def test_what_a_hub_does_for_a_user_is_done(site: Site, command: Command) -> None:
    await site.engine.partner("acme")
    hub = await site.let_in(Role.HUB)
    assert (await hub.ask(1, command, **arguments(command), by="u1"))["success"]


async def test_what_a_hubs_user_reads_is_recorded_as_read_by_that_user(site: Site) -> None:
    hub = await site.let_in(Role.HUB)
    site.engine.rows += [{"referral": "r1"}]
    await hub.ask(1, "referral/list", by="u1")
    await hub.ask(2, "referral/list")
    (token,) = await site.engine.tokens.all()
    assert site.engine.readings.read_so_far == [
        ("read_referrals", "hub", token.token_id, 1, "u1"),
        ("read_referrals", "hub", token.token_id, 1, None),
    ]


@pytest.mark.parametrize(
    ("message", "message_id", "words"),
    [
        ({"id": 7, "type": "visit/lst"}, 7, "not a command"),
        ({"id": 7, "type": 5}, 7, "not a command"),
        ({"id": 7, "type": ["visit/list"]}, 7, "not a command"),
        ({"id": 7}, 7, "type"),
        ({"id": 7, "type": "visit/list", "zome": "lane"}, 7, "zome"),
        ({"id": 7, "type": "camera/remove"}, 7, "camera: is missing"),
        ({"type": "visit/list"}, 0, "id"),
        ({"id": 0, "type": "visit/list"}, 0, "id"),
        ({"id": -1, "type": "visit/list"}, 0, "id"),
        ({"id": True, "type": "visit/list"}, 0, "id"),
        ({"id": "7", "type": "visit/list"}, 0, "id"),
        ([], 0, "object"),
        ("{", 0, "JSON"),
        (b"\xff\xfe", 0, "JSON"),
        ('{"id": 7, "type": "camera/remove", "camera": "\\ud800"}', 0, "JSON"),
        ('{"id": 1e999}', 0, "id"),
        ("[" * 100_000, 0, "JSON"),
        ("1" * 10_000, 0, "JSON"),
    ],
)
async def test_what_makes_no_sense_is_answered_and_the_connection_goes_on(
    site: Site, message: object, message_id: int, words: str
) -> None:
    client = await site.let_in(Role.ADMIN)
    if isinstance(message, bytes):
        await client.socket.send_bytes(message)
    else:
        await client.socket.send_str(message if isinstance(message, str) else json.dumps(message))
    answer = await client.hear()
    assert (answer["id"], answer["success"], answer["error"]["code"]) == (message_id, False, "invalid")
    assert words in answer["error"]["message"]
    assert (await client.ask(8, "engine/status"))["success"]


async def test_an_error_of_the_engine_keeps_its_code(site: Site) -> None:
    hub = await site.let_in()
    answer = await hub.ask(3, "zone/act", zone="nowhere")
    assert answer["error"] == {"code": "not_found", "message": "zone: 'nowhere' does not exist"}


async def test_a_sign_is_reported_at_once_while_a_slow_command_runs(site: Site) -> None:
    client = await site.let_in(Role.ADMIN)
    hub = await site.let_in()
    site.engine.slow.clear()
    await client.say(id=1, type="visit/list")
    await until(lambda: bool(site.engine.asked))
    assert (await client.ask(2, "engine/status"))["id"] == 2
    for number, on in enumerate([True, False, True, False], 1):
        await hub.say(id=number, type="zone/sign", zone="lane", on=on, notice_hash=HASH)
    assert [(await hub.hear())["id"] for _ in range(4)] == [1, 2, 3, 4]
    assert [asked[3] for asked in site.engine.asked if asked[0] == "sign"] == [True, False, True, False]
    site.engine.slow.set()
    assert (await client.hear())["id"] == 1


async def test_commands_that_run_at_once_are_limited(site: Site) -> None:
    client = await site.let_in(Role.ADMIN)
    site.engine.slow.clear()
    for number in range(1, 34):
        await client.say(id=number, type="visit/list")
    refused = await client.hear()
    assert (refused["id"], refused["error"]["code"]) == (33, "rate_limited")
    site.engine.slow.set()
    assert sorted([(await client.hear())["id"] for _ in range(32)]) == list(range(1, 33))
    assert (await client.ask(34, "visit/list"))["success"]


async def test_a_message_that_is_too_long_ends_only_its_connection(site: Site) -> None:
    hub = await site.let_in()
    client = await site.let_in(Role.ADMIN)
    with contextlib.suppress(ConnectionError):  # cut off in the middle of it
        await client.socket.send_str(" " * 9_000_000)
    await until(lambda: len(site.engine.closed) == 1)
    assert (await hub.ask(1, "engine/status"))["success"]


async def test_a_photo_of_six_megabytes_gets_through(site: Site) -> None:
    client = await site.let_in(Role.KIOSK)
    photo = "A" * 8_000_000
    answer = await client.ask(1, "consent/grant", **arguments(Command.CONSENT_GRANT), photo=photo)
    assert answer["success"]
    assert site.engine.asked[0][1]["photo"] == photo


async def test_a_command_goes_on_when_the_client_that_gave_it_leaves(site: Site) -> None:
    client = await site.let_in(Role.ADMIN)
    site.engine.slow.clear()
    await client.say(id=1, type="visit/list")
    await until(lambda: bool(site.engine.asked))
    await client.socket.close()
    await until(lambda: len(site.engine.closed) == 1)
    site.engine.slow.set()
    await until(lambda: ("visit_list done",) in site.engine.asked)


async def test_a_bug_in_a_command_ends_its_connection_and_is_logged(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    class Bug:
        def is_set(self) -> bool:
            return False

        async def wait(self) -> None:
            await asyncio.sleep(0)
            raise ZeroDivisionError

    hub = await site.let_in()
    client = await site.let_in(Role.ADMIN)
    site.engine.slow = Bug()  # type: ignore[assignment]
    await client.say(id=1, type="visit/list")
    assert await client.closing() == WSCloseCode.INTERNAL_ERROR
    assert len(site.engine.closed) == 1
    assert (await hub.ask(1, "engine/status"))["success"]
    assert "ZeroDivisionError" in caplog.text
