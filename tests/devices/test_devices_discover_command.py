"""`nvr-bridge discover` lists what is installed, without being told an address and without a running engine."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from demo.camera import HikvisionNvr, OnvifCamera
from nvr_bridge.devices.credentials import Credentials

ROOT = Path(__file__).parents[2]


async def discover(folder: Path, *options: str, password: str | None = None) -> tuple[int, str, str]:
    """Run the command in `folder`: exit status, standard output, standard error."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NVR_BRIDGE_")}
    environment["PYTHONPATH"] = str(ROOT)
    if password is not None:
        environment["NVR_BRIDGE_PASSWORD"] = password
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nvr_bridge", "discover", "--seconds", "1", *options),
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, problem = await process.communicate()
    return process.returncode or 0, output.decode(), problem.decode()


async def listed(folder: Path, *options: str, password: str | None = None) -> dict[str, dict[str, Any]]:
    """What the command lists as JSON, by address."""
    status, output, problem = await discover(folder, "--json", *options, password=password)
    assert status == 0, problem
    return {device["address"]: device for device in json.loads(output)}


async def test_every_device_with_the_recorders_channels_as_one(
    camera: OnvifCamera, nvr: HikvisionNvr, right: Credentials, tmp_path: Path
) -> None:
    login = ("--username", right.username)
    devices = await listed(tmp_path, "--interface", "127.0.0.1", *login, password=right.password)
    assert devices[camera.address]["kind"] == "onvif"
    assert devices[nvr.address]["kind"] == "hikvision"
    assert [channel["name"] for channel in devices[nvr.address]["channels"]] == ["Desk", "Lobby"]
    assert (camera.login_attempts > 0, nvr.login_attempts > 0) == (True, True)
    assert right.password not in json.dumps(devices)


async def test_without_a_login_each_says_that_it_needs_one(
    camera: OnvifCamera, nvr: HikvisionNvr, tmp_path: Path
) -> None:
    devices = await listed(tmp_path, "--interface", "lo")
    for device in (camera, nvr):
        assert devices[device.address]["name"] == device.identity.name
        assert devices[device.address]["error"]["code"] == "credentials"
        assert device.login_attempts == 0


async def test_a_wrong_password_is_one_line_and_one_attempt(
    nvr: HikvisionNvr, wrong: Credentials, tmp_path: Path
) -> None:
    options = ("--address", nvr.address, "--username", wrong.username)
    status, output, problem = await discover(tmp_path, *options, password=wrong.password)
    assert status == 1
    assert not output
    assert len(problem.strip().splitlines()) == 1
    assert "give the right ones" in problem
    assert nvr.login_attempts == 1
