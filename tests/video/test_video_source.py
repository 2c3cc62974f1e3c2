"""A source offers the newest picture of a stream, and tells the end of it in one error."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from films import PASSWORD, SIZE, address

from demo.rtsp import RtspServer
from nvr_bridge.errors import CredentialsError, NoVideoError, StreamEndedError
from nvr_bridge.video.source import Source, shown


@pytest.mark.parametrize("codec", ["h264", "hevc"])
async def test_pictures_arrive_as_they_were_filmed(camera: RtspServer, codec: str) -> None:
    source = Source("lane", address(camera, f"/{codec}"))
    began = time.time()
    await source.start()
    try:
        frames = [await source.frame(5.0) for _ in range(4)]
    finally:
        await source.stop()
    for frame in frames:
        assert frame.camera_id == "lane"
        assert frame.image.shape == (SIZE[1], SIZE[0], 3)
        assert began <= frame.received_at <= time.time()
        assert frame.image[100:].reshape(-1, 3).mean(axis=0) == pytest.approx((160, 90, 60), abs=6), "blue comes first"
        assert frame.image[30:50, :280].max() > 230
    sequences = [frame.sequence for frame in frames]
    assert sequences == sorted(set(sequences))
    assert sequences[-1] <= source.decoded
    assert source.facts is not None
    assert (source.facts.codec, source.facts.width, source.facts.height) == (codec, *SIZE)


async def test_everything_is_decoded_and_the_asked_for_rate_offered(camera: RtspServer) -> None:
    source = Source("lane", address(camera, "/h264"), analysis_fps=5.0)
    await source.start()
    try:
        first = await source.frame(5.0)
        frames = [await source.frame(5.0) for _ in range(6)]
    finally:
        await source.stop()
    apart = (frames[-1].sequence - first.sequence) / len(frames)
    assert apart == pytest.approx(3, abs=0.8), "every third of 15 a second"


async def test_a_slow_reader_gets_the_newest_and_the_rest_is_counted(camera: RtspServer) -> None:
    source = Source("lane", address(camera, "/h264"), analysis_fps=15.0)
    await source.start()
    try:
        first = await source.frame(5.0)
        async with asyncio.timeout(10):
            while source.decoded < first.sequence + 12:  # noqa: ASYNC110 - another thread's counter is waited for
                await asyncio.sleep(0.02)
        late = await source.frame(5.0)
        assert late.sequence >= first.sequence + 10
        assert source.dropped >= 8
        following = await source.frame(5.0)
        assert following.sequence <= late.sequence + 4, "nothing old was waiting behind it"
    finally:
        await source.stop()


async def test_a_camera_that_goes_down_ends_the_stream(camera: RtspServer) -> None:
    source = Source("lane", address(camera, "/h264"))
    await source.start()
    try:
        await source.frame(5.0)
        await camera.stop()
        with pytest.raises(StreamEndedError) as caught:
            await source.frame(8.0)
        assert PASSWORD not in str(caught.value)
        with pytest.raises(StreamEndedError):  # and it stays ended
            await source.frame(1.0)
    finally:
        await source.stop()


async def test_a_camera_that_falls_silent_is_told_by_the_time_given(camera: RtspServer) -> None:
    camera.silent = True
    source = Source("lane", address(camera, "/h264"), timeouts=(1.0, 1.0))
    await source.start()
    try:
        with pytest.raises(StreamEndedError, match=r"no picture for 0\.5 s"):
            await source.frame(0.5)
    finally:
        await source.stop()


async def test_a_refused_login_is_asked_once(camera: RtspServer) -> None:
    source = Source("lane", address(camera, "/h264", "wrong-1"))
    await source.start()
    try:
        with pytest.raises(CredentialsError, match="refused") as caught:
            await source.frame(5.0)
    finally:
        await source.stop()
    assert "wrong-1" not in str(caught.value)
    assert sum(asked.user is not None for asked in camera.requests) == 1, "an account may be locked after a few"


async def test_a_path_that_is_not_there_is_no_video(camera: RtspServer) -> None:
    source = Source("lane", address(camera, "/nothing"))
    await source.start()
    try:
        with pytest.raises(NoVideoError, match="choose another profile"):
            await source.frame(5.0)
    finally:
        await source.stop()


async def test_nobody_there(unused_tcp_port: int) -> None:
    source = Source("lane", f"rtsp://viewer:{PASSWORD}@127.0.0.1:{unused_tcp_port}/h264")
    await source.start()
    try:
        with pytest.raises(StreamEndedError, match="refused") as caught:
            await source.frame(5.0)
    finally:
        await source.stop()
    assert PASSWORD not in str(caught.value)


async def test_stopping_ends_the_thread_and_may_be_done_twice(camera: RtspServer) -> None:
    source = Source("lane", address(camera, "/h264"))
    await source.start()
    await source.frame(5.0)
    assert any(thread.name == "video lane" for thread in threading.enumerate())
    await source.stop()
    await source.stop()
    assert not any(thread.name == "video lane" for thread in threading.enumerate())


async def test_a_source_that_never_started_stops() -> None:
    await Source("lane", "rtsp://127.0.0.1:1/none").stop()


def test_an_address_is_shown_without_its_login() -> None:
    assert shown("rtsp://viewer:p%40ss@10.0.0.5:554/Streaming/102?x=1") == "rtsp://10.0.0.5:554/Streaming/102?x=1"
    assert shown("rtsp://10.0.0.5/1") == "rtsp://10.0.0.5/1"
