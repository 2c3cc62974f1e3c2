"""A site that is served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from small_engine import Site, served

from nvr_bridge.config import Config, load_config

SITE = """
name: Riverside sales office
listen: {host: 127.0.0.1, port: 8645}
profile: demo
zones:
  entrance: {name: Entrance, kind: observe}
  lane: {name: Lane, kind: opt_in_lane}
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A site's settings, on any free port."""
    (tmp_path / "bridge.yaml").write_text(SITE)
    return replace(load_config(tmp_path / "bridge.yaml"), port=0)


@pytest.fixture
async def site(config: Config) -> AsyncIterator[Site]:
    """A site that is served."""
    async with served(config) as site:
        yield site
