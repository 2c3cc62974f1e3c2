"""`nvr-bridge evaluate …`: measure a pack on labelled photos that the operator brings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ModelPackError
from .models import Dir, Json, models_dir

if TYPE_CHECKING:
    from ..vision.evaluate import Verification

app = typer.Typer(help="Measure a model pack on labelled photos.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Measure a model pack on labelled photos. Nothing is stored."""


@app.command("verification")
def verification_command(
    images: Annotated[Path, typer.Option("--images", help="Folder of photos: NAME/NAME_0001.jpg …")],
    pairs: Annotated[Path, typer.Option("--pairs", help="Which to compare, in the format of LFW's pairs.txt.")],
    pack: Annotated[str, typer.Option("--pack", help="Which pack.")] = "default",
    folder: Dir = None,
    as_json: Json = False,
) -> None:
    """Are these two photos of one person? Accuracy, and genuine pairs accepted at fixed false accept rates."""
    measured = _measure(images, pairs, pack, models_dir(folder))
    if as_json:
        typer.echo(json.dumps(_row(measured)))
        return
    typer.echo(f"accuracy     {measured.accuracy:.2%} ± {measured.deviation:.2%} ({measured.pairs} pairs)")
    for rate, share in measured.tar_at_far.items():
        typer.echo(f"TAR at FAR   {rate:g}: {share:.2%}")
    typer.echo(f"failures     {measured.failures} of {measured.images} photos show no usable face")
    typer.echo(f"time         {measured.ms_per_image:.1f} ms per photo")


# --- helpers ------------------------------------------------------------------------------------------------------


def _measure(images: Path, pairs: Path, pack: str, models: Path) -> Verification:
    from rich.console import Console  # noqa: PLC0415 - the command line starts quickly where nothing is measured
    from rich.progress import Progress  # noqa: PLC0415

    from ..consent.permit import OfflineGate  # noqa: PLC0415

    try:
        from ..vision.evaluate import verification  # noqa: PLC0415
        from ..vision.sessions import load  # noqa: PLC0415
    except ImportError as err:
        raise ModelPackError(
            f"{err.name}: missing; install the engine's libraries: pip install 'nvr-bridge[engine]'"
        ) from err
    gate = OfflineGate()
    vision = load(models, pack, spend=gate.spend)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("photos", total=None)

        def step(done: int, steps: int) -> None:
            bar.update(task, completed=done, total=steps)

        return verification(vision, gate.offline(f"evaluate {pairs}"), images, pairs, step)


def _row(measured: Verification) -> dict[str, object]:
    return {
        "accuracy": round(measured.accuracy, 5),
        "deviation": round(measured.deviation, 5),
        "threshold": round(measured.threshold, 4),
        "tar_at_far": {f"{rate:g}": round(share, 5) for rate, share in measured.tar_at_far.items()},
        "failures": measured.failures,
        "images": measured.images,
        "pairs": measured.pairs,
        "ms_per_image": round(measured.ms_per_image, 2),
    }
