"""What the tests of keys and records start from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from store_site import Site, open_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A new store, opened."""
    async with open_site(tmp_path / "data") as opened:
        yield opened
