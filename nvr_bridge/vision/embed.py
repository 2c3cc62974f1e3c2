"""The embedder: 512 numbers for a face, and only on a permit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..models import FaceShot, Permit, Probe
from .graph import Graph

if TYPE_CHECKING:
    from ..models import Embedding, Image
    from .graph import Tensor

type Spend = Callable[[Permit], None]  # the gate's: raises `PermitError` unless the permit holds now


class Embedder:
    """The one door to the embedding model. `runs` is counted at the model's own session, apart from any permit."""

    def __init__(self, graph: Graph, spend: Spend) -> None:
        """`graph` takes (1, 3, 112, 112) and gives (1, dimension)."""
        self._graph = graph
        self._spend = spend

    @property
    def runs(self) -> int:
        """How often the model ran."""
        return self._graph.runs

    def embed(self, shot: FaceShot, permit: Permit) -> Probe:
        """Spend the permit, then embed. Raises `PermitError` without having run anything."""
        self._spend(permit)
        return Probe(_unit(self._graph.run(_feed(shot.chip))[0][0]), permit)


def _feed(chip: Image) -> Tensor:
    """BGR as it is: in this order the model is right more often than in the one its package feeds it."""
    planes = chip.astype(np.float32).transpose(2, 0, 1)[np.newaxis]
    return np.ascontiguousarray((planes - 127.0) / 128.0)


def _unit(vector: Tensor) -> Embedding:
    length = np.linalg.norm(vector)
    return (vector / length).astype(np.float32) if length > 0 else vector
