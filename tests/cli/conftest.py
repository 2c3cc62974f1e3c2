"""A site whose engine is served here, and the command line beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from command import Shell
from small_engine import Site, served

from nvr_bridge.config import load_config


@pytest.fixture
def shell(tmp_path: Path, unused_tcp_port: int) -> Shell:
    """A folder with a site's settings; nothing runs yet."""
    (tmp_path / "bridge.yaml").write_text(f"""
name: Riverside sales office
listen: {{host: 127.0.0.1, port: {unused_tcp_port}}}
discovery: {{interfaces: [127.0.0.1]}}
profile: demo
zones:
  entrance: {{name: Entrance, kind: observe}}
  lane: {{name: Lane, kind: opt_in_lane}}
""")
    return Shell(tmp_path)


@pytest.fixture
async def site(shell: Shell) -> AsyncIterator[Site]:
    """The engine of that site runs."""
    async with served(load_config(shell.folder / "bridge.yaml")) as site:
        yield site
