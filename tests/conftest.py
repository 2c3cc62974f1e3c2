"""What all tests share: the guard against blocking the event loop, and the things that a machine may not have.

A test whose need is not met is skipped by name, with what to do about it; continuous integration allows no skip.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from beside import Beside, rank
from blockbuster import blockbuster_ctx
from machine import AXE, CHROMIUM, HUB, MODELS

# Where the engine may block its event loop: at start, before anything is served, and in third-party code that reads a
# small file once. Everything else that blocks belongs in a thread.
MAY_BLOCK = {
    "nvr_bridge/config.py": {"load_config"},
}
THIRD_PARTY = {
    "aiohttp/web_fileresponse.py": {"prepare"},
    "zoneinfo/_common.py": {"load_tzdata"},
    "zoneinfo/_tzpath.py": {"find_tzfile", "reset_tzpath"},
    "zeep/loader.py": {"load_external"},
}


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[None]:
    """Fail a test in which the engine blocks its event loop."""
    with blockbuster_ctx("nvr_bridge") as guard:
        for function in guard.functions.values():
            for file, names in (MAY_BLOCK | THIRD_PARTY).items():
                function.can_block_in(file, names)
        yield


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder that the default model pack is installed in."""
    _need_models()
    return MODELS


@pytest.fixture(scope="session")
def faces_dir() -> Path:
    """A labelled photo set, with a `pairs.txt`, for measuring."""
    return _need_faces()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first."""
    items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Beside | None:
    """How `--dist loadfile` is done here."""
    return Beside(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run."""
    if item.get_closest_marker("needs_models"):
        _need_models()
    if item.get_closest_marker("needs_faces"):
        _need_faces()
    if item.get_closest_marker("needs_root") and (os.geteuid() != 0 or not shutil.which("ip")):
        pytest.skip("needs root and the `ip` command, to make a network namespace")
    if item.get_closest_marker("needs_chromium") and not CHROMIUM:
        pytest.skip(
            "needs a Chromium on PATH: install the system's package `chromium`, or name one in NVR_BRIDGE_CHROMIUM"
        )
    if item.get_closest_marker("needs_hub") and not (HUB / "bin" / "python").exists():
        pytest.skip(f"needs Home Assistant in {HUB}: run `script/setup hub`, or name its environment in NVR_BRIDGE_HUB")
    if item.get_closest_marker("needs_axe") and not AXE.is_file():
        pytest.skip("needs axe-core: run `script/setup axe`")


def _need_models() -> None:
    if not (MODELS / "default").is_dir():
        pytest.skip(f"needs the default model pack in {MODELS}: run `nvr-bridge models install`")


def _need_faces() -> Path:
    named = os.environ.get("NVR_BRIDGE_FACES")
    if not named:
        pytest.skip("needs a labelled photo set with a pairs.txt: name its folder in NVR_BRIDGE_FACES")
    return Path(named)
