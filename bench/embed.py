"""embed: a face through the embedder, permit and all, beside the same model with the operator it came with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import helper

from nvr_bridge.models import Face
from nvr_bridge.vision.graph import OnnxGraph
from nvr_bridge.vision.pack import Part

from . import material
from .measure import Figure, Unavailable, side_by_side


def run(seconds: float) -> Iterator[Figure]:
    """Milliseconds of CPU for one face."""
    seer, permit = material.vision()
    image, face = material.picture()
    shot = seer.cutter.cut(image, Face(face.box, 1.0), 0.0)
    embedder = seer.embedder
    if shot is None or embedder is None:
        raise Unavailable("no face to embed; run script/setup demo")
    kept = material.model_file(Part.EMBEDDER)
    original = OnnxGraph(_as_it_came(kept), "the embedder as it came")
    feed = np.ascontiguousarray((shot.chip.astype(np.float32).transpose(2, 0, 1)[np.newaxis] - 127.0) / 128.0)
    vector = original.run(feed)[0][0]
    same = float(vector / np.linalg.norm(vector) @ embedder.embed(shot, permit).embedding)
    if same < 0.9999:
        raise AssertionError(f"the two models do not agree: {same}")
    ours, plain = side_by_side([lambda: embedder.embed(shot, permit), lambda: original.run(feed)], seconds)
    yield Figure("embed", "a face, with its permit", ours, "ms", "the model with PRelu as it came", plain)


def _as_it_came(data: bytes) -> bytes:
    """The inverse of the conversion at installation: a·x + (1−a)·relu(x) back to PRelu."""
    model = onnx.load_model_from_string(data)
    made = {node.output[0]: node for node in model.graph.node}
    nodes: list[onnx.NodeProto] = []
    dropped: set[str] = set()
    for node in model.graph.node:
        scaled = next((made[name] for name in node.input if name.endswith("_prelu_scaled")), None)
        if node.op_type == "Add" and scaled is not None:
            dropped.update(name for name in made if name.startswith(f"{node.output[0]}_prelu"))
            nodes.append(helper.make_node("PRelu", list(scaled.input), list(node.output)))
        else:
            nodes.append(node)
    if not dropped:
        raise Unavailable("the installed embedder was not converted, so there is nothing to compare")
    del model.graph.node[:]
    model.graph.node.extend(node for node in nodes if node.output[0] not in dropped)
    return bytes(model.SerializeToString())
