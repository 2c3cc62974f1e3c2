"""All commands, and how they end: a `BridgeError` is one line on stderr and exit code 1, wrong usage exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from .. import __version__
from ..errors import AskError, BridgeError
from . import (
    attribution,
    cameras,
    cases,
    compliance,
    consent,
    desk,
    discover,
    erasure,
    evaluate,
    evidence,
    keys,
    ledger,
    lists,
    models,
    recognition,
    referrals,
    retention,
    serve,
    settings,
    signings,
    site,
    subject,
    tokens,
)
from .shared import printable

EXTRA = "engine"

app = typer.Typer(
    name="nvr-bridge",
    help="Consented visitor attribution for the cameras and the Home Assistant hub a property already has.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback is for bugs, and then all of it
    rich_markup_mode=None,
)
serve.register(app)
discover.register(app)
tokens.register(app)
site.register(app)
app.add_typer(cameras.app, name="cameras")
desk.register(lists.visits)
app.add_typer(lists.visits, name="visits")
app.add_typer(lists.sightings, name="sightings")
app.add_typer(compliance.app, name="compliance")
app.add_typer(consent.app, name="consent")
app.add_typer(subject.app, name="subject")
app.add_typer(desk.passes, name="passes")
app.add_typer(signings.app, name="signings")
app.add_typer(signings.staff, name="staff")
app.add_typer(signings.identities, name="identities")
app.add_typer(referrals.partners, name="partners")
app.add_typer(referrals.app, name="referrals")
app.add_typer(keys.app, name="keys")
app.add_typer(recognition.app, name="recognition")
app.add_typer(retention.app, name="retention")
app.add_typer(settings.app, name="settings")
app.add_typer(models.app, name="models")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(attribution.app, name="attribution")
app.add_typer(cases.app, name="cases")
cases.register(app)
app.add_typer(ledger.app, name="ledger")
app.add_typer(evidence.app, name="evidence")
app.add_typer(erasure.app, name="erasure")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nvr-bridge {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """What every command shares."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, by default the one that the process was started with. Ends by `SystemExit`."""
    try:
        app(arguments)
    except BridgeError as err:
        _fail([err])
    except ModuleNotFoundError as err:
        if err.name is None or err.name.split(".")[0] not in _ENGINE_MODULES:
            raise
        _fail([AskError(f"{err.name} is not installed here; install nvr-bridge[{EXTRA}] to use this command")])
    except BaseExceptionGroup as group:
        # The engine's tasks end together, and so do their errors.
        said, unsaid = group.split(BridgeError)
        if unsaid is not None or said is None:
            raise
        _fail(_leaves(said))


_ENGINE_MODULES = {
    "aiosqlite",
    "alembic",
    "av",
    "cryptography",
    "cv2",
    "numpy",
    "onnx",
    "onnxruntime",
    "onvif",
    "prometheus_client",
    "sqlalchemy",
    "usearch",
    "zeroconf",
}


def _leaves(group: BaseExceptionGroup[BridgeError]) -> list[BridgeError]:
    found: list[BridgeError] = []
    for err in group.exceptions:
        found += _leaves(err) if isinstance(err, BaseExceptionGroup) else [err]
    return found


def _fail(errors: list[BridgeError]) -> None:
    for line in dict.fromkeys(" ".join(printable(str(err)).split()) for err in errors):
        typer.echo(f"nvr-bridge: {line}", err=True)
    sys.exit(1)
