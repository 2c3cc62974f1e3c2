"""`nvr-bridge compliance pack`: drafts of the documents that a site needs, from its live settings."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ..client import Client
from ..config import load_config
from .shared import DEFAULT_CONFIG, ConfigOption, JsonOption, show, with_engine

app = typer.Typer(help="Documents for whoever answers for the data.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """A group even while it has one command."""


@app.command()
def pack(
    out: Annotated[Path, typer.Option(help="The folder to write them into.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Draft impact assessment, record of processing, sign text and retention policy, in English and Chinese.

    A starting point, not legal advice: what only a person can write is marked. The engine must be running.
    """
    from ..compliance.facts import Site  # noqa: PLC0415 - reads its words only when they are wanted
    from ..compliance.pack import write_pack  # noqa: PLC0415
    from ..consent.policy import load_policy  # noqa: PLC0415

    settings = load_config(config)
    answers = with_engine(config, _ask)
    site = Site(
        config=settings,
        policy=load_policy(settings.profile, settings.policy),
        engine=answers["snapshot"]["engine"],
        cameras=answers["snapshot"]["cameras"],
        retention=answers["retention"]["classes"],
        assessments=answers["assessments"],
        partners=len(answers["partners"]),
        made_on=datetime.now(settings.timezone).date().isoformat(),
    )
    written = write_pack(site, out)
    names = [path.name for path in written]

    def lines() -> None:
        typer.echo(f"Written to {out}: {', '.join(names)}")
        typer.echo("They are drafts, not legal advice. Fill in what is marked before anybody relies on them.")

    show({"folder": str(out), "files": names}, as_json, lines)


async def _ask(client: Client) -> dict[str, Any]:
    return {
        "snapshot": (await client.subscribe())["snapshot"],
        "retention": await client.call("retention/get"),
        "assessments": await client.call("assessment/list"),
        "partners": await client.call("partner/list"),
    }
