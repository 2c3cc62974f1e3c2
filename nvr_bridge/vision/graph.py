"""What runs graphs, apart from what infers with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf

from ..errors import ModelPackError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Tensor = NDArray[np.float32]


class Graph(Protocol):
    """A loaded model with one input."""

    @property
    def runs(self) -> int:
        """How often it ran."""

    def run(self, feed: Tensor) -> list[Tensor]:
        """Its outputs, in the order in which the model names them."""


class OnnxGraph:
    """An ONNX model on the CPU. Counts its own runs; belongs to one thread."""

    def __init__(self, data: bytes, what: str, *, threads: int = 1) -> None:
        """`what` names the model in errors. Raises `ModelPackError` for bytes the runtime cannot load."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.enable_cpu_mem_arena = False  # an arena grows and is never given back
        options.log_severity_level = 3  # warnings are about how the model was exported; errors are raised
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except (Fail, InvalidGraph, InvalidProtobuf) as err:
            raise ModelPackError(f"{what}: the runtime cannot load it ({err}); install the pack again") from err
        self._input: str = self._session.get_inputs()[0].name
        self._outputs: list[str] = [output.name for output in self._session.get_outputs()]
        self._runs = 0

    @property
    def runs(self) -> int:
        """How often it ran."""
        return self._runs

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs' names, in the order of `run`."""
        return tuple(self._outputs)

    def run(self, feed: Tensor) -> list[Tensor]:
        """Its outputs, in the order in which the model names them. `feed` has the shape the model was made for."""
        self._runs += 1
        result: list[Tensor] = self._session.run(self._outputs, {self._input: feed})
        return result
