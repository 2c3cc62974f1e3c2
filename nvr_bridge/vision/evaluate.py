"""Verification on labelled photos, as LFW's protocol has it, through the very objects that the cameras use."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..errors import InvalidError
from ..models import Permit
from .photo import central_shot
from .sessions import Vision

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..models import Embedding

    type Scores = NDArray[np.float64]  # one for each pair; NaN where a face was not found
    type Labels = NDArray[np.bool_]  # one for each pair: the same person?

FOLDS = 10
RATES = (1e-2, 1e-3)  # false accept rates to report at


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photos, by file, and whether they are of one person."""

    first: Path
    second: Path
    same: bool


@dataclass(frozen=True, slots=True)
class Verification:
    """What was measured."""

    accuracy: float  # mean over folds; each fold's threshold is chosen on the others
    deviation: float  # standard deviation of the folds' accuracies
    threshold: float  # mean of the folds' thresholds
    tar_at_far: dict[float, float]  # false accept rate → genuine pairs accepted
    failures: int  # photos in which no usable face was found; each pair with one is an error
    images: int
    pairs: int
    ms_per_image: float  # decode, detect, landmarks, align, embed


def verification(
    vision: Vision, permit: Permit, images: Path, pairs: Path, on_step: Callable[[int, int], None] = lambda *_: None
) -> Verification:
    """Embed every photo that `pairs` names (LFW's `pairs.txt` format) under `images`, and compare.

    Raises `InvalidError` for a file that is missing or malformed.
    """
    wanted, folds = read_pairs(pairs, images)
    files = sorted({file for pair in wanted for file in (pair.first, pair.second)})
    missing = next((file for file in files if not file.is_file()), None)
    if missing:
        raise InvalidError(f"--images: {missing} is named in {pairs} and does not exist; give the folder it is in")
    found: dict[Path, Embedding] = {}
    started = time.perf_counter()
    for done, file in enumerate(files):
        on_step(done, len(files))
        embedding = _embedded(vision, permit, file)
        if embedding is not None:
            found[file] = embedding
    spent = time.perf_counter() - started
    on_step(len(files), len(files))
    scores = np.array([_score(found, pair) for pair in wanted])
    same = np.array([pair.same for pair in wanted])
    accuracies, thresholds = cross_validated(scores, same, folds)
    return Verification(
        accuracy=float(np.mean(accuracies)),
        deviation=float(np.std(accuracies)),
        threshold=float(np.mean(thresholds)),
        tar_at_far={rate: tar_at(scores, same, rate) for rate in RATES},
        failures=len(files) - len(found),
        images=len(files),
        pairs=len(wanted),
        ms_per_image=1000.0 * spent / len(files),
    )


def read_pairs(path: Path, images: Path) -> tuple[list[Pair], NDArray[np.intp]]:
    """LFW's `pairs.txt`, and each pair's fold. A file of one fold is dealt out into ten."""
    try:
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as err:
        raise InvalidError(f"--pairs: {path} cannot be read: {err}") from err
    pairs = [_pair(line, number, path, images) for number, line in enumerate(lines[1:], start=2)]
    if len(pairs) < FOLDS or len({pair.same for pair in pairs}) != 2:
        raise InvalidError(f"--pairs: {path} has too few pairs; it needs {FOLDS} or more, of one and of two people")
    stated = int(lines[0][0]) if lines[0][0].isdigit() and len(lines[0]) == 2 else 1
    if stated > 1 and len(pairs) % stated == 0:
        return pairs, np.arange(len(pairs)) // (len(pairs) // stated)
    return pairs, np.arange(len(pairs)) % FOLDS


def cross_validated(scores: Scores, same: Labels, folds: NDArray[np.intp]) -> tuple[list[float], list[float]]:
    """Each fold's accuracy at the threshold that is best on all others, and that threshold."""
    accuracies, thresholds = [], []
    for fold in np.unique(folds):
        tested = folds == fold
        threshold = best_threshold(scores[~tested], same[~tested])
        # A pair that could not be compared is an error whichever answer it had.
        right = np.where(np.isnan(scores[tested]), False, (scores[tested] >= threshold) == same[tested])
        accuracies.append(float(right.mean()))
        thresholds.append(threshold)
    return accuracies, thresholds


def best_threshold(scores: Scores, same: Labels) -> float:
    """Where genuine and impostor pairs part with the fewest errors; of equals, the middle one."""
    known = ~np.isnan(scores)
    order = np.argsort(scores[known])
    sorted_scores, sorted_same = scores[known][order], same[known][order]
    # At cut i, the first i pairs are rejected and the rest accepted.
    right = np.concatenate([[0], np.cumsum(~sorted_same)]) + np.concatenate([np.cumsum(sorted_same[::-1])[::-1], [0]])
    best = np.flatnonzero(right == right.max())
    cut = int(best[len(best) // 2])
    edges = np.concatenate([[-1.0], sorted_scores, [1.0]])
    return float((edges[cut] + edges[cut + 1]) / 2)


def tar_at(scores: Scores, same: Labels, rate: float) -> float:
    """Genuine pairs accepted at the lowest threshold that lets no more than `rate` of all impostor pairs pass."""
    impostors = np.sort(scores[~same & ~np.isnan(scores)])[::-1]
    allowed = int(rate * np.count_nonzero(~same))
    threshold = impostors[allowed] if allowed < len(impostors) else -1.0
    return float(np.count_nonzero(scores[same] > threshold) / np.count_nonzero(same))


# --- helpers ------------------------------------------------------------------------------------------------------


def _embedded(vision: Vision, permit: Permit, file: Path) -> Embedding | None:
    if vision.embedder is None:
        raise InvalidError("this pack was loaded without its embedder, so nothing can be compared")
    image = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if image is None:
        raise InvalidError(f"--images: {file} is not a picture that can be read; replace it")
    shot = central_shot(vision.detector, vision.cutter, image.astype(np.uint8, copy=False), 0.0)
    return vision.embedder.embed(shot, permit).embedding if shot else None


def _score(found: dict[Path, Embedding], pair: Pair) -> float:
    if pair.first not in found or pair.second not in found:
        return float("nan")
    return float(found[pair.first] @ found[pair.second])


def _pair(fields: Sequence[str], number: int, path: Path, images: Path) -> Pair:
    """`name n m`, or `name n other m`."""
    match fields:
        case [name, first, second] if first.isdigit() and second.isdigit():
            return Pair(_file(images, name, first), _file(images, name, second), same=True)
        case [name, first, other, second] if first.isdigit() and second.isdigit():
            return Pair(_file(images, name, first), _file(images, other, second), same=False)
    raise InvalidError(f"--pairs: {path} line {number} is neither `name n m` nor `name n other m`; correct it")


def _file(images: Path, name: str, number: str) -> Path:
    return images / name / f"{name}_{int(number):04d}.jpg"
