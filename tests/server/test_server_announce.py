"""The engine is found on the local network, by a browser that knows nothing but the service's type.

In a network namespace of its own, so that nothing else answers and nothing leaves the machine.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from small_engine import EVERYWHERE, Site, served
from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from nvr_bridge import __version__
from nvr_bridge.config import Config
from nvr_bridge.protocol import ZEROCONF_TYPE

pytestmark = pytest.mark.needs_root

LOCAL = "10.77.0.1"


@pytest.fixture
async def network() -> AsyncIterator[None]:
    """This test's sockets are in a namespace that has loopback, a network card, and multicast on both."""
    name = f"nvr-{uuid.uuid4().hex[:8]}"
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    await _ip("netns", "add", name)
    try:
        await _ip("-n", name, "link", "add", "lan", "type", "veth", "peer", "name", "peer")
        await _ip("-n", name, "address", "add", f"{LOCAL}/24", "dev", "lan")
        for interface, route in (("lo", "224.0.0.0/4"), ("peer", None), ("lan", None)):
            await _ip("-n", name, "link", "set", interface, "up")
            if route:
                await _ip("-n", name, "route", "add", route, "dev", interface)
        away = os.open(f"/run/netns/{name}", os.O_RDONLY)
        try:
            os.setns(away, os.CLONE_NEWNET)
            yield
        finally:
            os.setns(home, os.CLONE_NEWNET)
            os.close(away)
    finally:
        await _ip("netns", "delete", name)
        os.close(home)


async def _ip(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec("ip", *arguments, stderr=subprocess.PIPE)
    _, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()


class Browser:
    """What a hub does."""

    def __init__(self) -> None:
        self.zeroconf = AsyncZeroconf(interfaces=[LOCAL])
        self.changes: asyncio.Queue[tuple[str, ServiceStateChange]] = asyncio.Queue()
        self._browser = AsyncServiceBrowser(self.zeroconf.zeroconf, ZEROCONF_TYPE, handlers=[self._changed])

    def _changed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        self.changes.put_nowait((name, state_change))

    async def next(self) -> tuple[str, ServiceStateChange]:
        async with asyncio.timeout(20):
            return await self.changes.get()

    async def info(self, name: str) -> AsyncServiceInfo:
        info = AsyncServiceInfo(ZEROCONF_TYPE, name)
        assert await info.async_request(self.zeroconf.zeroconf, 5000)
        return info

    async def close(self) -> None:
        await self._browser.async_cancel()
        await self.zeroconf.async_close()


@pytest.fixture
async def browser(network: None) -> AsyncIterator[Browser]:
    browser = Browser()
    yield browser
    await browser.close()


@pytest.mark.parametrize(
    "name", ["Riverside sales office", "滨江售楼处.一号 " * 8], ids=["short", "longer than a name can be"]
)
async def test_a_hub_finds_the_engine_and_sees_it_go(config: Config, browser: Browser, name: str) -> None:
    async with served(replace(config, host=LOCAL, announce=True, name=name.strip())) as site:
        found, change = await browser.next()
        assert change is ServiceStateChange.Added
        info = await browser.info(found)
        assert (info.parsed_addresses(), info.port) == ([LOCAL], site.server.port)
        assert info.decoded_properties == {
            "id": site.engine.engine_id,
            "name": name.encode()[:200].decode(errors="ignore").strip(),
            "version": __version__,
            "schema": "1",
        }
        await _let_in(site)
    assert await browser.next() == (found, ServiceStateChange.Removed)


async def test_where_tls_is_spoken_is_announced_too(config: Config, browser: Browser) -> None:
    async with served(replace(config, host=LOCAL, announce=True, tls_port=0)) as site:
        found, _ = await browser.next()
        properties = (await browser.info(found)).decoded_properties
        assert properties["tls_port"] == str(site.server.tls_port) != "0"


async def test_an_engine_that_listens_everywhere_announces_where_it_can_be_reached(
    config: Config, browser: Browser
) -> None:
    async with served(replace(config, host=EVERYWHERE, announce=True)):
        found, _ = await browser.next()
        assert (await browser.info(found)).parsed_addresses() == [LOCAL]


async def test_two_engines_of_one_name_are_two(config: Config, browser: Browser) -> None:
    there = replace(config, host=LOCAL, announce=True)
    async with served(there) as first, served(replace(there, data_dir=there.data_dir / "other")) as second:
        found: set[str] = set()
        while len(found) < 2:  # a name may be told of more than once
            found.add((await browser.next())[0])
        ids = {(await browser.info(name)).decoded_properties["id"] for name in found}
        assert ids == {first.engine.engine_id, second.engine.engine_id}


async def test_a_machine_that_cannot_announce_serves_all_the_same(
    config: Config, network: None, caplog: pytest.LogCaptureFixture
) -> None:
    for interface in ("lan", "lo"):
        await _ip("address", "flush", "dev", interface)
    async with served(replace(config, host=EVERYWHERE, announce=True)) as site:
        assert "give the hub this address by hand" in caplog.text
        await _ip("address", "add", "127.0.0.1/8", "dev", "lo")
        await _let_in(site)


async def _let_in(site: Site) -> None:
    assert (await (await site.let_in()).ask(1, "engine/status"))["success"]
