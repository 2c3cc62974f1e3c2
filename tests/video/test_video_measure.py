"""What a stream delivers is measured by decoding it, and each way it can fail has an error of its own."""

from __future__ import annotations

import pytest
from films import FPS, PASSWORD, SIZE, address

from demo.rtsp import RtspServer
from nvr_bridge.errors import CredentialsError, NoVideoError, UnreachableError
from nvr_bridge.models import StreamFacts
from nvr_bridge.video.source import measure


@pytest.mark.parametrize("codec", ["h264", "hevc"])
async def test_a_stream_is_what_it_delivers(camera: RtspServer, codec: str) -> None:
    facts = await measure(address(camera, f"/{codec}"), 0.8, name="102")
    assert facts == StreamFacts("102", codec, *SIZE, pytest.approx(FPS, abs=0.5))


async def test_a_refused_login(camera: RtspServer) -> None:
    with pytest.raises(CredentialsError, match="refused the user name or password"):
        await measure(address(camera, "/h264", "wrong-1"))


async def test_no_such_stream(camera: RtspServer) -> None:
    with pytest.raises(NoVideoError, match="choose another profile"):
        await measure(address(camera, "/nothing"))


async def test_nobody_there(unused_tcp_port: int) -> None:
    with pytest.raises(UnreachableError) as caught:
        await measure(f"rtsp://viewer:{PASSWORD}@127.0.0.1:{unused_tcp_port}/h264")
    assert PASSWORD not in str(caught.value)


async def test_somebody_there_who_never_answers(mute_port: int) -> None:
    with pytest.raises(UnreachableError, match="no valid answer"):
        await measure(f"rtsp://127.0.0.1:{mute_port}/h264", timeouts=(0.4, 0.4))
