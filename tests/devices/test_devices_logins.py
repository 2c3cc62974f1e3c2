"""A wrong login is tried once on a device, and not again until a person changes it: devices lock accounts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from demo.camera import HikvisionNvr, OnvifCamera
from nvr_bridge.devices.credentials import Credentials, LoginBook
from nvr_bridge.devices.probe import identify
from nvr_bridge.errors import CredentialsError


class FileRefusals:
    """Refusals in a file, as a store that outlives the process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def refused(self) -> set[tuple[str, int]]:
        return await asyncio.to_thread(self._read)

    async def remember(self, address: str, version: int) -> None:
        await asyncio.to_thread(self._write, {*await self.refused(), (address, version)})

    async def forget(self, address: str) -> None:
        await asyncio.to_thread(self._write, {one for one in await self.refused() if one[0] != address})

    def _read(self) -> set[tuple[str, int]]:
        return (
            {(address, version) for address, version in json.loads(self.path.read_text())}
            if self.path.exists()
            else set()
        )

    def _write(self, refused: set[tuple[str, int]]) -> None:
        self.path.write_text(json.dumps(sorted(refused)))


@pytest.fixture(params=["onvif", "onvif over http digest", "hikvision"])
def device(request: pytest.FixtureRequest, camera: OnvifCamera, nvr: HikvisionNvr) -> OnvifCamera | HikvisionNvr:
    """Each kind of device, and each way to log in."""
    camera.onvif.http_digest = request.param == "onvif over http digest"
    return nvr if request.param == "hikvision" else camera


async def test_a_wrong_password_is_tried_once_and_then_a_person_is_asked(
    device: OnvifCamera | HikvisionNvr, wrong: Credentials, book: LoginBook
) -> None:
    with pytest.raises(CredentialsError, match=r"refused the user name or password of 'viewer'.*give the right ones"):
        await identify(device.address, wrong, book)
    assert device.login_attempts == 1
    for _ in range(3):
        with pytest.raises(CredentialsError, match=r"before.*not tried again; give other credentials"):
            await identify(device.address, wrong, book)
    assert device.login_attempts == 1


async def test_the_refusal_survives_a_restart(
    device: OnvifCamera | HikvisionNvr, wrong: Credentials, tmp_path: Path
) -> None:
    for _ in range(2):  # each a process of its own
        with pytest.raises(CredentialsError):
            await identify(device.address, wrong, LoginBook(FileRefusals(tmp_path / "refused.json")))
    assert device.login_attempts == 1


async def test_other_credentials_are_tried(
    device: OnvifCamera | HikvisionNvr, wrong: Credentials, right: Credentials, book: LoginBook
) -> None:
    with pytest.raises(CredentialsError):
        await identify(device.address, wrong, book)
    changed = Credentials(right.username, right.password, version=2)
    assert (await identify(device.address, changed, book)).channels


async def test_two_who_ask_at_once_make_one_attempt(
    device: OnvifCamera | HikvisionNvr, wrong: Credentials, book: LoginBook
) -> None:
    asked = await asyncio.gather(*(identify(device.address, wrong, book) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in asked] == [CredentialsError] * 3
    assert device.login_attempts == 1


async def test_a_missing_login_is_asked_for_without_an_attempt(
    device: OnvifCamera | HikvisionNvr, book: LoginBook
) -> None:
    with pytest.raises(CredentialsError, match=r"needs a user name and password; give them"):
        await identify(device.address, None, book)
    assert device.login_attempts == 0


async def test_one_devices_refusal_is_not_anothers(
    camera: OnvifCamera, nvr: HikvisionNvr, wrong: Credentials, book: LoginBook
) -> None:
    for address in (camera.address, nvr.address):
        with pytest.raises(CredentialsError, match=r"tried once"):
            await identify(address, wrong, book)
    assert (camera.login_attempts, nvr.login_attempts) == (1, 1)


async def test_the_attempts_that_are_left_are_told(nvr: HikvisionNvr, wrong: Credentials, book: LoginBook) -> None:
    with pytest.raises(CredentialsError, match=r"4 attempts are left before it locks"):
        await identify(nvr.address, wrong, book)


async def test_a_locked_account_is_told_apart(nvr: HikvisionNvr, right: Credentials, book: LoginBook) -> None:
    assert nvr.account is not None
    nvr.account.failures = 5
    with pytest.raises(CredentialsError, match=r"the account is locked for 31 min"):
        await identify(nvr.address, right, book)


async def test_a_lock_that_was_lifted_can_be_forgotten(nvr: HikvisionNvr, right: Credentials, book: LoginBook) -> None:
    assert nvr.account is not None
    nvr.account.failures = 5
    with pytest.raises(CredentialsError):
        await identify(nvr.address, right, book)
    nvr.account.failures = 0
    await book.forget(nvr.address)
    assert (await identify(nvr.address, right, book)).channels


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(Credentials("viewer", "secret"))
