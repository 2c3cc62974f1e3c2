"""Verification is measured as LFW's protocol has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nvr_bridge.errors import InvalidError
from nvr_bridge.vision.evaluate import FOLDS, best_threshold, cross_validated, read_pairs, tar_at

NAN = float("nan")


def pairs_file(folder: Path, *lines: str) -> Path:
    path = folder / "pairs.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_one_set_of_pairs_is_dealt_out_into_ten_folds(tmp_path: Path) -> None:
    genuine = [f"Ann_Lee\t{n}\t{n + 1}" for n in range(1, 21)]
    impostor = [f"Ann_Lee\t{n}\tBo_Chen\t{n + 2}" for n in range(1, 21)]
    pairs, folds = read_pairs(pairs_file(tmp_path, "1\t20", *genuine, *impostor), tmp_path)
    assert pairs[0].first == tmp_path / "Ann_Lee" / "Ann_Lee_0001.jpg"
    assert pairs[39].second == tmp_path / "Bo_Chen" / "Bo_Chen_0022.jpg"
    assert [pair.same for pair in pairs] == [True] * 20 + [False] * 20
    for fold in range(FOLDS):
        assert sum(pair.same for pair, of in zip(pairs, folds, strict=True) if of == fold) == 2


def test_folds_that_are_stated_are_kept(tmp_path: Path) -> None:
    lines = []
    for fold in range(10):
        lines += [f"A 1 {fold + 2}", f"B 1 C {fold + 1}"]
    _, folds = read_pairs(pairs_file(tmp_path, "10 1", *lines), tmp_path)
    assert folds.tolist() == [fold for fold in range(10) for _ in range(2)]


@pytest.mark.parametrize("line", ["Ann 1", "Ann one 2", "Ann 1 Bo two", "Ann 1 2 3 4"])
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(InvalidError, match="line 3 is neither"):
        read_pairs(pairs_file(tmp_path, "1 2", "Ann 1 2", line), tmp_path)


def test_a_file_with_too_little_in_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="too few pairs"):
        read_pairs(pairs_file(tmp_path, "1 20", *[f"Ann {n} {n + 1}" for n in range(1, 30)]), tmp_path)
    with pytest.raises(InvalidError, match="cannot be read"):
        read_pairs(tmp_path / "none.txt", tmp_path)


def test_the_threshold_parts_genuine_from_impostor() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.2, 0.1, 0.0])
    same = np.array([True, True, True, False, False, False])
    assert best_threshold(scores, same) == pytest.approx(0.45)
    assert best_threshold(np.array([*scores, NAN]), np.array([*same, True])) == pytest.approx(0.45)


def test_with_one_on_the_wrong_side_the_fewest_errors_win() -> None:
    scores = np.array([0.9, 0.8, 0.15, 0.3, 0.2, 0.1])
    same = np.array([True, True, True, False, False, False])
    assert 0.3 < best_threshold(scores, same) < 0.8


def test_each_fold_is_judged_by_the_others() -> None:
    folds = np.repeat(np.arange(10), 4)
    same = np.tile([True, True, False, False], 10)
    scores = np.where(same, 0.8, 0.1).astype(float)
    scores[0] = 0.05  # in fold 0 only
    accuracies, thresholds = cross_validated(scores, same, folds)
    assert accuracies == [0.75] + [1.0] * 9
    assert thresholds == pytest.approx([0.45] * 10)


def test_a_face_that_was_not_found_is_an_error_whatever_the_answer() -> None:
    folds = np.repeat(np.arange(10), 4)
    same = np.tile([True, True, False, False], 10)
    scores = np.where(same, 0.8, 0.1).astype(float)
    scores[1] = scores[2] = NAN
    accuracies, _ = cross_validated(scores, same, folds)
    assert accuracies[0] == 0.5
    assert tar_at(scores, same, 0.1) == pytest.approx(19 / 20)


@pytest.mark.parametrize(("rate", "expected"), [(0.0, 0.5), (0.25, 0.75), (0.5, 1.0), (1.0, 1.0)])
def test_genuine_pairs_accepted_at_a_rate_of_impostors(rate: float, expected: float) -> None:
    scores = np.array([0.9, 0.8, 0.5, 0.3, 0.6, 0.4, 0.2, 0.1])
    same = np.array([True] * 4 + [False] * 4)
    assert tar_at(scores, same, rate) == expected


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nvr_bridge", "evaluate", "verification", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        timeout=280,
    )


@pytest.mark.needs_models
def test_a_photo_that_is_missing_is_one_line(tmp_path: Path, models_dir: Path) -> None:
    lines = [f"A {n} {n + 1}" for n in range(1, 11)] + [f"A {n} B {n}" for n in range(1, 11)]
    path = pairs_file(tmp_path, "1 10", *lines)
    done = command("--images", str(tmp_path), "--pairs", str(path), "--dir", str(models_dir), "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "A_0001.jpg is named in" in done.stderr


@pytest.mark.needs_models
@pytest.mark.needs_faces
@pytest.mark.timeout(300)
def test_labelled_faces_are_verified_at_ninety_nine_percent(faces_dir: Path, models_dir: Path, tmp_path: Path) -> None:
    # Every second pair, of one person and of two alike, says the same in half the time.
    pairs = pairs_file(tmp_path, *(faces_dir / "pairs.txt").read_text().splitlines()[::2])
    found = command("--images", str(faces_dir), "--pairs", str(pairs), "--dir", str(models_dir), "--json")
    assert found.returncode == 0, found.stderr
    measured = json.loads(found.stdout)
    assert {"accuracy", "tar_at_far", "failures", "ms_per_image"} <= set(measured)
    assert measured["accuracy"] >= 0.99
    assert measured["tar_at_far"]["0.001"] >= 0.97
    assert measured["failures"] <= 0.005 * measured["images"]
    assert measured["pairs"] == 823
