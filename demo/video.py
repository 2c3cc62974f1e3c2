"""Makes each camera's recordings out of the story: people walk past a plain wall. Done once, and kept by content."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from nvr_bridge.errors import AskError

from .people import FACE, Figure, cut_out
from .timeline import Look, Placement, Site, SiteCamera

if TYPE_CHECKING:
    from nvr_bridge.models import Image

FPS = 15
MAIN = (1280, 720)
SUB = (640, 360)
_MAGNIFY = MAIN[0] / SUB[0]
_EYES = 0.40  # where the middle of a face is, as a share of the picture's height
_COUNTER = 0.84  # where what people walk behind begins, likewise
_MADE_BY = ("people.py", "timeline.py", "video.py")  # what a recording depends on besides its part of the story
_X264 = {"sc_threshold": "0", "keyint_min": str(FPS), "profile": "main"}
_X265 = f"keyint={FPS}:min-keyint={FPS}:scenecut=0:bframes=0:open-gop=0:pools=1:frame-threads=1:log-level=none"


@dataclass(frozen=True, slots=True)
class Clips:
    """One camera's recordings: MP4, 15 frames a second, a key frame every second, no B-frames."""

    main: Path  # 1280x720, H.264
    sub: Path  # 640x360


def render(site: Site, photos: Path, folder: Path, say: Callable[[str], None]) -> dict[str, Clips]:
    """Make what is missing in `folder`, remove what no camera of the site needs, and name each camera's recordings.

    `photos` is where `fetch_photos` put them. Raises `AskError` when one of them cannot be read. Blocks for about half
    a minute on two cores the first time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clips = {key: _clips(site, camera, folder) for key, camera in site.cameras.items()}
    missing = [key for key, made in clips.items() if not (made.main.is_file() and made.sub.is_file())]
    if missing:
        say(f"Rendering {site.length:g} s of video for {len(missing)} cameras: {', '.join(missing)} …")
        figures = _Figures(photos)
        with (
            tempfile.TemporaryDirectory(dir=folder, prefix=".render-") as scratch,
            ThreadPoolExecutor(max_workers=2, thread_name_prefix="render") as pool,
        ):
            for key in pool.map(lambda key: _record(site, key, clips[key], figures, Path(scratch)), missing):
                say(f"  {key}: {sum(file.stat().st_size for file in _files(clips[key])) / 1e6:.1f} MB")
    wanted = {file for made in clips.values() for file in _files(made)}
    for file in folder.glob("*.mp4"):
        if file not in wanted:
            file.unlink()
    return clips


def picture(site: Site, camera: str, at: float, figures: Callable[[Look], Figure]) -> Image:
    """What the camera's main stream shows at a moment of the story."""
    spec = site.cameras[camera]
    image = backdrop(spec).copy()
    for place in site.present(camera, at):
        _paint(image, place, figures(site.look(place.walk)))
    _counter(image, spec)
    return image


@cache
def backdrop(camera: SiteCamera) -> Image:
    """The empty place, as large as the main stream; not to be drawn on."""
    width, height = MAIN
    light = np.linspace(1.06, 0.86, height)[:, None, None] * np.linspace(0.94, 1.04, width)[None, :, None]
    grain = np.random.default_rng(1).normal(0, 1.5, (height, width, 1))  # walls are not perfectly even
    wall = np.array(camera.wall[::-1], float) * light + grain
    for joint in range(width // 8, width, width // 4):
        wall[:, joint : joint + 3] *= 0.93
    return np.clip(wall, 0, 255).astype(np.uint8)


class _Figures:
    """Cuts each look out once; shared by the rendering threads."""

    def __init__(self, photos: Path) -> None:
        self._photos = photos
        self._cut = cache(self._make)

    def __call__(self, look: Look) -> Figure:
        return self._cut(look)

    def _make(self, look: Look) -> Figure:
        photo = cv2.imread(str(self._photos / look.photo))
        if photo is None:
            raise AskError(
                f"photos: {self._photos / look.photo}: missing or no picture; remove the folder, start again"
            )
        return cut_out(np.asarray(photo, dtype=np.uint8), look)


def _paint(image: Image, place: Placement, figure: Figure) -> None:
    """Put a figure into the picture."""
    scale = place.face * _MAGNIFY / FACE
    x = place.x * MAIN[0] - figure.middle[0] * scale
    y = (_EYES + place.bob * place.face / SUB[1]) * MAIN[1] - figure.middle[1] * scale
    left, top = max(0, int(x)), max(0, int(y))
    right = min(MAIN[0], int(x + figure.image.shape[1] * scale) + 1)
    bottom = round(_COUNTER * MAIN[1])  # clothes go on down to the counter, however far the photo went
    if left >= right or top >= bottom:
        return
    matrix = np.array([[scale, 0, x - left], [0, scale, y - top]])
    size = right - left, bottom - top
    area = image[top:bottom, left:right]
    person = cv2.warpAffine(figure.image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(figure.alpha, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    area[:] = cv2.blendLinear(person, np.ascontiguousarray(area), alpha, np.subtract(1, alpha))


def _counter(image: Image, camera: SiteCamera) -> None:
    """What people walk behind, with the camera's name on it as cameras write it."""
    top = round(_COUNTER * MAIN[1])
    image[top:] = camera.counter[::-1]
    image[top : top + 6] = tuple(min(255, part + 30) for part in camera.counter[::-1])
    cv2.putText(image, camera.name, (24, MAIN[1] - 36), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (235, 235, 235), 2, cv2.LINE_AA)


def _record(site: Site, camera: str, clips: Clips, figures: _Figures, scratch: Path) -> str:
    """Draw and encode both streams of one camera; a recording appears under its name only when it is whole."""
    partial = Clips(*(scratch / file.name for file in _files(clips)))
    with av.open(str(partial.main), "w") as main, av.open(str(partial.sub), "w") as sub:
        streams = (_stream(main, "h264", MAIN), _stream(sub, site.cameras[camera].sub, SUB))
        for index, pair in enumerate(_frames(site, camera, figures)):
            for container, stream, frame in zip((main, sub), streams, pair, strict=True):
                frame.pts = index
                container.mux(stream.encode(frame))
        for container, stream in zip((main, sub), streams, strict=True):
            container.mux(stream.encode(None))
    for part, file in zip(_files(partial), _files(clips), strict=True):
        part.replace(file)
    return camera


def _frames(site: Site, camera: str, figures: _Figures) -> Iterator[tuple[av.VideoFrame, av.VideoFrame]]:
    """Main and sub picture of each moment; the empty place is drawn once."""
    empty = _pair(picture(site, camera, -1.0, figures))
    for index in range(round(site.length * FPS)):
        at = index / FPS
        yield _pair(picture(site, camera, at, figures)) if site.present(camera, at) else empty


def _pair(image: Image) -> tuple[av.VideoFrame, av.VideoFrame]:
    return _frame(image), _frame(cv2.resize(image, SUB, interpolation=cv2.INTER_AREA))


def _frame(image: cv2.typing.MatLike) -> av.VideoFrame:
    planes = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)  # several times as fast as letting the encoder convert
    return av.VideoFrame.from_ndarray(np.asarray(planes, dtype=np.uint8), format="yuv420p")


def _stream(container: OutputContainer, codec: str, size: tuple[int, int]) -> VideoStream:
    stream = container.add_stream("libx264" if codec == "h264" else "libx265", rate=FPS)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.gop_size = FPS
    stream.codec_context.max_b_frames = 0
    stream.codec_context.thread_count = 1
    # The sub stream is what is looked at; the main stream only has to be there, and quickly.
    effort = {"preset": "ultrafast", "crf": "30"} if size == MAIN else {"preset": "veryfast", "crf": "22"}
    if codec == "h264":
        stream.options = {**_X264, **effort}
    else:
        stream.options = {"preset": "ultrafast", "crf": "22", "x265-params": _X265}
    return stream


def _clips(site: Site, camera: SiteCamera, folder: Path) -> Clips:
    """The files' names, which tell what is in them: the same story, photos and code make the same name."""
    walks = site.at(camera.camera)
    looks = [site.look(walk) for walk in walks]
    photos = [item for item in site.photos.files if item[0] in {look.photo for look in looks}]
    told = repr((camera, site.length, walks, looks, photos, av.__version__, cv2.__version__)).encode()
    for name in _MADE_BY:
        told += Path(__file__).with_name(name).read_bytes()
    key = hashlib.sha256(told).hexdigest()[:16]
    return Clips(folder / f"{camera.camera}-{key}-main.mp4", folder / f"{camera.camera}-{key}-sub.mp4")


def _files(clips: Clips) -> tuple[Path, Path]:
    return clips.main, clips.sub
