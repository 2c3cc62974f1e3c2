"""No permit, no embedding; and the runs of the model are counted apart from the permits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nvr_bridge.consent.permit import OfflineGate
from nvr_bridge.errors import ModelPackError, PermitError
from nvr_bridge.models import FaceShot
from nvr_bridge.vision.embed import Embedder
from nvr_bridge.vision.graph import OnnxGraph
from nvr_bridge.vision.install import read_installed
from nvr_bridge.vision.pack import Part, load_pack
from nvr_bridge.vision.sessions import Vision, load

pytestmark = pytest.mark.needs_models

SHOT = FaceShot(np.random.default_rng(2).integers(0, 255, (112, 112, 3), dtype=np.uint8), 80.0, 0.5, 0.0)


@pytest.fixture(scope="module")
def graph(models_dir: Path) -> OnnxGraph:
    pack = load_pack()
    return OnnxGraph(read_installed(models_dir, pack, pack.model(Part.EMBEDDER)), "embedder")


@pytest.fixture
def own_gate() -> OfflineGate:
    return OfflineGate()


def test_on_a_permit_a_face_becomes_a_unit_vector(graph: OnnxGraph, own_gate: OfflineGate) -> None:
    permit = own_gate.offline("a test")
    embedder = Embedder(graph, own_gate.spend)
    before = embedder.runs
    probe = embedder.embed(SHOT, permit)
    assert probe.permit is permit
    assert (probe.embedding.shape, probe.embedding.dtype) == ((512,), np.float32)
    assert np.linalg.norm(probe.embedding) == pytest.approx(1.0, abs=1e-5)
    assert (embedder.runs - before, own_gate.spent) == (1, 1)
    assert embedder.embed(SHOT, permit).embedding == pytest.approx(probe.embedding, abs=1e-6)


def test_a_permit_that_the_gate_did_not_make_runs_nothing(graph: OnnxGraph, own_gate: OfflineGate) -> None:
    embedder = Embedder(graph, own_gate.spend)
    before = embedder.runs
    for forged in (OfflineGate().offline("another gate"), replace(own_gate.offline("a test"))):
        with pytest.raises(PermitError):
            embedder.embed(SHOT, forged)
    assert (embedder.runs, own_gate.spent) == (before, 0)


def test_a_permit_that_lapsed_runs_nothing(graph: OnnxGraph) -> None:
    now = [1000.0]
    gate = OfflineGate(clock=lambda: now[0])
    permit = gate.offline("a test")
    embedder = Embedder(graph, gate.spend)
    embedder.embed(SHOT, permit)
    before = embedder.runs
    now[0] = permit.expires_at
    with pytest.raises(PermitError, match="lapsed"):
        embedder.embed(SHOT, permit)
    assert embedder.runs == before


def test_runs_are_counted_at_the_model_itself(graph: OnnxGraph, own_gate: OfflineGate) -> None:
    embedder = Embedder(graph, own_gate.spend)
    before = embedder.runs
    graph.run(np.zeros((1, 3, 112, 112), np.float32))  # behind the gate's back
    assert (embedder.runs - before, own_gate.spent) == (1, 0)


def test_a_probe_does_not_show_what_it_holds(graph: OnnxGraph, own_gate: OfflineGate) -> None:
    probe = Embedder(graph, own_gate.spend).embed(SHOT, own_gate.offline("a test"))
    assert "embedding" not in repr(probe)
    assert "chip" not in repr(SHOT)


def test_without_biometrics_the_embedders_file_is_not_even_read(models_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "default"
    copy.mkdir()
    for name in ("detector.onnx", "landmarks.onnx", "pack.json"):
        (copy / name).write_bytes((models_dir / "default" / name).read_bytes())
    vision = load(tmp_path, spend=OfflineGate().spend, embedder=False)
    assert vision.embedder is None
    assert vision.detector.detect(np.zeros((90, 160, 3), np.uint8)) == []
    with pytest.raises(ModelPackError, match=r"embedder\.onnx is not installed.*nvr-bridge models install"):
        load(tmp_path, spend=OfflineGate().spend)


def test_a_damaged_file_is_never_loaded(models_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "default"
    copy.mkdir()
    for file in (models_dir / "default").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    data = bytearray((copy / "embedder.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (copy / "embedder.onnx").write_bytes(data)
    with pytest.raises(ModelPackError, match="damaged"):
        load(tmp_path, spend=OfflineGate().spend)


def test_bytes_that_are_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelPackError, match=r"embedder\.onnx: the runtime cannot load it"):
        OnnxGraph(b"no model", "embedder.onnx")


def test_the_pack_knows_its_numbers(vision: Vision) -> None:
    assert vision.dimension == 512
    assert vision.threshold(1000) == pytest.approx(0.55)
