"""A whole `nvr-bridge serve` in a process of its own, over a folder that outlives it; it is asked over its WebSocket alone."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import yaml

from demo.process import ROOT, free_port
from nvr_bridge.client import Client, pair
from nvr_bridge.config import load_config
from nvr_bridge.errors import BridgeError

START_SECONDS = 60.0
# A shell allows what a service manager may: core files of any size, in the folder where it runs.
_ALLOW_CORES = 'ulimit -c unlimited; exec "$@"'


class EngineProcess:
    """It, its settings, and what it wrote to its standard error."""

    def __init__(self, folder: Path, models: Path, profile: str = "demo") -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "engine.log"
        self.port = free_port()
        self.hub_token = ""
        self.config = folder / "bridge.yaml"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "run").mkdir(parents=True)
        self.config.write_text(
            yaml.safe_dump(
                {
                    "name": "Riverside sales office",
                    "profile": profile,
                    "listen": {"host": "127.0.0.1", "port": self.port},
                    "announce": False,
                    "public_url": self.url,
                    "discovery": {"interfaces": ["127.0.0.1"]},
                    "sign_ttl": "30s",
                    "key_backup": "safe/keys.backup",
                    "models": {"dir": str(models)},
                    "zones": {
                        "hall": {"name": "Hall", "kind": "observe"},
                        "desk": {"name": "Desk", "kind": "consent_point"},
                    },
                }
            )
        )
        (folder / "safe").mkdir()
        self.notice_hash = load_config(self.config).notice_hash

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def launch(self) -> None:
        """Begin to start it."""
        serve = [sys.executable, "-m", "nvr_bridge", "serve", "--config", str(self.config), "--log-level", "debug"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _ALLOW_CORES, "sh", *serve],
                cwd=self.folder / "run",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def start(self) -> None:
        """Start it, and wait until it answers its administrator; the first time, pair a hub."""
        self.launch()
        await self.answers()
        if not self.hub_token:
            async with self.admin() as admin:
                code = (await admin.call("pair/create", role="hub"))["code"]
            self.hub_token = (await pair(f"127.0.0.1:{self.port}", code, "hub")).token

    async def answers(self) -> None:
        """Wait for that."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                try:
                    async with self.admin():
                        return
                except (BridgeError, FileNotFoundError):
                    assert self._process is not None
                    assert self._process.poll() is None, self.log.read_text()[-2000:]
                    await asyncio.sleep(0.05)

    async def end(self, number: int) -> int:
        """Send it this signal → how it ended, as `waitpid` has it."""
        assert self._process is not None
        self._process.send_signal(number)
        _, status = await asyncio.to_thread(os.waitpid, self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return status

    async def close(self) -> None:
        """Whatever it does."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Client]:
        """Its administrator."""
        token = await asyncio.to_thread((self.data / "admin.token").read_text)
        async with Client.connect(f"127.0.0.1:{self.port}", token=token.strip()) as client:
            yield client

    @asynccontextmanager
    async def hub(self) -> AsyncIterator[Client]:
        """Its hub, which says that the sign at the desk is on."""
        async with Client.connect(f"127.0.0.1:{self.port}", token=self.hub_token) as client:
            await client.call("zone/sign", zone="desk", on=True, notice_hash=self.notice_hash)
            yield client
