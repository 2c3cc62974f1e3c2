"""Devices are found by multicast, on the interfaces that are given, without being told an address."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable

import pytest

from demo.camera import HikvisionNvr, OnvifCamera, Stream
from demo.wsdiscovery import GROUP, Responder
from nvr_bridge.devices.discovery import discover, interface_address
from nvr_bridge.errors import InvalidError, UnreachableError

SECONDS = 0.6


async def test_every_device_is_listed_once(camera: OnvifCamera, nvr: HikvisionNvr) -> None:
    found = {device.address: device for device in await discover(["127.0.0.1"], SECONDS)}
    assert {camera.address, nvr.address} <= set(found)
    assert found[camera.address].name == "Lane"
    assert found[nvr.address].hardware == "DS-7608NI-K2"
    assert found[nvr.address].endpoint == nvr.responder.endpoint
    assert len(nvr.responder.probes) > 1, "the question is repeated, because the network loses some"


async def test_an_interface_may_be_given_by_name_and_twice(camera: OnvifCamera) -> None:
    found = await discover(["lo", "127.0.0.1"], SECONDS)
    assert [device.address for device in found].count(camera.address) == 1


async def test_a_device_that_is_off_is_not_listed(stream: Callable[..., Stream]) -> None:
    async with OnvifCamera("Gone", [stream("sub")]) as device:
        address = device.address
    assert address not in {found.address for found in await discover(["127.0.0.1"], SECONDS)}


async def test_nothing_is_found_where_nobody_answers() -> None:
    assert await discover([], 0.1) == []


async def test_two_devices_that_share_an_endpoint_are_both_listed() -> None:
    clones = [
        Responder("127.0.0.1", "urn:uuid:same", lambda n=n: [f"http://127.0.0.1:{n}/x"], []) for n in (8001, 8002)
    ]
    for clone in clones:
        await clone.start()
    try:
        found = {device.address for device in await discover(["127.0.0.1"], SECONDS)}
    finally:
        for clone in clones:
            await clone.stop()
    assert {"127.0.0.1:8001", "127.0.0.1:8002"} <= found


async def test_the_address_that_answered_is_taken_of_a_device_that_names_several() -> None:
    named = ["http://[fe80::1]/x", "http://192.0.2.9/x", "https://127.0.0.1/x", "http://127.0.0.1:8003/x"]
    responder = Responder("127.0.0.1", "urn:uuid:several", lambda: named, ["onvif://www.onvif.org/name/Front%20door"])
    await responder.start()
    try:
        found = await discover(["127.0.0.1"], SECONDS)
    finally:
        await responder.stop()
    device = next(one for one in found if one.endpoint == "urn:uuid:several")
    assert device.address == "127.0.0.1:8003"
    assert device.name == "Front door"


@pytest.fixture
async def rubbish() -> AsyncIterator[list[bytes]]:
    """Somebody on the network who answers every question with what is no answer."""
    junk = [
        b"",
        b"\xff\x00 nonsense",
        b"<a/>",
        b"<Envelope><Body><ProbeMatches><ProbeMatch/></ProbeMatches></Body></Envelope>",
        b"<Envelope><Body><ProbeMatch><XAddrs>http://[::1:80/ ftp://x http://h:99999/</XAddrs></ProbeMatch></Body></Envelope>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><Envelope><ProbeMatch><XAddrs>http://127.0.0.1:1/&b;</XAddrs></ProbeMatch></Envelope>',
    ]
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(GROUP)
    member = struct.pack("4s4s", socket.inet_aton(GROUP[0]), socket.inet_aton("127.0.0.1"))
    listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    listener.setblocking(False)
    sent: list[bytes] = []

    class Answerer(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            for answer in junk:
                self.transport.sendto(answer, addr)
                sent.append(answer)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Answerer, sock=listener)
    yield sent
    transport.close()


async def test_rubbish_is_passed_over(rubbish: list[bytes], camera: OnvifCamera) -> None:
    found = {device.address for device in await discover(["127.0.0.1"], SECONDS)}
    assert rubbish, "the rubbish was sent"
    assert camera.address in found
    assert "127.0.0.1:1" not in found


def test_an_interface_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(InvalidError, match=r"'nosuch0'.*choose one of .*lo"):
        interface_address("nosuch0")


async def test_an_address_that_is_not_this_machines_cannot_be_sent_from() -> None:
    with pytest.raises(UnreachableError, match=r"'192\.0\.2\.1'.*check its address"):
        await discover(["192.0.2.1"], 0.1)
