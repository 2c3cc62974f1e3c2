"""WS-Discovery as a device does it: listens on the multicast group, and answers the questions that are meant for it."""

from __future__ import annotations

import asyncio
import socket
import struct
import uuid
from collections import deque
from collections.abc import Callable
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from nvr_bridge.devices.markup import MarkupError, parse

GROUP = ("239.255.255.250", 3702)

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_KNOWN_TYPES = {
    "NetworkVideoTransmitter": "http://www.onvif.org/ver10/network/wsdl",
    "Device": "http://www.onvif.org/ver10/device/wsdl",
}

_MATCH = """<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="{soap}" xmlns:a="{addressing}" xmlns:d="{discovery}" \
xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl">
<s:Header><a:MessageID>urn:uuid:{message}</a:MessageID><a:RelatesTo>{relates}</a:RelatesTo>
<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>
<a:Action>{discovery}/ProbeMatches</a:Action></s:Header>
<s:Body><d:ProbeMatches><d:ProbeMatch>
<a:EndpointReference><a:Address>{endpoint}</a:Address></a:EndpointReference>
<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>
<d:Scopes>{scopes}</d:Scopes><d:XAddrs>{xaddrs}</d:XAddrs><d:MetadataVersion>10</d:MetadataVersion>
</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"""


class Responder:
    """Answers for one device on one interface."""

    def __init__(
        self, interface: str, endpoint: str, xaddrs: Callable[[], list[str]], scopes: list[str], *, delay: float = 0.05
    ) -> None:
        """`interface` is an IPv4 address; `delay` seconds pass before an answer, as the standard asks."""
        self.endpoint = endpoint
        self.probes: deque[str] = deque(maxlen=1_000)  # message ids of the questions that it answered
        self._interface = interface
        self._xaddrs = xaddrs
        self._scopes = scopes
        self._delay = delay
        self._transport: asyncio.DatagramTransport | None = None
        self._pending: set[asyncio.TimerHandle] = set()

    async def start(self) -> None:
        """Join the group. Several responders share the port. Raises `OSError`."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            listener.setblocking(False)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(GROUP)
            member = struct.pack("4s4s", socket.inet_aton(GROUP[0]), socket.inet_aton(self._interface))
            listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        except OSError:
            listener.close()
            raise
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Receiver(self._heard), sock=listener
        )
        self._transport = transport

    async def stop(self) -> None:
        """Leave the group."""
        for timer in self._pending:
            timer.cancel()
        self._pending.clear()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _heard(self, data: bytes, sender: tuple[str, int]) -> None:
        message = _question(data)
        if message is None:
            return
        self.probes.append(message)
        answer = _MATCH.format(
            soap=_SOAP,
            addressing=_ADDRESSING,
            discovery=_DISCOVERY,
            message=uuid.uuid4(),
            relates=escape(message),
            endpoint=escape(self.endpoint),
            scopes=escape(" ".join(self._scopes)),
            xaddrs=escape(" ".join(self._xaddrs())),
        ).encode()
        loop = asyncio.get_running_loop()
        self._pending = {timer for timer in self._pending if timer.when() > loop.time()}
        self._pending.add(loop.call_later(self._delay, self._send, answer, sender))

    def _send(self, answer: bytes, receiver: tuple[str, int]) -> None:
        if self._transport is not None:
            self._transport.sendto(answer, receiver)


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._heard(data, addr)


def _question(data: bytes) -> str | None:
    """The message id of a Probe that asks for a device like this; None for everything else on the group."""
    try:
        envelope = parse(data)
    except MarkupError:
        return None
    action = envelope.findtext(f"{{{_SOAP}}}Header/{{{_ADDRESSING}}}Action", "").strip()
    message = envelope.findtext(f"{{{_SOAP}}}Header/{{{_ADDRESSING}}}MessageID", "").strip()
    probe = envelope.find(f"{{{_SOAP}}}Body/{{{_DISCOVERY}}}Probe")
    if probe is None or action != f"{_DISCOVERY}/Probe" or not message or not _wanted(probe, data):
        return None
    return message


def _wanted(probe: Element, data: bytes) -> bool:
    """No types asked for, or one of ours, its namespace declared."""
    asked = probe.findtext(f"{{{_DISCOVERY}}}Types", "").split()
    names = [name.rpartition(":")[2] for name in asked]
    return not asked or any(name in _KNOWN_TYPES and _KNOWN_TYPES[name].encode() in data for name in names)
