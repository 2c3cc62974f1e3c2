"""Work that a test kills: a process that forks a worker for each order, because importing takes a hundred times longer.

A script calls `serve`; a test talks to it with `Killer`. Each line that a worker says is a JSON list, and whatever it tells
of was done before it was said. The last line of each order is `["dead", how it ended]`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any


def say(*words: object) -> None:
    """One write, so that a line is never half-said."""
    os.write(1, (json.dumps(words) + "\n").encode())


def serve(work: Callable[..., Coroutine[Any, Any, None]]) -> None:
    """Run `work(*order)` in a fork for each order on stdin: a JSON list."""
    for order in sys.stdin:
        worker = os.fork()
        if not worker:
            say("pid", os.getpid())
            asyncio.run(work(*json.loads(order)))
            os._exit(0)
        _, status = os.waitpid(worker, 0)
        say("dead", status)


class Killer:
    """Gives orders, and ends some of them."""

    def __init__(self, parent: asyncio.subprocess.Process) -> None:
        assert parent.stdin is not None
        assert parent.stdout is not None
        self._orders, self._lines = parent.stdin, parent.stdout

    async def run(self, *order: object, after: str = "pid", seconds: float | None = None) -> tuple[bool, list[Any]]:
        """Have the work done, killed so many seconds after it says `after` → (whether it came to its end, what it said)."""
        self._orders.write(json.dumps(order).encode() + b"\n")
        said: list[Any] = []
        pid, killing = 0, None
        while True:
            line = json.loads(await self._lines.readline())
            if line[0] == "pid":
                pid = line[1]
            if line[0] == "dead":
                if killing is not None:
                    killing.cancel()
                    await asyncio.wait({killing})
                return line[1] == 0, said
            said.append(line)
            if line[0] == after and seconds is not None:
                killing = asyncio.create_task(_kill(pid, seconds))


async def _kill(pid: int, seconds: float) -> None:
    await asyncio.sleep(seconds)
    os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def killer(script: Path) -> AsyncIterator[Killer]:
    """A process that runs `script`."""
    pipe = asyncio.subprocess.PIPE
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # a fork must not leave a second one behind
    parent = await asyncio.create_subprocess_exec(sys.executable, str(script), stdin=pipe, stdout=pipe, env=one_thread)
    try:
        yield Killer(parent)
    finally:
        assert parent.stdin is not None
        parent.stdin.close()
        await parent.wait()
