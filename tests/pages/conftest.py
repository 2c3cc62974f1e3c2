"""Fixtures: a whole engine, and a tab of a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from browser import SHOTS, Tab, attached, standing_chromium, tab
from engine_site import config, people, site, start
from playwright.async_api import Browser

__all__ = ["config", "people", "site", "start"]


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where pictures of pages go."""
    folder = Path(SHOTS) if SHOTS else tmp_path / "shots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Chromium for all tests: what one keeps, no other sees, and starting one takes a second."""
    with standing_chromium(tmp_path_factory.mktemp("chromium")) as address:
        yield address


@pytest.fixture
async def browser(standing: str) -> AsyncIterator[Browser]:
    """That Chromium."""
    async with attached(standing) as browser:
        yield browser


@pytest.fixture
async def visitor(browser: Browser, shots: Path) -> AsyncIterator[Tab]:
    """A tab that nobody has used."""
    async with tab(browser, shots) as tab_:
        yield tab_
