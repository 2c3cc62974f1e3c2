"""Fixtures of every test that looks at pages: a Chromium, and where pictures go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from browser import SHOTS, attached, standing_chromium
from playwright.async_api import Browser, expect

expect.set_options(timeout=20_000)  # milliseconds: pages, hubs and engines need a moment on a busy machine


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
