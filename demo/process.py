"""A child process of the demo: started, stopped, killed and started again, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 25.0
PAUSE = 2.0  # seconds before a supervised program that ended is started again


class DemoError(Exception):
    """The demo cannot go on; the message says why in one line."""


class Child:
    """One long-running program, with its output in a log file. It leads its own process group."""

    def __init__(self, name: str, command: list[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        """`env` adds to this process's environment. A log that is there already is begun anew."""
        log.unlink(missing_ok=True)
        self.name = name
        self.log = log
        self._command = command
        self._env = dict(env or {})
        self._process: asyncio.subprocess.Process | None = None
        self._supervised = False
        self._watcher: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """Its process id, None while it is not started."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start it; its log is appended to."""
        await self._spawn()
        if self._supervised:
            self._watcher = asyncio.create_task(self._watch(), name=f"supervisor of {self.name}")

    def supervise(self) -> None:
        """From now on start it again whenever it ends without `stop`, as a site's service manager does."""
        self._supervised = True
        self._watcher = asyncio.create_task(self._watch(), name=f"supervisor of {self.name}")

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send `how` and wait for the end; kill what does not end."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.cancel()
            await asyncio.wait([watcher])
        process = self._process
        if process is None:
            return
        self._signal(process, how)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            self._signal(process, signal.SIGKILL)
            await process.wait()
        self._signal(process, signal.SIGKILL)  # whoever else is in its group
        self._process = None

    async def ready(self, check: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Wait until `check` is true. Raises `DemoError` with the end of the log when that takes too long or it ended."""
        deadline = time.monotonic() + seconds
        while not await check():
            if not self.running and not self._supervised:
                raise DemoError(f"{self.name} ended before it was ready; the end of {self.log}:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise DemoError(
                    f"{self.name} was not ready within {seconds:g} s; the end of {self.log}:\n{self.tail()}"
                )
            await asyncio.sleep(0.2)

    def tail(self, lines: int = 25) -> str:
        """The end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    async def _watch(self) -> None:
        while (process := self._process) is not None:
            code = await process.wait()
            say(f"{self.name} ended ({code}); it is started again in {PAUSE:g} s")
            self._signal(process, signal.SIGKILL)  # whoever else is in its group
            await asyncio.sleep(PAUSE)
            await self._spawn()

    async def _spawn(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "demo.leash", str(os.getpid()), *self._command),
                cwd=ROOT,
                env={**os.environ, **self._env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _signal(self, process: asyncio.subprocess.Process, how: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, how)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def say(line: str) -> None:
    """Progress, for a person; standard output is kept for the answer."""
    print(line, file=sys.stderr, flush=True)
