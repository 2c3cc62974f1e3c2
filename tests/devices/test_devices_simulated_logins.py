"""The simulated devices let nobody in who would not get into a real one: else the other tests would prove nothing."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from demo.camera import HikvisionNvr, OnvifCamera, Stream
from nvr_bridge.devices.credentials import Credentials
from nvr_bridge.devices.streams import with_credentials
from nvr_bridge.errors import CredentialsError
from nvr_bridge.video.source import measure

INFO = "/ISAPI/System/deviceInfo"

_SECEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_UTILITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"


def envelope(login: Credentials, *, age: float = 0.0, nonce: bytes | None = None, kind: str = "PasswordDigest") -> str:
    """A request for what needs a login, whose login was made `age` seconds ago."""
    nonce = nonce or secrets.token_bytes(16)
    created = (datetime.now(UTC) - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    mixed = nonce + created.encode() + login.password.encode()
    digest = base64.b64encode(hashlib.sha1(mixed, usedforsecurity=False).digest()).decode()
    given = digest if kind == "PasswordDigest" else login.password
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>'
        f'<w:Security xmlns:w="{_SECEXT}" xmlns:u="{_UTILITY}"><w:UsernameToken>'
        f'<w:Username>{login.username}</w:Username><w:Password Type="{_PROFILE}#{kind}">{given}</w:Password>'
        f"<w:Nonce>{base64.b64encode(nonce).decode()}</w:Nonce><u:Created>{created}</u:Created>"
        "</w:UsernameToken></w:Security></s:Header>"
        '<s:Body><GetDeviceInformation xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>'
    )


async def post(device: OnvifCamera, body: str) -> int:
    """The status that the device answers with."""
    url = f"http://{device.address}/onvif/device_service"
    async with aiohttp.ClientSession() as session, session.post(url, data=body) as response:
        return response.status


@pytest.fixture
async def on_time(stream: Callable[..., Stream], right: Credentials) -> OnvifCamera:
    """A camera whose clock is right, not started."""
    return OnvifCamera("On time", [stream("sub")], (right.username, right.password))


async def test_a_fresh_digest_is_let_in(on_time: OnvifCamera, right: Credentials) -> None:
    async with on_time:
        assert await post(on_time, envelope(right)) == 200
        assert await post(on_time, envelope(right)) == 200


async def test_the_camera_refuses_what_a_strict_one_refuses(
    on_time: OnvifCamera, right: Credentials, wrong: Credentials
) -> None:
    nonce = secrets.token_bytes(16)
    async with on_time:
        assert await post(on_time, envelope(right, nonce=nonce)) == 200
        assert await post(on_time, envelope(right, nonce=nonce)) == 400, "a replay"
        assert await post(on_time, envelope(right, age=60)) == 400, "an old login"
        assert await post(on_time, envelope(right, age=-60)) == 400, "a login from the future"
        assert await post(on_time, envelope(right, kind="PasswordText")) == 400, "a password in the clear"
        assert await post(on_time, envelope(wrong)) == 400
        assert await post(on_time, envelope(right)) == 400, "five failures lock the account"
    assert on_time.login_attempts == 7


async def test_the_camera_measures_a_logins_age_by_its_own_clock(camera: OnvifCamera, right: Credentials) -> None:
    assert await post(camera, envelope(right)) == 400
    assert await post(camera, envelope(right, age=-90 * 86400)) == 200


async def get(device: HikvisionNvr, method: str = "GET", **login: object) -> int:
    """The status that the recorder answers with."""
    async with (
        aiohttp.ClientSession(f"http://{device.address}", **login) as session,  # type: ignore[arg-type]
        session.request(method, INFO) as response,
    ):
        return response.status


async def test_the_recorder_refuses_what_a_strict_one_refuses(
    nvr: HikvisionNvr, right: Credentials, wrong: Credentials
) -> None:
    def digest(login: Credentials) -> tuple[aiohttp.DigestAuthMiddleware]:
        return (aiohttp.DigestAuthMiddleware(login.username, login.password),)

    basic = base64.b64encode(f"{right.username}:{right.password}".encode()).decode()
    assert await get(nvr) == 401
    assert nvr.login_attempts == 0
    assert await get(nvr, middlewares=digest(right)) == 200
    assert await get(nvr, headers={"Authorization": f"Basic {basic}"}) == 401, "never Basic"
    assert await get(nvr, middlewares=digest(wrong)) == 401
    assert await get(nvr, "PUT", middlewares=digest(right)) == 403, "nobody writes"


async def test_the_recorder_refuses_a_replay(nvr: HikvisionNvr, right: Credentials) -> None:
    kept: list[str] = []

    async def keep(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        kept.extend(request.headers.getall("Authorization", []))
        return await handler(request)

    digest = aiohttp.DigestAuthMiddleware(right.username, right.password)
    assert await get(nvr, middlewares=(digest, keep)) == 200
    assert await get(nvr, headers={"Authorization": kept[-1]}) == 401


async def test_its_stream_is_behind_the_same_login(camera: OnvifCamera, right: Credentials, wrong: Credentials) -> None:
    url = camera.rtsp.url("/profile2")
    for credentials in (None, wrong):
        with pytest.raises(CredentialsError):
            await measure(with_credentials(url, credentials), 0.1)
    assert (await measure(with_credentials(url, right), 0.1)).codec == "hevc"
