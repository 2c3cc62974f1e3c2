"""What is rewritten at installation computes the same."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from nvr_bridge.vision.convert import converted
from nvr_bridge.vision.pack import Convert

RANDOM = np.random.default_rng(3)


def convolution(*, prelu: bool) -> bytes:
    """A small graph: one convolution, and perhaps a PReLU after it."""
    weights = numpy_helper.from_array(RANDOM.normal(size=(4, 3, 3, 3)).astype(np.float32), "weights")
    slopes = numpy_helper.from_array(RANDOM.uniform(-0.5, 0.5, (4, 1, 1)).astype(np.float32), "slopes")
    nodes = [helper.make_node("Conv", ["x", "weights"], ["between" if prelu else "y"], pads=[1, 1, 1, 1])]
    if prelu:
        nodes.append(helper.make_node("PRelu", ["between", "slopes"], ["y"]))
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [10, n, 8, 8]) for name, n in (("x", 3), ("y", 4))]
    stated = helper.make_tensor_value_info("weights", TensorProto.FLOAT, [4, 3, 3, 3])  # as old exporters wrote it
    graph = helper.make_graph(nodes, "small", [values[0], stated], [values[1]], [weights, slopes])
    model = helper.make_model(graph, ir_version=4, opset_imports=[helper.make_opsetid("", 9)])
    return model.SerializeToString()


def run(model: bytes, x: np.ndarray) -> np.ndarray:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


def test_a_prelu_becomes_operators_that_compute_the_same() -> None:
    model = convolution(prelu=True)
    faster = converted(model, Convert.PRELU)
    assert "PRelu" not in {node.op_type for node in onnx.load_model_from_string(faster).graph.node}
    x = RANDOM.normal(size=(10, 3, 8, 8)).astype(np.float32)
    assert run(faster, x) == pytest.approx(run(model, x), abs=1e-6)


def test_a_picture_of_any_size_is_taken() -> None:
    free = converted(convolution(prelu=False), Convert.FREE_SIZE)
    assert run(free, np.zeros((1, 3, 24, 40), np.float32)).shape == (1, 4, 24, 40)
    assert [value.name for value in onnx.load_model_from_string(free).graph.input] == ["x"]


def test_nothing_is_done_where_nothing_is_to_be_done() -> None:
    assert converted(b"anything", Convert.NONE) == b"anything"


def test_the_same_file_gives_the_same_bytes() -> None:
    model = convolution(prelu=True)
    assert converted(model, Convert.PRELU) == converted(model, Convert.PRELU)
