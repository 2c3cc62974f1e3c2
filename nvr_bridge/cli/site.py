"""`nvr-bridge status`, `assessment` and `wipe`: the site as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from ..client import Client
from ..config import load_config
from ..store.wipe import wipe as wipe_data
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, ask, given, moment, print_table, show, with_engine

_assessment = typer.Typer(help="The site's impact assessment.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(status)
    app.command()(wipe)
    app.add_typer(_assessment, name="assessment")


def status(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """How the engine, its cameras and its zones are."""

    async def look(client: Client) -> Any:
        return (await client.subscribe())["snapshot"]

    snapshot = with_engine(config, look)
    show(snapshot, as_json, lambda: _print_status(snapshot))


@_assessment.command()
def acknowledge(
    by: Annotated[str, typer.Option(help="Who stands for it.")],
    ground: Annotated[str, typer.Option(help="The legal ground that it names.")],
    expires: Annotated[str | None, typer.Option(help="When it must be made anew, ISO 8601.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """State that the impact assessment was made, by whom, and on what ground."""
    result = ask(config, "assessment/acknowledge", by=by, ground=ground, **given(expires_at=moment(expires)))
    show(result, as_json, lambda: typer.echo(f"Acknowledged by {by}."))


@_assessment.command("list")
def list_assessments(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """The assessment in force, and those before it."""
    found = ask(config, "assessment/list")
    columns = {
        "acknowledged_at": "Acknowledged",
        "by": "By",
        "ground": "Ground",
        "profile": "Profile",
        "expires_at": "Expires",
        "in_force": "In force",
    }
    show(found, as_json, lambda: print_table(columns, found, "No assessment; see `nvr-bridge assessment acknowledge`."))


def wipe(
    config: ConfigOption = DEFAULT_CONFIG,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Decommission a site: destroy its keys and its records. The engine must be stopped. Settings stay."""
    settings = load_config(config)
    if not yes:
        typer.confirm(
            f"Destroy every record and key of {settings.name!r} in {settings.data_dir}?", abort=True, err=True
        )
    left = wipe_data(settings.data_dir)

    def lines() -> None:
        typer.echo(f"Wiped: the keys and records in {settings.data_dir} are gone; {config} stays.")
        if left:
            typer.echo(f"Not this program's, so it stays too: {', '.join(left)}")

    show({"wiped": True, "left": list(left)}, as_json, lines)


def _watched(engine: dict[str, Any]) -> Iterator[str]:
    """What whoever answers for the data should know, and do."""
    watch = engine["watch"]
    if not engine["recognition"]:
        yield "Recognition is switched off on the whole site; `nvr-bridge recognition on` switches it on"
    if not engine["armed"]:
        yield f"Recognition is not armed anywhere: {', '.join(watch['reasons']) or 'no zone may recognise'}"
    if watch["subjects_warning"] is not None and engine["subjects"] >= watch["subjects_warning"]:
        yield f"The profile warns from {watch['subjects_warning']} visitors remembered"
    if watch["to_renew"]:
        yield f"{watch['to_renew']} visitors agreed to another notice: ask them again (`nvr-bridge consent list`)"
    if watch["erasures_overdue"]:
        yield f"{watch['erasures_overdue']} erasures are overdue; the log says why"
    if not watch["log_cut"]:
        yield "The database's log still holds what was erased: another program reads the store; end that"
    yield f"Next purge: {watch['next_purge']}"


def _print_status(snapshot: dict[str, Any]) -> None:
    engine = snapshot["engine"]
    typer.echo(f"{engine['name']}: nvr-bridge {engine['version']}, profile {engine['profile']}")
    typer.echo(
        f"{engine['subjects']} visitors remembered; {engine['tracks']} faces followed, {engine['embeddings']} embedded,"
        f" {engine['embeddings_without_permit']} without a permit"
    )
    for line in _watched(engine):
        typer.echo(line)
    cameras = {"id": "Camera", "name": "Name", "zone": "Zone", "state": "State", "reason": "Reason"}
    print_table(cameras, snapshot["cameras"], "No cameras.")
    zones = {
        "id": "Zone",
        "name": "Name",
        "kind": "Kind",
        "armed": "Armed",
        "reasons": "Because",
        "people_present": "Present",
        "visits_today": "Visits",
        "returning_today": "Returning",
    }
    print_table(zones, snapshot["zones"], "No zones.")
