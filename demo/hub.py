"""The demo's hub: a real Home Assistant in its own process, with a folder of its own, on a port of 127.0.0.1."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from .process import ROOT, Child, DemoError, free_port

USER = "demo"
PASSWORD = "demo"
START_SECONDS = 120.0
_INTEGRATION = ROOT / "custom_components" / "nvr_bridge"
_HTTP_DEFAULTS: dict[str, Any] = {
    "cors_allowed_origins": [],
    "login_attempts_threshold": -1,
    "ip_ban_enabled": True,
    "ssl_profile": "modern",
    "use_x_frame_options": True,
    "created_at": "2026-01-01T00:00:00+00:00",
    "error": None,
    "error_message": None,
}
_PROBE = """
import json, pathlib, homeassistant, homeassistant.const as const
print(json.dumps([const.__version__, (pathlib.Path(homeassistant.__file__).parent / "components/http/config.py").exists()]))
"""


@dataclass(frozen=True, slots=True)
class Helper:
    """A toggle or a button that the hub itself provides: a sign, an act."""

    entity_id: str
    name: str
    icon: str

    @property
    def domain(self) -> str:
        """`input_boolean` or `input_button`."""
        return self.entity_id.partition(".")[0]

    @property
    def key(self) -> str:
        """The entity id without its domain."""
        return self.entity_id.partition(".")[2]


def sign_of(zone_id: str, name: str) -> Helper:
    """The toggle that stands for a zone's lit sign."""
    return Helper(f"input_boolean.{zone_id}_sign", f"{name} sign", "mdi:sign-text")


def act_of(zone_id: str, name: str) -> Helper:
    """The button that a person presses on entering a lane."""
    return Helper(f"input_button.{zone_id}_act", f"{name} button", "mdi:gesture-tap-button")


class HubServer:
    """Home Assistant's process and its configuration folder."""

    def __init__(self, folder: Path, python: Path) -> None:
        """`python` is the interpreter of an environment that has Home Assistant."""
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.version = ""
        self._python = python
        # Skipping its package installer: set-up has installed what this configuration needs, so a start needs no network.
        command = [str(python), "-m", "homeassistant", "--config", str(folder), "--skip-pip"]
        env = {"PYTHONDONTWRITEBYTECODE": "", "OPENBLAS_NUM_THREADS": "1"}
        self.process = Child("the hub", command, folder.parent / "hub.log", env)

    async def write(self, helpers: Iterable[Helper], *, onboarded: bool = True) -> None:
        """Make the configuration folder anew. Raises `DemoError` when there is no Home Assistant.

        `onboarded`: a person who opens it is asked for nothing but the first user.
        """
        self.version, stores_http = await _inspect(self._python)
        shutil.rmtree(self.folder, ignore_errors=True)
        storage = self.folder / ".storage"
        storage.mkdir(parents=True)
        site = _configuration(list(helpers))
        server = {"server_host": ["127.0.0.1"], "server_port": self.port}
        if stores_http:  # a YAML `http:` there is a trial that a person has to confirm within five minutes
            stable = {**server, **_HTTP_DEFAULTS}
            _store(storage, "http", {"stable": stable, "pending": None, "yaml_migration_done": True}, 2, 2)
        else:
            site["http"] = server
        if (
            onboarded
        ):  # the first user is made through the hub's own API; the other steps would ask the internet for things
            _store(storage, "onboarding", {"done": ["core_config", "analytics", "integration"]}, 4, 1)
        text = yaml.safe_dump(site, allow_unicode=True, sort_keys=False)
        (self.folder / "configuration.yaml").write_text(text, encoding="utf-8")
        (self.folder / "custom_components").mkdir()
        shutil.copytree(
            _INTEGRATION, self.folder / "custom_components" / "nvr_bridge", ignore=shutil.ignore_patterns("__pycache__")
        )

    async def start(self) -> None:
        """Start it, and wait until it answers and has set everything up."""
        await self.process.start()
        await self.process.ready(self._answers, START_SECONDS)

    async def _answers(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.address}/manifest.json") as response:
                return response.status == 200
        except (aiohttp.ClientError, OSError):
            return False


async def _inspect(python: Path) -> tuple[str, bool]:
    """(Home Assistant's version, whether it keeps its web server's settings in storage)."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            str(python), "-c", _PROBE, stdout=pipe, stderr=pipe, env=_clean_env()
        )
    except OSError:
        raise DemoError(f"{python.parent.parent}: no Home Assistant here; run script/setup") from None
    output, problem = await process.communicate()
    if process.returncode:
        last = problem.decode(errors="replace").strip().splitlines()[-1:]
        raise DemoError(f"{python}: has no Home Assistant ({' '.join(last)}); run script/setup")
    version, stores_http = json.loads(output)
    return str(version), bool(stores_http)


def _clean_env() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


def _configuration(helpers: list[Helper]) -> dict[str, Any]:
    site: dict[str, Any] = {
        "homeassistant": {
            "name": "NVR Bridge demo",
            "latitude": 31.23,
            "longitude": 121.47,
            "elevation": 4,
            "unit_system": "metric",
            "country": "CN",
            "time_zone": "Asia/Shanghai",
            "auth_providers": [
                {"type": "trusted_networks", "trusted_networks": ["127.0.0.1/32"], "allow_bypass_login": True},
                {"type": "homeassistant"},
            ],
        },
        "frontend": {},
        "config": {},
        "recorder": {"commit_interval": 1},
        "history": {},
        "logbook": {},
        "logger": {"default": "warning", "logs": {"custom_components.nvr_bridge": "info"}},
    }
    for helper in helpers:
        settings = {"name": helper.name, "icon": helper.icon}
        site.setdefault(helper.domain, {})[helper.key] = settings
    return site


def _store(storage: Path, key: str, data: dict[str, Any], version: int, minor: int) -> None:
    document = {"version": version, "minor_version": minor, "key": key, "data": data}
    (storage / key).write_text(json.dumps(document), encoding="utf-8")
