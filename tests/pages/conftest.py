"""Fixtures: a whole engine, and a tab of a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from browser import Tab, tab
from browser_fixtures import browser, shots, standing
from engine_site import config, people, site, start
from playwright.async_api import Browser

__all__ = ["browser", "config", "people", "shots", "site", "standing", "start"]


@pytest.fixture
async def visitor(browser: Browser, shots: Path) -> AsyncIterator[Tab]:
    """A tab that nobody has used."""
    async with tab(browser, shots) as tab_:
        yield tab_
