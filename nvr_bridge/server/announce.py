"""Tells the local network where the engine is, so that a hub offers to add it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import Self

from zeroconf import Error as ZeroconfError
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from .. import __version__
from ..config import Config
from ..devices.discovery import interface_address
from ..errors import InvalidError
from ..protocol import SCHEMA, ZEROCONF_TYPE

_LOG = logging.getLogger(__name__)

LABEL_LIMIT = 63  # bytes of one label of a DNS name
VALUE_LIMIT = 200  # bytes of a property's value


class Announcement:
    """A DNS-SD service that lives as long as this object is started."""

    def __init__(self, responder: AsyncZeroconf) -> None:
        self._responder = responder

    @classmethod
    async def start(cls, config: Config, engine_id: str, port: int, tls_port: int | None) -> Self | None:
        """Announce. None where the network does not let it: the hub can still be given the address by hand."""
        try:
            found = await addresses(config.host)
            responder = AsyncZeroconf(interfaces=found, ip_version=IPVersion.V4Only)
        except OSError as err:
            _LOG.warning("announce: no multicast on %s (%s); give the hub this address by hand", config.host, err)
            return None
        announcement = cls(responder)
        try:
            await responder.async_register_service(
                _info(config, engine_id, port, tls_port, found), allow_name_change=True
            )
        except (OSError, ZeroconfError) as err:
            _LOG.warning("announce: failed on %s (%s); give the hub this address by hand", config.host, err)
            await announcement.stop()
            return None
        return announcement

    async def stop(self) -> None:
        """Say that the service is gone, and close."""
        await self._responder.async_unregister_all_services()
        await self._responder.async_close()


async def addresses(host: str) -> list[str]:
    """The IPv4 addresses that a client can reach `host` by."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - asked about, not listened on
        found = []
        for _, name in socket.if_nameindex():
            with contextlib.suppress(InvalidError):  # an interface without an IPv4 address
                found.append(interface_address(name))
        if not found:
            raise OSError("no interface has an IPv4 address")
        return [address for address in found if not address.startswith("127.")] or found
    loop = asyncio.get_running_loop()
    rows = await loop.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    return sorted({str(row[4][0]) for row in rows})


def _info(config: Config, engine_id: str, port: int, tls_port: int | None, found: list[str]) -> AsyncServiceInfo:
    properties = {
        "id": engine_id,
        "name": _cut(config.name, VALUE_LIMIT),
        "version": __version__,
        "schema": str(SCHEMA),
    }
    if tls_port is not None:
        properties["tls_port"] = str(tls_port)
    mark = f" {engine_id[:4]}"
    return AsyncServiceInfo(
        ZEROCONF_TYPE,
        # Sites may have one name: that their engines notice it in time is not certain where a network is slow.
        f"{_cut(config.name.replace('.', ' '), LABEL_LIMIT - len(mark))}{mark}.{ZEROCONF_TYPE}",
        port=port,
        properties=properties,
        server=f"nvr-bridge-{engine_id[:16]}.local.",
        parsed_addresses=found,
    )


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, and no half character."""
    return text.encode()[:limit].decode(errors="ignore").strip()
