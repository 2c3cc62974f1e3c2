"""The demo's child processes: stopped, killed when they do not listen, and gone with the runner however it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demo.process import PAUSE, ROOT, Child, DemoError

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


async def test_output_goes_to_the_log_and_stop_ends_it(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEPER, tmp_path / "log")
    await child.start()
    await child.ready(lambda: _says(child, "up"), 20)
    assert child.running
    await child.stop()
    assert not child.running


async def test_it_can_be_killed_and_started_again(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEPER, tmp_path / "log")
    for _ in range(2):
        await child.start()
        await child.stop(signal.SIGKILL)
    assert not child.running


async def test_a_supervised_one_comes_back_until_it_is_stopped(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEPER, tmp_path / "log")
    await child.start()
    child.supervise()
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await child.ready(lambda: _is_another(child, first), 20)
    await child.stop()
    await asyncio.sleep(PAUSE + 0.5)
    assert not child.running


async def test_what_ends_too_early_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    child = Child("the engine", [sys.executable, "-c", "print('port in use')"], tmp_path / "log")
    await child.start()
    with pytest.raises(DemoError, match=r"the engine ended before it was ready(?s:.*)port in use"):
        await child.ready(lambda: _says(child, "never"), 20)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent's life")
def test_a_killed_runner_leaves_nobody_behind(tmp_path: Path) -> None:
    runner = f"""
import asyncio, sys
from pathlib import Path
from demo.process import Child
async def main():
    child = Child("sleeper", {SLEEPER!r}, Path({str(tmp_path / "log")!r}))
    await child.start()
    while "up" not in child.tail():
        await asyncio.sleep(0.05)
    print(child.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", runner], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert _alive(child)
        process.kill()
    for _ in range(200):
        if not _alive(child):
            return
        subprocess.run(["sleep", "0.05"], check=True)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child outlived its runner")


async def _is_another(child: Child, first: int) -> bool:
    return child.running and child.pid != first


async def _says(child: Child, word: str) -> bool:
    return word in await asyncio.to_thread(child.tail)


def _alive(pid: int) -> bool:
    """Whether it runs; one that ended and that nobody has waited for does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
