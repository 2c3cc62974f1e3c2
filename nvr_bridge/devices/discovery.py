"""Finding devices by WS-Discovery: a multicast question on the interfaces that were given, and whoever answers.

The question goes out from each interface by itself (`IP_MULTICAST_IF`), so that it reaches the cameras' network also
where the default route is another one, and so that it works on loopback.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import random
import socket
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from ..errors import InvalidError, UnreachableError
from .markup import MarkupError, every, parse, text

_LOGGER = logging.getLogger(__name__)

GROUP = ("239.255.255.250", 3702)
REPEATS = 3  # UDP loses packets, and cheap cameras answer every other question
# Cameras and recorders that follow the first profile answer to the first type only, newer devices to either.
TYPES = ("dn:NetworkVideoTransmitter", "tds:Device")

_PROBE = """<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" \
xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">\
<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>\
<a:MessageID>urn:uuid:{message}</a:MessageID>\
<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>\
<s:Body><d:Probe xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" \
xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl">\
<d:Types>{types}</d:Types></d:Probe></s:Body></s:Envelope>"""


@dataclass(frozen=True, slots=True)
class Found:
    """A device that answered."""

    address: str  # host:port of its HTTP service
    endpoint: str  # the device's own stable identifier
    name: str
    hardware: str
    xaddrs: tuple[str, ...]  # every service address that it named


async def discover(interfaces: Sequence[str], seconds: float = 3.0) -> list[Found]:
    """Everything that answers on `interfaces` (names or IPv4 addresses) within `seconds`, sorted by address.

    Raises `InvalidError` for an interface that does not exist and `UnreachableError` for one that cannot multicast.
    """
    loop = asyncio.get_running_loop()
    found: dict[str, Found] = {}
    transports: list[asyncio.DatagramTransport] = []
    try:
        for interface in dict.fromkeys(interfaces):
            probe_socket = _socket(interface)
            transport, _ = await loop.create_datagram_endpoint(lambda: _Listener(found), sock=probe_socket)
            transports.append(transport)
        pause = min(seconds / (2 * REPEATS), 0.5)
        ends = loop.time() + seconds
        for _ in range(REPEATS):
            for transport in transports:
                for types in TYPES:
                    message = _PROBE.format(message=uuid.uuid4(), types=types)
                    transport.sendto(message.encode(), GROUP)
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
        await asyncio.sleep(max(0.0, ends - loop.time()))
    finally:
        for transport in transports:
            transport.close()
    return sorted(found.values(), key=lambda device: device.address)


def interface_address(interface: str) -> str:
    """The IPv4 address of an interface given by name or already by address. Raises `InvalidError`."""
    try:
        return str(ipaddress.IPv4Address(interface))
    except ValueError:
        pass
    import fcntl  # noqa: PLC0415 - names are resolved on Linux only; addresses work everywhere

    request = struct.pack("256s", interface.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        try:
            answer = fcntl.ioctl(asker.fileno(), 0x8915, request)  # SIOCGIFADDR
        except OSError:
            names = ", ".join(name for _, name in socket.if_nameindex())
            raise InvalidError(
                f"interface {interface!r}: not there, or without an IPv4 address; choose one of {names}"
            ) from None
    return socket.inet_ntoa(answer[20:24])


def _socket(interface: str) -> socket.socket:
    address = interface_address(interface)
    probe_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        probe_socket.setblocking(False)
        probe_socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        probe_socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        probe_socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        probe_socket.bind((address, 0))
    except OSError as err:
        probe_socket.close()
        raise UnreachableError(
            f"interface {interface!r}: cannot send multicast: {err.strerror}; check its address"
        ) from err
    return probe_socket


class _Listener(asyncio.DatagramProtocol):
    """Collects answers, one entry per device."""

    def __init__(self, found: dict[str, Found]) -> None:
        self._found = found

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        try:
            answers = list(every(parse(data), "ProbeMatch"))
        except MarkupError as err:
            _LOGGER.debug("%s: an answer that is no WS-Discovery: %s", addr[0], err)
            return
        for answer in answers:
            device = _found(answer, str(addr[0]))
            if device is not None:
                _add(self._found, device)

    def error_received(self, exc: Exception) -> None:
        _LOGGER.debug("WS-Discovery: %s", exc)


def _add(found: dict[str, Found], device: Found) -> None:
    """One entry per endpoint; but cloned cameras share an endpoint, and then their addresses tell them apart."""
    known = found.get(device.endpoint)
    if known is None:
        found[device.endpoint] = device
    elif not set(known.xaddrs) & set(device.xaddrs):
        found.setdefault(f"{device.endpoint} {device.address}", device)


def _found(answer: Element, sender: str) -> Found | None:
    urls = [url for url in text(answer, "XAddrs").split() if url.startswith("http://")]
    addresses = [_address(url) for url in urls]
    usable = [address for address in addresses if address is not None]
    if not usable:
        return None
    # A device with several network cards names them all; the one that it answered from is the one that is reachable.
    address = next((one for one in usable if one.rpartition(":")[0] == sender), usable[0])
    scopes = text(answer, "Scopes").split()
    endpoint = text(answer, "EndpointReference", "Address") or address
    return Found(address, endpoint, _scope(scopes, "name"), _scope(scopes, "hardware"), tuple(urls))


def _address(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        return None
    # Answers on IPv4 name link-local IPv6 addresses too.
    return None if host is None or ":" in host else f"{host}:{port}"


def _scope(scopes: list[str], key: str) -> str:
    prefix = f"onvif://www.onvif.org/{key}/"
    return next((unquote(scope[len(prefix) :]) for scope in scopes if scope.startswith(prefix)), "")
