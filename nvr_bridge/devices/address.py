"""Where a device's HTTP service is, as a person writes it and as this program keeps it."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit, urlunsplit

from ..errors import InvalidError

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")


def normal(address: str) -> str:
    """`192.0.2.7`, `192.0.2.7:8080` or `http://192.0.2.7/…` → `host:port`. Raises `InvalidError`."""
    text = address.strip()
    if text.startswith("https://"):
        raise InvalidError(f"address {address!r}: devices are asked over HTTP; give the host and its HTTP port")
    text = text.removeprefix("http://").partition("/")[0]
    host, _, port = text.rpartition(":") if re.search(r":\d+$", text) else (text, "", "80")
    if not _HOST.fullmatch(host) or not 0 < int(port) < 65536:
        raise InvalidError(f"address {address!r} is not an address; write a host, or host:port, such as 192.0.2.7:80")
    return f"{host.lower()}:{int(port)}"


def host_of(address: str) -> str:
    """The host of `host:port`."""
    return address.rpartition(":")[0]


def at_host(url: str, scheme: str, host: str) -> str | None:
    """`url` on `host`, its port and path kept, and without a login; None where it is no address of that scheme.

    A device behind a port forwarding or with two network cards names an address of its own that may not be reachable;
    the one that it was found at is.
    """
    try:
        parts = urlsplit(url.strip())
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme != scheme or not parts.netloc:
        return None
    return urlunsplit(parts._replace(netloc=f"{host}{port}"))


def no_connection(address: str, err: OSError) -> str:
    """One line for a connection that could not be made or broke, in the system's words and not a library's."""
    # asyncio puts "Connect call failed" and the address where the system's words belong.
    reason = os.strerror(err.errno) if err.errno and err.errno > 0 else err.strerror or "the connection broke"
    return f"{address}: {reason[:1].lower()}{reason[1:]}; check the address and that the device is on"
