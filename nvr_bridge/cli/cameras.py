"""`nvr-bridge cameras`: what the engine pulls."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, given, password, print_table, printable, show

app = typer.Typer(help="The cameras that the engine pulls.", no_args_is_help=True)


@app.command("list")
def list_cameras(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Cameras, and how they are."""
    cameras = ask(config, "camera/list")
    columns = {
        "id": "Id",
        "name": "Name",
        "address": "Address",
        "zone": "Zone",
        "state": "State",
        "recognition": "Recognition",
        "delivers": "Delivers",
        "reason": "Reason",
    }
    rows = [{**camera, "delivers": _delivers(camera["stream"])} for camera in cameras]
    show(cameras, as_json, lambda: print_table(columns, rows, "No cameras; find some with `nvr-bridge discover`."))


@app.command()
def add(
    address: Annotated[str, typer.Argument(help="The device's host or host:port.")],
    zone: Annotated[str, typer.Option(help="The zone that it watches, from bridge.yaml.")],
    channel: Annotated[str | None, typer.Option(help="Which channel, for a device with several.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    username: Annotated[str | None, typer.Option(help="The device's user name.")] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Pull a camera, or one channel of a recorder.

    The password comes from NVR_BRIDGE_PASSWORD, from --password-stdin, or from a prompt.
    """
    login = given(username=username, password=password(username, password_stdin))
    added = ask(config, "camera/add", address=address, zone=zone, **given(channel=channel, name=name), **login)

    def lines() -> None:
        for camera in added:
            typer.echo(printable(f"{camera['id']}: {camera['name']} is pulled into zone {camera['zone']}"))
            if not camera["recognition"]:  # it was there before
                on = f"nvr-bridge recognition on --camera {camera['id']}"
                typer.echo(printable(f"Somebody switched recognition by it off, and it stays so until: {on}"))

    show(added, as_json, lines)


@app.command()
def remove(
    camera: Annotated[str, typer.Argument(help="As `cameras list` shows its id.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Stop pulling a camera."""
    result = ask(config, "camera/remove", camera=camera)
    show(result, as_json, lambda: typer.echo(f"{camera}: removed"))


def _delivers(stream: dict[str, Any] | None) -> str | None:
    if stream is None:
        return None
    return f"{stream['codec']} {stream['width']}x{stream['height']} {stream['fps']:.0f} fps"
