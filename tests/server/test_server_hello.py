"""The server speaks first, and either side refuses the other with a typed error."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import WSCloseCode, web
from small_engine import Site, until

from nvr_bridge import __version__
from nvr_bridge.client import Client, pair
from nvr_bridge.errors import IncompatibleError, RetryError, UnauthorizedError, UnreachableError
from nvr_bridge.protocol import Role
from nvr_bridge.server.websocket import STRANGERS_AT_ONCE, STRANGERS_OF_ONE


async def test_the_server_says_who_it_is_before_anything_is_asked(site: Site) -> None:
    client = await site.connect()
    assert await client.hear() == {
        "type": "hello",
        "engine_id": site.engine.engine_id,
        "name": "Riverside sales office",
        "version": __version__,
        "schema": 1,
        "oldest_schema": 1,
    }


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ('{"type": "auth", "schema": 1, "token": "nonsense"}', "unauthorized", "pair again"),
        ('{"type": "auth", "schema": 2, "token": "x"}', "incompatible", "update the engine"),
        ('{"type": "auth", "schema": 0, "token": "x"}', "incompatible", "update the client"),
        ('{"type": "auth", "schema": "1", "token": "x"}', "invalid", "schema"),
        ('{"type": "auth", "token": "x"}', "invalid", "schema"),
        ('{"type": "auth", "schema": 1}', "invalid", "token"),
        ('{"type": "auth", "schema": 1, "token": ""}', "unauthorized", "token"),
        ('{"type": "auth", "schema": 1, "token": "\\ud800"}', "invalid", "JSON"),
        ('{"type": "pair", "schema": 1, "code": "12345678", "name": "hub"}', "unauthorized", "nvr-bridge pair"),
        ('{"type": "pair", "schema": 1, "code": 12345678, "name": "hub"}', "invalid", "code"),
        ('{"type": "engine/status", "id": 1}', "invalid", "auth or pair"),
        ("[1]", "invalid", "object"),
        ("{", "invalid", "JSON"),
        ("[" * 100_000, "invalid", "JSON"),
    ],
)
async def test_who_cannot_be_let_in_hears_why_and_is_closed(site: Site, said: str, code: str, words: str) -> None:
    client = await site.connect()
    await client.hear()
    await client.socket.send_str(said)
    refused = await client.hear()
    assert (refused["type"], refused["code"]) == ("auth_failed", code)
    assert words in refused["message"]
    assert await client.closing() == WSCloseCode.POLICY_VIOLATION
    assert site.engine.closed == []  # it was never in


async def test_who_leaves_without_a_word_is_forgotten(site: Site) -> None:
    client = await site.connect()
    await client.hear()
    await client.socket.close()
    assert (await (await site.let_in()).ask(1, "engine/status"))["success"]


async def test_strangers_are_limited_and_keep_out_neither_who_was_let_in_nor_who_comes(site: Site) -> None:
    hub = await site.let_in()
    strangers = [await site.connect() for _ in range(3 * STRANGERS_OF_ONE)]
    for stranger in strangers:
        assert (await stranger.hear())["type"] == "hello"
    for gone in strangers[:-STRANGERS_OF_ONE]:
        assert await gone.closing() is not None
    assert len(site.server._clients.everyone) <= STRANGERS_OF_ONE + 1
    assert (await hub.ask(1, "engine/status"))["success"]
    assert (await (await site.let_in()).ask(1, "engine/status"))["success"]
    assert (await hub.ask(2, "engine/status"))["success"]


async def test_strangers_from_one_address_do_not_send_away_those_from_another(site: Site) -> None:
    other = await site.connect("127.0.0.2")
    for _ in range(2 * STRANGERS_OF_ONE):
        await site.connect()
    await other.hear()
    await other.say(type="auth", schema=1, token=await site.token(Role.HUB))
    assert (await other.hear())["type"] == "auth_ok"


async def test_from_however_many_addresses_only_so_many_are_waited_for(site: Site) -> None:
    first = await site.connect("127.0.1.1")
    await first.hear()
    for number in range(STRANGERS_AT_ONCE):
        await site.connect(f"127.0.2.{number + 1}")
    assert await first.closing() is not None
    assert (await (await site.let_in()).ask(1, "engine/status"))["success"]
    assert len(site.server._clients.everyone) <= STRANGERS_AT_ONCE + 1


async def test_the_client_pairs_and_then_comes_back_with_its_token(site: Site) -> None:
    code = site.server.authority.pairing_code(Role.VIEWER)
    paired = await pair(site.url, str(code), "Lobby screen")
    assert (paired.role, paired.engine_id) == ("viewer", site.engine.engine_id)
    async with Client.connect(site.url, token=paired.token) as client:
        assert client.role == "viewer"
        assert (await client.call("engine/status"))["id"] == site.engine.engine_id
    assert [token.name for token in await site.engine.tokens.all()] == ["Lobby screen"]


async def test_the_client_says_what_refused_it(site: Site) -> None:
    with pytest.raises(UnauthorizedError):
        async with Client.connect(site.url, token="nonsense"):
            pass
    with pytest.raises(UnauthorizedError, match="used or expired"):
        await pair(site.url, "0000 0000", "hub")


@pytest.mark.parametrize(
    ("hello", "error"),
    [
        ({"type": "hello", "schema": 9, "oldest_schema": 2}, IncompatibleError),
        ({"type": "hello", "schema": 0, "oldest_schema": 0}, IncompatibleError),
        ({"type": "welcome"}, UnreachableError),
        (None, UnreachableError),
    ],
)
async def test_the_client_refuses_a_server_that_it_cannot_speak_to(
    hello: dict[str, Any] | None, error: type[Exception], unused_tcp_port: int
) -> None:
    async def greet(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(json.dumps(hello) if hello else "not JSON")
        await socket.receive()
        return socket

    app = web.Application()
    app.router.add_get("/ws", greet)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    try:
        with pytest.raises(error):
            async with Client.connect(f"127.0.0.1:{unused_tcp_port}", token="x"):
                pass
    finally:
        await runner.cleanup()


async def test_the_client_says_that_nobody_answers(unused_tcp_port: int) -> None:
    with pytest.raises(UnreachableError, match=f"127.0.0.1:{unused_tcp_port}"):
        async with Client.connect(f"127.0.0.1:{unused_tcp_port}", token="x"):
            pass


async def test_the_client_ends_what_it_waits_for_when_the_engine_stops(site: Site) -> None:
    site.engine.slow.clear()
    async with Client.connect(site.url, token=site.admin_token()) as client:
        await client.subscribe()
        waiting = asyncio.create_task(client.call("visit/list"))
        await until(lambda: bool(site.engine.asked))
        await site.server.stop()
        with pytest.raises(RetryError, match="closed the connection"):
            await waiting
        with pytest.raises(RetryError, match="it is stopping"):
            async for _ in client.pushes():
                pass
