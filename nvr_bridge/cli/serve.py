"""`nvr-bridge serve`: the engine, in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import resource
from typing import Annotated, Literal

import typer

from ..config import load_config
from .keys import PassphraseOption, site_passphrase
from .shared import DEFAULT_CONFIG, ConfigOption


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(serve)


def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    passphrase_file: PassphraseOption = None,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], typer.Option(help="The least that is worth a line.")
    ] = "info",
) -> None:
    """Serve a site until SIGTERM or Ctrl-C. When its `bridge.yaml` is edited, start anew with what it says then."""
    settings = load_config(config)
    from ..engine import run  # noqa: PLC0415 - only here is everything native loaded

    # The libraries' chatter is worth reading only while something is being searched for.
    others = "INFO" if log_level == "debug" else "WARNING"
    logging.basicConfig(level=others, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    logging.getLogger("nvr_bridge").setLevel(log_level.upper())
    # A core file would hold faces and keys in the clear.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asyncio.run(run(settings, config, site_passphrase(settings, passphrase_file)))
