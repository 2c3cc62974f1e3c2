"""The RTSP server, asked by a client it was not written with: PyAV's."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest
from films import PASSWORD, USER, address, filmed

from demo.feed import Feed, Recording, StoryClock
from demo.rtsp import RtspServer

LEVELS = {40: 0, 80: 1, 120: 2}  # the picture's brightness tells the second of the recording


@pytest.fixture(scope="session")
def recordings() -> dict[str, Recording]:
    """One recording of each codec."""
    greys = [(level, level, level) for level in LEVELS]
    return {codec: filmed(codec, colours=greys) for codec in ("h264", "hevc")}


@pytest.fixture
def clock() -> StoryClock:
    return StoryClock()


@pytest.fixture
async def camera(recordings: dict[str, Recording], clock: StoryClock) -> AsyncIterator[RtspServer]:
    feeds = {"/h264": Feed(recordings["h264"], clock), "/hevc": Feed(recordings["hevc"], clock)}
    async with RtspServer("127.0.0.1", 0, feeds, (USER, PASSWORD)) as server:
        yield server


def watch(url: str, frames: int) -> list[tuple[int, int, int]]:
    """(second of the recording by its brightness, width, height) of each decoded frame."""
    seen = []
    # The smallest probe, so that the client begins with what it is sent first.
    options = {"rtsp_transport": "tcp", "fpsprobesize": "0"}
    with av.open(url, options=options, timeout=10) as container:
        for frame in container.decode(video=0):
            level = int(frame.to_ndarray(format="gray")[-20:].mean())
            seen.append((LEVELS[min(LEVELS, key=lambda known: abs(known - level))], frame.width, frame.height))
            if len(seen) == frames:
                break
    return seen


async def look(url: str, frames: int = 5) -> list[tuple[int, int, int]]:
    return await asyncio.to_thread(watch, url, frames)


async def watched(camera: RtspServer) -> None:
    """Wait until somebody is sent video."""
    for _ in range(500):
        if camera.playing:
            return
        await asyncio.sleep(0.02)
    pytest.fail("nobody came to watch")


async def raw(camera: RtspServer, *requests: str) -> list[str]:
    """Send requests as they are, without authentication, and give the status line of each answer."""
    reader, writer = await asyncio.open_connection(camera.host, camera.port)
    answers = []
    for request in requests:
        writer.write(request.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        answers.append((await reader.readuntil(b"\r\n\r\n")).decode())
        length = [line for line in answers[-1].split("\r\n") if line.startswith("Content-Length")]
        await reader.readexactly(int(length[0].split(":")[1]) if length else 0)
    writer.close()
    await writer.wait_closed()
    return answers


@pytest.mark.parametrize("codec", ["h264", "hevc"])
async def test_both_codecs_arrive_whole(camera: RtspServer, clock: StoryClock, codec: str) -> None:
    clock.begin()
    seen = await look(address(camera, f"/{codec}"), 30)
    assert len(seen) == 30
    assert {(width, height) for _, width, height in seen} == {(320, 192)}


async def test_several_clients_watch_at_once(camera: RtspServer, clock: StoryClock) -> None:
    clock.begin()
    paths = ("/h264", "/hevc", "/h264", "/hevc?transportmode=unicast", "/h264/")
    seen = await asyncio.gather(*(look(address(camera, path)) for path in paths))
    assert [len(frames) for frames in seen] == [5] * len(paths)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
async def test_a_newcomer_starts_with_the_newest_key_frame(camera: RtspServer, clock: StoryClock, codec: str) -> None:
    clock.begin(time.monotonic() - 1.4)
    first, *_ = await look(address(camera, f"/{codec}"), 2)
    assert first[0] >= 1, "second 0 is past"


async def test_before_the_story_the_first_second_repeats(camera: RtspServer) -> None:
    seen = await look(address(camera, "/h264"), 25)
    assert {second for second, *_ in seen} == {0}


async def test_after_the_story_the_last_second_repeats(camera: RtspServer, clock: StoryClock) -> None:
    clock.begin(time.monotonic() - 60)
    seen = await look(address(camera, "/hevc"), 25)
    assert {second for second, *_ in seen} == {2}


async def test_the_story_begins_for_whoever_is_watching(camera: RtspServer, clock: StoryClock) -> None:
    watching = asyncio.create_task(look(address(camera, "/h264"), 50))
    await watched(camera)
    clock.begin()
    seconds = [second for second, *_ in await watching]
    assert seconds == sorted(seconds)
    assert set(seconds) == {0, 1, 2}


async def test_a_loop_starts_over(recordings: dict[str, Recording]) -> None:
    clock = StoryClock()
    feed = Feed(recordings["h264"], clock, loop=True)
    clock.begin(100.0)
    assert feed.unit(101.0) == feed.unit(104.0) == feed.unit(401.0)
    assert feed.join(104.3) == 104.0


def test_a_story_that_is_to_begin_later_begins_on_the_moment(recordings: dict[str, Recording]) -> None:
    clock = StoryClock()
    feed, units = Feed(recordings["h264"], clock), recordings["h264"].units
    clock.origin = 100.0
    clock.begin(103.33)
    assert feed.after(103.3) == 103.33
    assert feed.unit(103.32) == units[49 % 15]
    assert feed.unit(103.33) == units[0]
    assert feed.unit(103.33 + 20 / 15) == units[20]


async def test_the_camera_comes_back_on_its_port(camera: RtspServer, clock: StoryClock) -> None:
    clock.begin()
    url, port = address(camera, "/h264"), camera.port
    watching = asyncio.create_task(look(url, 10_000))
    await watched(camera)
    await camera.stop()
    assert len(await watching) < 10_000
    with pytest.raises((av.FFmpegError, OSError)):
        await look(url)
    await camera.start()
    assert camera.port == port
    assert len(await look(url)) == 5


async def test_a_wrong_password_is_refused_and_both_attempts_are_on_record(camera: RtspServer) -> None:
    with pytest.raises(av.HTTPUnauthorizedError):
        await look(address(camera, "/h264", "red-12 heron"))
    asked = [(request.method, request.user, request.status) for request in camera.requests]
    assert asked == [("OPTIONS", None, 200), ("DESCRIBE", None, 401), ("DESCRIBE", USER, 401)]


async def test_a_changed_password_is_in_force_at_once(camera: RtspServer) -> None:
    camera.credentials = (USER, "other")
    with pytest.raises(av.HTTPUnauthorizedError):
        await look(address(camera, "/h264"))
    camera.credentials = None
    assert len(await look(camera.url("/h264"))) == 5


async def test_only_digest_is_offered_and_basic_is_refused(camera: RtspServer) -> None:
    bare = f"DESCRIBE {camera.url('/h264')} RTSP/1.0\nCSeq: 1"
    basic = "\nAuthorization: Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    answers = await raw(camera, bare, bare + basic)
    for answer in answers:
        assert answer.startswith("RTSP/1.0 401 ")
        assert [line.split()[1] for line in answer.split("\r\n") if line.startswith("WWW-Auth")] == ["Digest"]


async def test_a_nonce_is_good_for_its_connection_only(camera: RtspServer) -> None:
    bare = f"DESCRIBE {camera.url('/h264')} RTSP/1.0\nCSeq: 1"
    answers = [*await raw(camera, bare, bare), *await raw(camera, bare)]
    nonces = [answer.partition('nonce="')[2].partition('"')[0] for answer in answers]
    assert nonces[0] == nonces[1] != nonces[2]


async def test_what_it_does_not_serve_is_refused_by_status(camera: RtspServer) -> None:
    camera.credentials = None
    url = camera.url("/h264")
    answers = await raw(
        camera,
        f"DESCRIBE {camera.url('/attic')} RTSP/1.0\nCSeq: 1",
        f"SETUP {url}/trackID=1 RTSP/1.0\nCSeq: 2\nTransport: RTP/AVP;unicast;client_port=5000-5001",
        f"PLAY {url} RTSP/1.0\nCSeq: 3\nSession: 12",
        f"RECORD {url} RTSP/1.0\nCSeq: 4",
        f"OPTIONS {url} RTSP/1.0\nCSeq: 5",
        "nonsense",
    )
    assert [int(answer.split()[1]) for answer in answers] == [404, 461, 454, 501, 200, 400]
    assert "CSeq: 5" in answers[4]


async def test_the_description_names_codec_size_and_parameter_sets(camera: RtspServer) -> None:
    camera.credentials = None
    reader, writer = await asyncio.open_connection(camera.host, camera.port)
    for path, words in (
        ("/h264", ("H264/90000", "packetization-mode=1", "sprop-parameter-sets=", "a=x-dimensions:320,192")),
        ("/hevc", ("H265/90000", "sprop-vps=", "sprop-sps=", "sprop-pps=", "a=framerate:15")),
    ):
        writer.write(f"DESCRIBE {camera.url(path)} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        body = await reader.readexactly(int(head.partition("Content-Length: ")[2].split("\r\n")[0]))
        assert all(word in body.decode() for word in words), body
    writer.close()
    await writer.wait_closed()


async def test_a_silent_camera_accepts_and_sends_nothing(camera: RtspServer) -> None:
    camera.credentials = None
    camera.silent = True
    reader, writer = await asyncio.open_connection(camera.host, camera.port)
    setup = (
        f"SETUP {camera.url('/h264')}/trackID=1 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n"
    )
    writer.write(setup.encode())
    session = (await reader.readuntil(b"\r\n\r\n")).decode().partition("Session: ")[2].partition(";")[0]
    writer.write(f"PLAY {camera.url('/h264')} RTSP/1.0\r\nCSeq: 2\r\nSession: {session}\r\n\r\n".encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"RTSP/1.0 200 ")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.3)
    writer.close()
    await writer.wait_closed()


async def test_a_camera_without_stream_refuses_to_describe(camera: RtspServer) -> None:
    camera.refuse = 503
    with pytest.raises(av.FFmpegError):
        await look(address(camera, "/h264"))
    assert camera.requests[-1].status == 503


async def test_a_recording_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "clip.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx265", rate=15)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 320, 192, "yuv420p", 15
        stream.options = {"x265-params": "log-level=none:pools=1:bframes=0"}
        for _ in range(15):
            container.mux(stream.encode(av.VideoFrame(320, 192, "yuv420p")))
        container.mux(stream.encode(None))
    loaded = Recording.load(file)
    assert (loaded.codec, loaded.width, loaded.height, loaded.fps) == ("hevc", 320, 192, 15)
    assert len(loaded.units) == 15
    assert loaded.units[0].key
    assert [nal[0] >> 1 for nal in loaded.parameters] == [32, 33, 34]


def test_what_cannot_be_served_is_no_recording() -> None:
    with pytest.raises(ValueError, match="vp9"):
        Recording.of("vp9", (320, 192), 15, [])
    with pytest.raises(ValueError, match="key frame"):
        Recording.of("h264", (320, 192), 15, [(b"\x00\x00\x01\x41\x9a", False)])
