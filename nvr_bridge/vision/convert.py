"""What is done to a model file once, when its pack is installed. Runs nothing of the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from .pack import Convert


def converted(data: bytes, convert: Convert) -> bytes:
    """The model file as it is installed. `data` was checked by sha256, so it is the model it should be."""
    if convert is Convert.NONE:
        return data
    model = onnx.load_model_from_string(data)
    if convert is Convert.PRELU:
        _rewrite_prelu(model.graph)
    else:
        _free_size(model.graph)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _rewrite_prelu(graph: Any) -> None:
    """PReLU(x) = a·x + (1−a)·relu(x): the runtime vectorises these, and not PReLU (half the time a run)."""
    slopes = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type != "PRelu":
            nodes.append(node)
            continue
        x, slope = node.input
        base, out = f"{node.output[0]}_prelu", node.output[0]
        rest = (1.0 - slopes[slope]).astype(np.float32)
        graph.initializer.append(numpy_helper.from_array(rest, f"{base}_rest"))
        nodes += [
            helper.make_node("Relu", [x], [f"{base}_relu"]),
            helper.make_node("Mul", [f"{base}_relu", f"{base}_rest"], [f"{base}_positive"]),
            helper.make_node("Mul", [x, slope], [f"{base}_scaled"]),
            helper.make_node("Add", [f"{base}_scaled", f"{base}_positive"], [out]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def _free_size(graph: Any) -> None:
    """One picture of any size: the graph is convolutions only, so nothing else in it depends on the size."""
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    del graph.input[:]  # constants listed as inputs would keep the runtime from folding them
    graph.input.extend(inputs)
    del graph.value_info[:]
    for value in [*graph.input, *graph.output]:
        sizes = value.type.tensor_type.shape.dim
        sizes[0].dim_value = 1
        for axis, size in (("height", sizes[2]), ("width", sizes[3])):
            size.dim_param = f"{value.name}_{axis}"
