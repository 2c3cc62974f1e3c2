"""The stream that is pulled is chosen by what it delivers, not by what it claims."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from demo.camera import HikvisionNvr, OnvifCamera, Stream
from nvr_bridge.devices.credentials import Credentials, LoginBook
from nvr_bridge.devices.device import Channel, StreamRef
from nvr_bridge.devices.probe import identify
from nvr_bridge.devices.streams import choose, with_credentials
from nvr_bridge.errors import BridgeError, CredentialsError, NoVideoError, StreamEndedError, UnreachableError
from nvr_bridge.models import StreamFacts
from nvr_bridge.video.source import measure


async def test_the_sub_stream_of_a_camera_is_measured_and_taken(
    camera: OnvifCamera, right: Credentials, book: LoginBook
) -> None:
    device = await identify(camera.address, right, book)
    chosen, facts = await choose(device.channels[0], right, measure)
    assert chosen.name == "profile2"
    assert (facts.name, facts.codec, facts.width, facts.height) == ("profile2", "hevc", 640, 360)
    assert facts.fps == pytest.approx(10, abs=1)
    described = {asked.path for asked in camera.rtsp.requests if asked.method == "DESCRIBE"}
    assert described == {"/profile2"}, "the main stream was not pulled: the first that was measured is good"


async def test_each_channel_of_a_recorder_has_its_own_stream(
    nvr: HikvisionNvr, right: Credentials, book: LoginBook
) -> None:
    device = await identify(nvr.address, right, book)
    chosen = [(await choose(channel, right, measure))[0].name for channel in device.channels]
    assert chosen == ["102", "202"]


async def test_a_sub_stream_that_claims_more_than_it_delivers_is_passed_over(
    stream: Callable[..., Stream], book: LoginBook
) -> None:
    async with OnvifCamera("Boaster", [stream("main"), stream("tiny", (640, 360))]) as device:
        told = await identify(device.address, None, book)
        chosen, facts = await choose(told.channels[0], None, measure)
    assert chosen.name == "profile1"
    assert (facts.width, facts.height) == (1280, 720)


def ref(name: str, width: int | None = None, height: int | None = None) -> StreamRef:
    return StreamRef(name, f"rtsp://192.0.2.1/{name}", None, width, height)


async def ask(outcomes: dict[str, tuple[int, int, float] | BridgeError], *refs: StreamRef) -> tuple[str, list[str]]:
    """(The name of the stream chosen among `refs`, those measured in turn), where measuring gives `outcomes`."""
    measured = []

    async def measure_one(url: str) -> StreamFacts:
        name = url.rpartition("/")[2]
        measured.append(name)
        outcome = outcomes[name]
        if isinstance(outcome, BridgeError):
            raise outcome
        return StreamFacts("", "h264", *outcome)

    chosen, facts = await choose(Channel("1", "Desk", refs), None, measure_one)
    assert facts.name == chosen.name
    return chosen.name, measured


@pytest.mark.parametrize(
    ("outcomes", "chosen"),
    [
        ({"main": (1920, 1080, 25.0), "sub": (640, 360, 12.0)}, "sub"),
        ({"main": (1920, 1080, 25.0), "sub": (640, 360, 1.0)}, "main"),
        ({"main": (1920, 1080, 25.0), "sub": (352, 288, 25.0)}, "main"),
        ({"main": (640, 360, 25.0), "sub": (1920, 1080, 12.0)}, "main"),
        ({"main": (352, 288, 3.0), "sub": (176, 144, 12.0)}, "main"),
        ({"main": (352, 288, 25.0), "sub": (176, 144, 25.0)}, "main"),
        ({"main": NoVideoError("none"), "sub": (176, 144, 25.0)}, "sub"),
        ({"main": (1920, 1080, 25.0), "sub": StreamEndedError("ended")}, "main"),
    ],
)
async def test_the_smallest_that_is_good_enough_else_the_best(
    outcomes: dict[str, tuple[int, int, float] | BridgeError], chosen: str
) -> None:
    assert (await ask(outcomes, ref("main", 1920, 1080), ref("sub", 640, 360)))[0] == chosen


async def test_one_that_claims_nothing_is_measured_last() -> None:
    outcomes: dict[str, tuple[int, int, float] | BridgeError] = {"silent": (640, 360, 9.0), "main": (800, 600, 9.0)}
    assert (await ask(outcomes, ref("silent"), ref("main", 800, 600)))[1][0] == "main"


async def test_a_refused_login_is_not_tried_on_the_next_stream() -> None:
    measured: list[str] = []

    async def refuse(url: str) -> StreamFacts:
        measured.append(url)
        raise CredentialsError("refused; give the right ones")

    with pytest.raises(CredentialsError):
        await choose(Channel("1", "Desk", (ref("main", 1920, 1080), ref("sub", 640, 360))), None, refuse)
    assert len(measured) == 1


async def test_what_may_work_later_is_told_before_what_never_will() -> None:
    with pytest.raises(UnreachableError):
        await ask({"main": NoVideoError("none"), "sub": UnreachableError("down")}, ref("main", 9, 9), ref("sub", 1, 1))
    with pytest.raises(NoVideoError):
        await ask({"main": NoVideoError("none"), "sub": NoVideoError("none")}, ref("main", 9, 9), ref("sub", 1, 1))
    with pytest.raises(NoVideoError, match=r"'Desk'.*enable one"):
        await ask({})


def test_a_login_goes_into_the_address_whatever_it_holds() -> None:
    url = with_credentials("rtsp://192.0.2.1:554/a?b=c", Credentials("us er", "p@ss:w/rd#?"))
    assert url == "rtsp://us%20er:p%40ss%3Aw%2Frd%23%3F@192.0.2.1:554/a?b=c"
    assert with_credentials("rtsp://192.0.2.1/a", None) == "rtsp://192.0.2.1/a"
