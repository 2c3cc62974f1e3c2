"""`nvr-bridge serve` as a service manager runs it."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator

import pytest
from command import ROOT, Shell

from nvr_bridge.client import pair

pytestmark = pytest.mark.needs_models


@pytest.fixture
async def engine(shell: Shell) -> AsyncIterator[asyncio.subprocess.Process]:
    """An engine that was told to serve."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nvr_bridge", "serve"),
        cwd=shell.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=asyncio.subprocess.PIPE,
    )
    yield process
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def heard(process: asyncio.subprocess.Process, pattern: str) -> re.Match[str]:
    """Read the log up to a line in which `pattern` is."""
    assert process.stderr
    lines = []
    async for line in process.stderr:
        lines.append(line.decode())
        if found := re.search(pattern, lines[-1]):
            return found
    pytest.fail(f"never said {pattern}:\n{''.join(lines)}")


async def test_an_engine_serves_until_it_is_told_to_stop(shell: Shell, engine: asyncio.subprocess.Process) -> None:
    code = await heard(engine, r"pairing code: (\d{4} \d{4})")
    status = (await shell("status", "--json")).json
    assert [zone["armed"] for zone in status["zones"]] == [False, False]
    site = (shell.folder / "bridge.yaml").read_text()
    port = re.search(r"port: (\d+)", site)
    assert port
    assert (await pair(f"127.0.0.1:{port[1]}", code[1], "Home Assistant")).role == "hub"

    assert "is in use by a running engine; stop it first" in (await shell.process("serve")).complaint
    (shell.folder / "other.yaml").write_text(site + "data_dir: other\n")
    in_use = (await shell.process("serve", "--config", "other.yaml")).complaint
    assert f"listen.port: {port[1]} on 127.0.0.1 is in use by another program" in in_use

    engine.terminate()
    await heard(engine, r"stopping$")
    assert await engine.wait() == 0
    assert "no engine answers" in (await shell("status")).complaint
    assert (await shell("wipe", "--yes")).code == 0
