"""`nvr-bridge recognition`: the switches of people's own hands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import InvalidError
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, given, printable, show

app = typer.Typer(help="Switch recognition off and on by hand. People are still counted.", no_args_is_help=True)

ZoneOption = Annotated[str | None, typer.Option(help="In this zone alone, from bridge.yaml.")]
CameraOption = Annotated[str | None, typer.Option(help="By this camera alone, as `cameras list` shows its id.")]


@app.command()
def off(
    zone: ZoneOption = None,
    camera: CameraOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Recognise nobody from now on, also after a restart."""
    _switch(config, as_json, zone, camera, on=False)


@app.command()
def on(
    zone: ZoneOption = None,
    camera: CameraOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Recognise again, wherever everything else allows it: `nvr-bridge status` says where, and what else is missing."""
    _switch(config, as_json, zone, camera, on=True)


def _switch(config: Path, as_json: bool, zone: str | None, camera: str | None, *, on: bool) -> None:
    if zone is not None and camera is not None:
        raise InvalidError("--zone, --camera: give one of them, or none for the whole site")
    result: Any
    if camera is not None:
        result, where = ask(config, "camera/recognition", camera=camera, on=on), f"by camera {camera}"
    else:
        result = ask(config, "engine/recognition", on=on, **given(zone=zone))
        where = "on the whole site" if zone is None else f"in zone {zone}"
    show(result, as_json, lambda: typer.echo(printable(f"Recognition {where} is switched {'on' if on else 'off'}.")))
