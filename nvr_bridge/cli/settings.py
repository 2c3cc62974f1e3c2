"""`nvr-bridge settings`: what may be changed while the engine runs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, print_table, show

app = typer.Typer(help="What may be changed while the engine runs.", no_args_is_help=True)

_DEFAULT = "default"
_UNITS = (("d", 86400), ("h", 3600), ("min", 60))


@app.command("list")
def list_settings(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Every setting, by whose word it holds, and how far it may be changed."""
    _print(ask(config, "settings/list"), as_json)


@app.command("set")
def set_setting(
    key: Annotated[str, typer.Argument(help="The setting, as `nvr-bridge settings list` names it.")],
    value: Annotated[
        str,
        typer.Argument(help=f"A number of its unit, a duration such as 36h, a word, or {_DEFAULT!r} to take it back."),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Change a setting, or take a change back. The ledger keeps that it was changed."""
    _print(ask(config, "settings/set", key=key, value=None if value == _DEFAULT else value), as_json)


@app.command()
def history(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """What was changed of the attribution settings, when, and by whom; the newest first.

    A change holds for visits that began after it.
    """
    columns = {"since": "Since", "key": "Setting", "old": "Before", "new": "From then on", "by": "By"}
    changes = ask(config, "settings/history")
    show(changes, as_json, lambda: print_table(columns, map(_change, changes), "Nothing was changed."))


def _print(settings: list[dict[str, Any]], as_json: bool) -> None:
    columns = {"key": "Setting", "value": "Value", "default": "Default", "source": "By", "may": "May be"}
    show(settings, as_json, lambda: print_table(columns, map(_row, settings), "There is nothing to set."))


def _row(setting: dict[str, Any]) -> dict[str, Any]:
    if "options" in setting:
        return {**setting, "may": " or ".join(setting["options"])}
    unit = setting["unit"]
    told = {key: f"{setting[key]:g} {unit}" for key in ("value", "default")}
    return {**setting, **told, "may": f"{setting['min']:g} to {setting['max']:g} {unit}"}


def _change(change: dict[str, Any]) -> dict[str, Any]:
    by = (
        change["source"]
        if change["token_id"] is None
        else " of ".join(filter(None, (change["user"], change["token_id"])))
    )
    told = {key: _told(change[key]) for key in ("old", "new")}
    return {"key": change["key"], "since": change["at"] or "the beginning", "by": by, **told}


def _told(value: float | str | None) -> str | None:
    if not isinstance(value, float):
        return value
    unit, seconds = next(((unit, each) for unit, each in _UNITS if value and value % each == 0), ("s", 1))
    return f"{value / seconds:g} {unit}"
