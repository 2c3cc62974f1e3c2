"""The demo's engine: `nvr-bridge serve` in its own process, set up and asked the way an operator does it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from demo.process import ROOT, Child, DemoError, free_port
from nvr_bridge.cli.models import MODELS_ENV
from nvr_bridge.client import Client
from nvr_bridge.config import MODELS_DIR
from nvr_bridge.errors import UnreachableError
from nvr_bridge.store.files import ADMIN_TOKEN

START_SECONDS = 60.0
CALL_SECONDS = 90.0


def noon_zone(utc_hour: int) -> str:
    """The IANA name of a zone where it is about noon: the story counts a day's visits, and no day may end in it."""
    ahead = 12 - utc_hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"  # POSIX counts westwards


class EngineServer:
    """The engine's process, its `bridge.yaml` and its command line."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made anew by `write`."""
        self.folder = folder
        self.port = free_port()
        self.page = f"http://127.0.0.1:{self.port}"
        self.config = folder / "bridge.yaml"
        self._env = {"NVR_BRIDGE_CONFIG": str(self.config), "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "nvr_bridge", "serve", "--config", str(self.config)]
        self.process = Child("the engine", command, folder.parent / "engine.log", self._env)

    def write(
        self, name: str, zones: Mapping[str, Mapping[str, str]], visit_gap: float, attribution: Mapping[str, str]
    ) -> None:
        """Make the site's folder and settings anew: `zones` and `attribution` as they stand; `visit_gap` is in seconds."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        site = {
            "name": name,
            "data_dir": "data",
            "listen": {"host": "127.0.0.1", "port": self.port},
            "discovery": {"interfaces": ["127.0.0.1"]},
            "announce": False,
            "profile": "demo",
            "timezone": noon_zone(datetime.now(UTC).hour),
            "visit_gap": f"{visit_gap:g}s",
            "min_face": 40,
            "models": {"dir": os.environ.get(MODELS_ENV) or MODELS_DIR},
            "zones": {key: dict(zone) for key, zone in zones.items()},
            "attribution": dict(attribution),
        }
        self.config.write_text(yaml.safe_dump(site, allow_unicode=True, sort_keys=False), encoding="utf-8")

    async def start(self) -> None:
        """Start it, and wait until it answers its command line."""
        await self.process.start()
        await self.process.ready(self._listens, START_SECONDS)

    async def cli(self, *arguments: str, password: str | None = None) -> Any:
        """Run `nvr-bridge` and read its JSON answer (None if it prints none). Raises `DemoError` with what it said."""
        env = {**os.environ, **self._env}
        if password is not None:
            env["NVR_BRIDGE_PASSWORD"] = password
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "nvr_bridge", *arguments),
            cwd=ROOT,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, problem = await asyncio.wait_for(process.communicate(), CALL_SECONDS)
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            raise DemoError(f"nvr-bridge {' '.join(arguments)}: {problem.decode(errors='replace').strip()[-600:]}")
        return json.loads(output) if "--json" in arguments else None

    @asynccontextmanager
    async def client(self, token: str | None = None) -> AsyncIterator[Client]:
        """A connection with this token, or else as the administrator. Raises a `BridgeError` when the engine is down."""
        async with Client.connect(f"127.0.0.1:{self.port}", token=token or self._token()) as client:
            yield client

    def _token(self) -> str:
        try:
            return (self.folder / "data" / ADMIN_TOKEN).read_text(encoding="utf-8").strip()
        except FileNotFoundError as err:
            raise UnreachableError("the engine has not started yet") from err

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True
