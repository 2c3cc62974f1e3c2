"""RTP packets (RFC 3550) with H.264 (RFC 6184) and H.265 (RFC 7798) payloads, and the SDP that describes them."""

from __future__ import annotations

import base64
import secrets
import struct
from collections.abc import Iterable, Iterator

from demo.feed import AccessUnit, Recording, nal_kind

CLOCK = 90_000  # ticks per second of the RTP timestamp of every video payload
PAYLOAD_TYPE = 96
_LIMIT = 1_400  # bytes of payload, so that a packet also fits where cameras usually live: an Ethernet frame
_STAP_A, _FU_A = 24, 28  # H.264
_AP, _FU = 48, 49  # H.265
_SMALL = 256  # parameter sets and SEI: put together into one packet


class Packetiser:
    """Turns access units into RTP packets of one synchronisation source."""

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._sequence = secrets.randbelow(0x10000)
        self._source = secrets.randbits(32)

    @property
    def next_sequence(self) -> int:
        """The sequence number of the packet to come, as `RTP-Info` announces it."""
        return self._sequence

    def packets(self, unit: AccessUnit, timestamp: int) -> Iterator[bytes]:
        """Every packet of one frame, the last one marked. `timestamp` is in ticks."""
        payloads = list(_payloads(self._codec, unit.nals))
        for index, payload in enumerate(payloads):
            marker = 0x80 if index == len(payloads) - 1 else 0
            header = struct.pack("!BBHII", 0x80, marker | PAYLOAD_TYPE, self._sequence, timestamp, self._source)
            self._sequence = (self._sequence + 1) & 0xFFFF
            yield header + payload


def ticks(moment: float) -> int:
    """The RTP timestamp of a moment in seconds."""
    return round(moment * CLOCK) & 0xFFFFFFFF


def describe(recording: Recording, host: str, name: str) -> str:
    """The session description of one camera stream, its only track under `trackID=1`."""
    return "\r\n".join(
        [
            "v=0",
            f"o=- {secrets.randbits(31)} 1 IN IP4 {host}",
            f"s={name}",
            "c=IN IP4 0.0.0.0",
            "t=0 0",
            "a=control:*",
            "a=range:npt=now-",
            f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
            f"a=rtpmap:{PAYLOAD_TYPE} {'H264' if recording.codec == 'h264' else 'H265'}/{CLOCK}",
            f"a=fmtp:{PAYLOAD_TYPE} {_format(recording)}",
            f"a=framerate:{recording.fps}",
            f"a=x-dimensions:{recording.width},{recording.height}",
            "a=recvonly",
            "a=control:trackID=1",
            "",
        ]
    )


def _format(recording: Recording) -> str:
    sets = [base64.b64encode(nal).decode() for nal in recording.parameters]
    if recording.codec == "h264":
        profile = recording.parameters[0][1:4].hex().upper()
        return f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={','.join(sets)}"
    return ";".join(f"{key}={value}" for key, value in zip(("sprop-vps", "sprop-sps", "sprop-pps"), sets, strict=True))


def _payloads(codec: str, nals: Iterable[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    for nal in nals:
        if len(nal) <= _SMALL and sum(map(len, waiting)) + len(nal) < _LIMIT - _SMALL:
            waiting.append(nal)
            continue
        yield from _together(codec, waiting)
        waiting = []
        yield from _apart(codec, nal)
    yield from _together(codec, waiting)


def _together(codec: str, nals: list[bytes]) -> Iterator[bytes]:
    """Small NAL units in one aggregation packet."""
    if len(nals) < 2:
        yield from nals
        return
    urgent = max(nal[0] & 0x60 for nal in nals)  # H.264's nal_ref_idc: a packet takes the highest of its parts
    head = bytes([urgent | _STAP_A]) if codec == "h264" else bytes([_AP << 1, nals[0][1]])
    yield head + b"".join(struct.pack("!H", len(nal)) + nal for nal in nals)


def _apart(codec: str, nal: bytes) -> Iterator[bytes]:
    """A large NAL unit in fragments."""
    if len(nal) <= _LIMIT:
        yield nal
        return
    kind = nal_kind(codec, nal)
    if codec == "h264":
        head, body = bytes([nal[0] & 0xE0 | _FU_A]), nal[1:]
    else:
        head, body = bytes([nal[0] & 0x81 | _FU << 1, nal[1]]), nal[2:]
    for start in range(0, len(body), _LIMIT):
        first = 0x80 if start == 0 else 0
        last = 0x40 if start + _LIMIT >= len(body) else 0
        yield head + bytes([first | last | kind]) + body[start : start + _LIMIT]
