"""Every command of a whole engine with every role, and with tokens that open nothing; both are the enums' own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from engine_site import Site
from every_command import arguments
from small_engine import Wire

from nvr_bridge.config import Config
from nvr_bridge.protocol import ALLOWED, Command, Role

pytestmark = [pytest.mark.needs_models]


@pytest.fixture
def config(config: Config) -> Config:
    """A site without biometrics: nothing here needs a face."""
    return replace(config, profile="no_biometrics")


@pytest.fixture
async def site(start: Callable[[], Any]) -> AsyncIterator[Site]:
    """That engine, with a partner."""
    async with start() as site:
        await site.admin.call("partner/add", partner="acme", name="Acme Homes")
        yield site


async def token(site: Site, role: Role, expires_at: float | None = None) -> str:
    """A new token, or the administrator's own."""
    if role is Role.ADMIN:
        return (site.service.config.data_dir / "admin.token").read_text()
    partner = "acme" if role is Role.PARTNER else None
    return (await site.service.tokens.add("test", role, partner, expires_at))[1]


@asynccontextmanager
async def connected(site: Site) -> AsyncIterator[Wire]:
    """A client that was said hello to."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"http://127.0.0.1:{site.port}/ws") as socket:
        wire = Wire(socket)
        assert (await wire.hear())["type"] == "hello"
        yield wire


async def result(wire: Wire, number: int, command: Command) -> dict[str, Any]:
    """The answer to a command, past whatever is pushed before it."""
    await wire.say(id=number, type=command, **arguments(command))
    while True:
        heard = await wire.hear()
        if heard["type"] == "result":
            assert heard["id"] == number
            return heard


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_may_give_its_commands_and_no_other(site: Site, role: Role) -> None:
    async with connected(site) as wire:
        await wire.say(type="auth", schema=1, token=await token(site, role))
        assert (await wire.hear())["role"] == role
        for number, command in enumerate(Command, 1):
            answer = await result(wire, number, command)
            refused = not answer["success"] and answer["error"]["code"] == "unauthorized"
            assert refused == (role not in ALLOWED[command]), (command, answer)


async def test_without_a_token_there_are_no_commands(site: Site) -> None:
    for command in Command:
        async with connected(site) as wire:
            await wire.say(id=1, type=command, **arguments(command))
            assert (await wire.hear())["type"] == "auth_failed", command
            assert await wire.closing() == aiohttp.WSCloseCode.POLICY_VIOLATION, command


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_tokens_that_have_expired_or_were_revoked_open_nothing(site: Site, role: Role) -> None:
    revoked = await token(site, role)
    (last,) = [row for row in await site.admin.call("token/list") if row["role"] == role and row["name"] == "test"]
    await site.admin.call("token/revoke", token_id=last["token_id"])
    for bad in (await token(site, role, time.time() - 1), revoked):
        async with connected(site) as wire:
            await wire.say(type="auth", schema=1, token=bad)
            heard = await wire.hear()
            assert (heard["type"], heard["code"]) == ("auth_failed", "unauthorized")
            assert await wire.closing() == aiohttp.WSCloseCode.POLICY_VIOLATION
