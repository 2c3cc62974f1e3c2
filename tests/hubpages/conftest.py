"""Fixtures: a real hub and a real Chromium, with an engine beside them that speaks the wire or a whole one."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from browser_fixtures import browser, shots, standing
from engine_site import config, people, site, start
from hubsite import Hub, running

# The hub's tests run in an environment of their own, and lend this one file.
sys.path.insert(0, str(Path(__file__).parents[1] / "hub"))
from fake_engine import FakeEngine

__all__ = ["browser", "config", "people", "shots", "site", "standing", "start"]


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """A hub that knows of no engine yet."""
    async with running(tmp_path) as hub:
        yield hub


@pytest.fixture
async def fake() -> AsyncIterator[FakeEngine]:
    """An engine that speaks the wire and nothing else."""
    engine = FakeEngine()
    await engine.start()
    yield engine
    await engine.stop()
