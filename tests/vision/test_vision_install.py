"""A pack is installed whole or not at all, and every file of it is checked."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from packages import FILES, archives, tiny_pack

from nvr_bridge.errors import ModelPackError
from nvr_bridge.vision.install import check, install, read_installed


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def everything(folder: Path) -> list[str]:
    """What is there, hidden files too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.exists() else []


WHOLE = ["tiny", "tiny/detector.onnx", "tiny/embedder.onnx", "tiny/pack.json"]


def test_from_a_folder_of_archives(models: Path, tmp_path: Path) -> None:
    archives(tmp_path / "at-hand" / "deeper")
    steps: list[tuple[int, int, str]] = []
    install(models, tiny_pack(), [tmp_path / "at-hand"], lambda *step: steps.append(step))
    assert everything(models) == WHOLE
    assert (models / "tiny" / "detector.onnx").read_bytes() == FILES["package/model/d.onnx"]
    assert check(models, tiny_pack()).problem is None
    assert [done for done, _, _ in steps] == [0, 1, 2]
    assert steps[-1][0] == steps[-1][1]


def test_from_the_archives_themselves(models: Path, tmp_path: Path) -> None:
    install(models, tiny_pack(), archives(tmp_path))
    assert everything(models) == WHOLE


def test_from_loose_files(models: Path, tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.mkdir()
    for name, data in FILES.items():
        (loose / Path(name).name).write_bytes(data)
    install(models, tiny_pack(), [loose])
    assert everything(models) == WHOLE


def test_another_version_beside_the_right_one_does_no_harm(models: Path, tmp_path: Path) -> None:
    archives(tmp_path / "a", dict.fromkeys(FILES, b"older"))
    archives(tmp_path / "b")
    install(models, tiny_pack(), [tmp_path])
    assert check(models, tiny_pack()).problem is None


def test_a_wrong_hash_installs_nothing(models: Path, tmp_path: Path) -> None:
    tampered = {name: data + b"!" for name, data in FILES.items()}
    with pytest.raises(ModelPackError, match=r"d\.onnx has sha256 [0-9a-f]{12}…, expected") as caught:
        install(models, tiny_pack(), archives(tmp_path, tampered))
    assert "\n" not in str(caught.value)
    assert everything(models) == []


@pytest.mark.parametrize("which", [0, 1])
def test_a_truncated_archive_installs_nothing(models: Path, tmp_path: Path, which: int) -> None:
    packed = archives(tmp_path)
    data = packed[which].read_bytes()
    packed[which].write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelPackError, match="truncated or damaged"):
        install(models, tiny_pack(), packed)
    assert everything(models) == []


def test_a_truncated_file_installs_nothing(models: Path, tmp_path: Path) -> None:
    npm, _ = archives(tmp_path)
    (tmp_path / "e.onnx").write_bytes(FILES["small/e.onnx"][:-1])
    with pytest.raises(ModelPackError, match=r"e\.onnx has sha256"):
        install(models, tiny_pack(), [npm, tmp_path / "e.onnx"])
    assert everything(models) == []


def test_a_file_that_is_missing_is_told_with_its_package(models: Path, tmp_path: Path) -> None:
    npm, _ = archives(tmp_path)
    with pytest.raises(ModelPackError, match=r"small/e\.onnx: not found; bring the archive of faces 4\.5\.6"):
        install(models, tiny_pack(), [npm])
    with pytest.raises(ModelPackError, match="no such file or folder"):
        install(models, tiny_pack(), [tmp_path / "nowhere"])
    assert everything(models) == []


def test_a_failed_repair_leaves_what_was_there(models: Path, tmp_path: Path) -> None:
    packed = archives(tmp_path)
    install(models, tiny_pack(), packed)
    (models / "tiny" / "embedder.onnx").write_bytes(b"flipped")
    with pytest.raises(ModelPackError):
        install(models, tiny_pack(), packed[:1])
    assert everything(models) == WHOLE
    assert (models / "tiny" / "detector.onnx").read_bytes() == FILES["package/model/d.onnx"]


def test_damage_is_found_and_mended(models: Path, tmp_path: Path) -> None:
    packed = archives(tmp_path)
    pack = tiny_pack()
    install(models, pack, packed)
    (models / "tiny" / "embedder.onnx").write_bytes(FILES["small/e.onnx"][:-1])
    problem = check(models, pack).problem
    assert problem is not None
    assert "embedder.onnx is damaged" in problem
    assert "nvr-bridge models install tiny" in problem
    with pytest.raises(ModelPackError, match="damaged"):
        read_installed(models, pack, pack.models[1])
    install(models, pack, packed)
    assert read_installed(models, pack, pack.models[1]) == FILES["small/e.onnx"]
    assert everything(models) == WHOLE


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"detector.onnx": 1}'])
def test_a_damaged_record_is_damage(models: Path, tmp_path: Path, record: str) -> None:
    install(models, tiny_pack(), archives(tmp_path))
    (models / "tiny" / "pack.json").write_text(record)
    assert check(models, tiny_pack()).problem is not None


def test_a_pack_that_is_whole_is_left_alone(models: Path, tmp_path: Path) -> None:
    install(models, tiny_pack(), archives(tmp_path))
    before = (models / "tiny").stat().st_ino
    install(models, tiny_pack(), [tmp_path])
    assert (models / "tiny").stat().st_ino == before


def test_what_a_killed_installation_left_is_swept_once_it_is_old(models: Path, tmp_path: Path) -> None:
    old, new = models / ".install-old", models / ".install-new"
    for left in (old, new):
        (left / "tiny").mkdir(parents=True)
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    install(models, tiny_pack(), archives(tmp_path))
    assert not old.exists()
    assert new.exists(), "it may be another installation that runs now"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ModelPackError, match=r"cannot be written: .*; choose another with --dir"):
        install(tmp_path / "taken", tiny_pack(), archives(tmp_path))
