"""One device is asked one question at a time, and of devices that nobody asks nothing is kept."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from nvr_bridge.devices.turns import Turns
from nvr_bridge.errors import UnreachableError
from nvr_bridge.fleet import Fleet


async def test_who_asks_one_device_waits_for_who_came_before(turns: Turns) -> None:
    at_once, most = 0, 0

    async def ask(address: str) -> None:
        nonlocal at_once, most
        async with turns.at(address):
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0)
            at_once -= 1

    await asyncio.gather(*[ask("192.0.2.1:80") for _ in range(5)])
    assert most == 1
    await asyncio.gather(*[ask(f"192.0.2.{number}:80") for number in range(5)])
    assert most == 5


async def test_of_devices_that_nobody_asks_nothing_is_kept(turns: Turns) -> None:
    async with turns.at("192.0.2.1:80"):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01), turns.at("192.0.2.1:80"):
                raise AssertionError("it was somebody else's turn")
        assert len(turns) == 1
    for number in range(1000):
        async with turns.at(f"192.0.2.{number}:80"):
            pass
    assert len(turns) == 0


async def test_addresses_that_somebody_tries_are_forgotten(fleet: Fleet) -> None:
    login = {"username": "viewer", "password": "guess"}
    for port in range(1, 6):  # where nothing answers
        with pytest.raises(UnreachableError):
            await fleet.discover({"address": f"127.0.0.1:{port}", **login})
    assert (len(fleet._turns), len(fleet._book._turns)) == (0, 0)


@pytest.fixture
def turns() -> Turns:
    """Nobody asks yet."""
    return Turns()
