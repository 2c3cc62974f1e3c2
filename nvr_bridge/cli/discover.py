"""`nvr-bridge discover`: what is installed here. Works without a running engine, and writes nothing anywhere."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config import load_config
from ..errors import BridgeError, InvalidError
from .shared import CONFIG_VARIABLE, DEFAULT_CONFIG, JsonOption, password, print_table, show

if TYPE_CHECKING:
    from ..devices.credentials import Credentials
    from ..devices.device import Device
    from ..devices.discovery import Found


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(discover)


def discover(
    address: Annotated[list[str] | None, typer.Option(help="Ask this host or host:port; may be repeated.")] = None,
    interface: Annotated[
        list[str] | None, typer.Option(help="Search on this interface, by name or IPv4 address; may be repeated.")
    ] = None,
    username: Annotated[str | None, typer.Option(help="The devices' user name; tried once at each.")] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="How long to listen for answers.")] = 3.0,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", envvar=CONFIG_VARIABLE, help="Take the interfaces from this site.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the cameras and recorders that answer here, with their channels and streams.

    The password comes from NVR_BRIDGE_PASSWORD, from --password-stdin, or from a prompt.
    """
    from ..devices.credentials import Credentials  # noqa: PLC0415 - loads what only the engine needs

    secret = password(username, password_stdin)
    login = None if username is None or secret is None else Credentials(username, secret)
    if address:
        devices = asyncio.run(_at(address, login))
        if len(address) == 1 and devices[0]["error"]:
            raise _error_of(devices[0]["error"])
    else:
        devices = asyncio.run(_on(interface or _interfaces(config), login, seconds))
    show(devices, as_json, lambda: _print(devices))


async def _at(addresses: list[str], login: Credentials | None) -> list[dict[str, Any]]:
    from ..devices.credentials import LoginBook, UnsavedRefusals  # noqa: PLC0415
    from ..devices.probe import identify  # noqa: PLC0415

    book = LoginBook(UnsavedRefusals())
    devices = []
    for address in addresses:
        try:
            devices.append(_entry(address, None, await identify(address, login, book), None))
        except BridgeError as err:
            devices.append(_entry(address, None, None, err))
    return devices


async def _on(interfaces: list[str], login: Credentials | None, seconds: float) -> list[dict[str, Any]]:
    from ..devices.credentials import LoginBook, UnsavedRefusals  # noqa: PLC0415
    from ..devices.probe import survey  # noqa: PLC0415

    surveyed = await survey(interfaces, login, LoginBook(UnsavedRefusals()), seconds)
    return [_entry(each.found.address, each.found, each.device, each.error) for each in surveyed]


def _interfaces(config: Path | None) -> list[str]:
    """Those of the site; without a site, all of this machine."""
    if config is not None or DEFAULT_CONFIG.exists():
        named = list(load_config(config or DEFAULT_CONFIG).interfaces)
        if named:
            return named
    from ..devices.discovery import interface_address  # noqa: PLC0415

    found = []
    for _, name in socket.if_nameindex():
        with contextlib.suppress(InvalidError):  # an interface without an IPv4 address
            interface_address(name)
            found.append(name)
    return found


def _entry(address: str, found: Found | None, device: Device | None, error: BridgeError | None) -> dict[str, Any]:
    return {
        "address": device.address if device else address,
        "endpoint": found.endpoint if found else None,
        "kind": device.kind.value if device else None,
        "name": (found.name if found else "") or (device.name if device else ""),
        "manufacturer": device.manufacturer if device else None,
        "model": device.model if device else (found.hardware if found else None),
        "serial": device.serial if device else None,
        "clock_offset": device.clock_offset if device else None,
        "channels": [_channel(channel) for channel in device.channels] if device else [],
        "error": {"code": error.code, "message": str(error)} if error else None,
    }


def _channel(channel: Any) -> dict[str, Any]:
    return {
        "channel": channel.channel,
        "name": channel.name,
        "streams": [
            {
                "name": stream.name,
                "url": stream.url,
                "codec": stream.codec,
                "width": stream.width,
                "height": stream.height,
                "fps": stream.fps,
            }
            for stream in channel.streams
        ],
    }


def _error_of(failure: dict[str, str]) -> BridgeError:
    from ..client import error_of  # noqa: PLC0415

    return error_of(failure)


def _print(devices: list[dict[str, Any]]) -> None:
    rows = []
    for device in devices:
        first = {key: device[key] for key in ("address", "kind", "name", "model")}
        if device["error"]:
            rows.append({**first, "streams": device["error"]["message"]})
        rows += [
            {**first, "channel": f"{channel['channel']} {channel['name']}", "streams": _streams(channel)}
            for channel in device["channels"]
        ]
    headings = {"address": "Address", "kind": "Kind", "name": "Name", "model": "Model", "channel": "Channel"}
    print_table({**headings, "streams": "Streams"}, rows, "No device answered.")


def _streams(channel: dict[str, Any]) -> str:
    return ", ".join(
        f"{stream['name']} {stream['codec'] or '?'} {stream['width'] or '?'}x{stream['height'] or '?'}"
        for stream in channel["streams"]
    )
