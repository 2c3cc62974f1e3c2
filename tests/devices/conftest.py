"""Simulated devices with short recordings, and the logins that open them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
from films import filmed

from demo.camera import HikvisionNvr, NvrInput, OnvifCamera, Stream
from demo.feed import Feed, Recording, StoryClock
from nvr_bridge.camera import CameraLoop
from nvr_bridge.consent.ledger import Ledger
from nvr_bridge.consent.vault import Vault
from nvr_bridge.devices.credentials import Credentials, LoginBook, UnsavedRefusals
from nvr_bridge.events import Bus
from nvr_bridge.fleet import Fleet
from nvr_bridge.models import Zone, ZoneKind
from nvr_bridge.store.cameras import CameraTable
from nvr_bridge.store.database import Database

LOGIN = ("viewer", "p@ss:w/rd 1")  # every character that an address must not take literally


@pytest.fixture(scope="session")
def recordings() -> dict[str, Recording]:
    """What profiles send: a main stream, two sub streams, and one too small to recognise anybody in."""
    return {
        "main": filmed("h264", (1280, 720), fps=10),
        "sub": filmed("h264", (640, 360), fps=10),
        "sub265": filmed("hevc", (640, 360), fps=10),
        "tiny": filmed("h264", (352, 192), fps=10),
    }


@pytest.fixture
def stream(recordings: dict[str, Recording]) -> Callable[..., Stream]:
    """`stream(name, claims=None)`: a profile that sends one of the recordings over and over."""
    clock = StoryClock()

    def make(name: str, claims: tuple[int, int] | None = None) -> Stream:
        return Stream(Feed(recordings[name], clock, loop=True), claims)

    return make


@pytest.fixture
def right() -> Credentials:
    """The login that every simulated device here takes."""
    return Credentials(*LOGIN)


@pytest.fixture
def wrong() -> Credentials:
    """A login that none takes."""
    return Credentials(LOGIN[0], "not this one")


@pytest.fixture
def book() -> LoginBook:
    """A book in which nothing is refused yet."""
    return LoginBook(UnsavedRefusals())


@pytest.fixture
async def camera(stream: Callable[..., Stream]) -> AsyncIterator[OnvifCamera]:
    """An ONVIF camera whose sub stream is H.265, and whose clock is ninety days ahead."""
    async with OnvifCamera("Lane", [stream("main"), stream("sub265")], LOGIN, clock_skew=90 * 86400) as device:
        yield device


@pytest.fixture
async def nvr(stream: Callable[..., Stream]) -> AsyncIterator[HikvisionNvr]:
    """A recorder with two cameras and an input that nothing is connected to."""
    inputs = [NvrInput("Desk", (stream("main"), stream("sub"))), NvrInput("Lobby", (stream("main"), stream("sub")))]
    async with HikvisionNvr("Recorder", [*inputs, NvrInput("Spare")], LOGIN, clock_skew=-3600) as device:
        yield device


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[CameraTable]:
    """A store without cameras."""
    database = await Database.open(tmp_path)
    vault = await Vault.open(tmp_path / "keys", fresh=True)
    yield CameraTable(database, vault, Ledger(database, vault))
    await database.close()


@pytest.fixture
def fleet(table: CameraTable) -> Fleet:
    """An engine's cameras, of which there are none."""
    return Fleet(
        table, {"lane": Zone("lane", "Lane", ZoneKind.OBSERVE)}, (), Bus(), partial(CameraLoop), lambda _: True
    )
