"""Fixtures: a whole engine, and a tab of a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from browser import SHOTS, Tab, chromium, tab
from engine_site import config, people, site, start
from playwright.async_api import Browser

__all__ = ["config", "people", "site", "start"]


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where pictures of pages go."""
    folder = Path(SHOTS) if SHOTS else tmp_path / "shots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A Chromium."""
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def visitor(browser: Browser, shots: Path) -> AsyncIterator[Tab]:
    """A tab that nobody has used."""
    async with tab(browser, shots) as tab_:
        yield tab_
