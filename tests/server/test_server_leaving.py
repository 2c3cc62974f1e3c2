"""However a client leaves, the engine is told exactly once, and never waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct

import pytest
from aiohttp import WSCloseCode
from small_engine import Site, Wire, until

from nvr_bridge.errors import NotFoundError
from nvr_bridge.events import State
from nvr_bridge.protocol import OUTBOX_LIMIT, Role

HASH = "0" * 64


async def reported(site: Site, hub: Wire) -> str:
    """The hub reports a sign; the connection that it did so over."""
    before = len(site.engine.asked)
    await hub.ask(1, "zone/sign", zone="lane", on=True, notice_hash=HASH)
    connection: str = site.engine.asked[before][1]
    return connection


async def test_each_connection_has_a_name_of_its_own_and_ends_once(site: Site) -> None:
    hubs = [await site.let_in() for _ in range(3)]
    names = [await reported(site, hub) for hub in hubs]
    assert len(set(names)) == 3
    for hub in hubs:
        await hub.socket.close()
    await until(lambda: len(site.engine.closed) == 3)
    await site.server.stop()
    assert sorted(site.engine.closed) == sorted(names)


async def test_a_client_whose_connection_breaks_is_gone(site: Site) -> None:
    hub = await site.let_in()
    name = await reported(site, hub)
    raw: socket.socket = hub.socket.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport = hub.socket._conn.transport
    transport.abort()
    await until(lambda: site.engine.closed == [name])


async def flood(site: Site, count: int) -> None:
    """Tell everybody, again and again, giving the loop its turns as the engine does."""
    long = "x" * 20_000
    for number in range(count):
        site.engine.bus.publish(State("engine", {"name": long, "number": number}))
        await asyncio.sleep(0)


async def test_a_client_that_never_reads_is_dropped_and_nobody_waits_for_it(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, hub = await site.let_in(Role.VIEWER), await site.let_in()
    name = await reported(site, hub)
    await stuck.ask(9, "subscribe")
    stuck.socket._conn.transport.pause_reading()
    rounds = 0
    while not site.engine.closed:
        await flood(site, 100)
        rounds += 1
        assert rounds < 100, "the client was never dropped"
    assert site.engine.closed != [name]
    assert caplog.text.count(f"dropped: {OUTBOX_LIMIT} messages unread") == 1
    assert (await hub.ask(2, "engine/status"))["success"]
    await until(lambda: len(site.server._clients.everyone) == 1)


async def test_a_client_that_never_reads_its_results_is_dropped_too(site: Site) -> None:
    client = await site.let_in(Role.ADMIN)
    client.socket._conn.transport.pause_reading()
    text = json.dumps({"id": 1, "type": "engine/status"})
    with contextlib.suppress(ConnectionError):
        for _ in range(200_000):
            await client.socket.send_str(text)
            if site.engine.closed:
                break
    await until(lambda: len(site.engine.closed) == 1)


async def test_a_revoked_token_ends_its_live_connections_at_once(site: Site) -> None:
    hub, other, admin = await site.let_in(), await site.let_in(Role.VIEWER), await site.let_in(Role.ADMIN)
    name = await reported(site, hub)
    token = next(token for token in await site.engine.tokens.all() if token.role is Role.HUB)
    answer = await admin.ask(1, "token/revoke", token_id=token.token_id)
    assert answer["result"] == {"revoked": True}
    assert await hub.closing() == WSCloseCode.POLICY_VIOLATION
    assert site.engine.closed == [name]
    assert (await other.ask(1, "engine/status"))["success"]
    assert [token.role for token in await site.engine.tokens.all()] == [Role.VIEWER]
    again = await admin.ask(2, "token/revoke", token_id=token.token_id)
    assert again["error"]["code"] == NotFoundError.code


async def test_what_a_revoked_client_had_already_sent_is_not_done(site: Site) -> None:
    hub = await site.let_in()
    await reported(site, hub)
    token = (await site.engine.tokens.all())[0]
    await hub.say(id=2, type="zone/sign", zone="lane", on=True, notice_hash=HASH)
    site.server._clients.revoked(token.token_id)  # in the same turn of the loop as the message arrives
    assert await hub.closing() == WSCloseCode.POLICY_VIOLATION
    assert len(site.engine.asked) == 1


async def test_a_stopping_engine_takes_leave_of_everybody(site: Site) -> None:
    stranger, hub, subscriber, busy, stuck = (
        await site.connect(),
        await site.let_in(),
        await site.let_in(),
        await site.let_in(Role.ADMIN),
        await site.let_in(Role.VIEWER),
    )
    await stranger.hear()
    await subscriber.ask(9, "subscribe")
    site.engine.slow.clear()
    await busy.say(id=1, type="visit/list")
    await until(lambda: bool(site.engine.asked))
    stuck.socket._conn.transport.pause_reading()
    hearing = [asyncio.create_task(client.closing()) for client in (hub, subscriber, busy)]
    await site.server.stop()
    assert await asyncio.gather(*hearing) == [WSCloseCode.GOING_AWAY] * 3
    assert len(site.engine.closed) == len(set(site.engine.closed)) == 4
    assert ("visit_list done",) not in site.engine.asked
    assert not site.server._clients.everyone
    await site.server.stop()
    assert len(site.engine.closed) == 4
