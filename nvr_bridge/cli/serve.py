"""`nvr-bridge serve`: the engine, in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import logging
import resource
import sys
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
    _keep_memory_private()
    asyncio.run(run(settings, config, site_passphrase(settings, passphrase_file)))


_PR_SET_DUMPABLE = 4


def _keep_memory_private() -> None:
    """A core file would hold faces and keys in the clear. Of a crash there is the stack: files, lines and names, no values."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # also where a program of the system takes the cores, which the limit does not bind
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    faulthandler.enable()
