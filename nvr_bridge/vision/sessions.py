"""A pack, loaded: the objects that cameras, enrolment and measuring all use. They belong to the thread that loads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2

from .detect import Detector
from .embed import Embedder, Spend
from .graph import OnnxGraph
from .install import read_installed
from .landmarks import Landmarker
from .liveness import Liveness
from .pack import Pack, Part, load_pack
from .quality import Cutter


@dataclass(frozen=True, slots=True)
class Vision:
    """A loaded pack."""

    pack: Pack
    detector: Detector
    landmarker: Landmarker
    cutter: Cutter
    embedder: Embedder | None  # None where it was not asked for, and then its file was not even read

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return self.pack.dimension

    def threshold(self, gallery_size: int) -> float:
        """The similarity to reach among so many templates."""
        return self.pack.calibration.threshold(gallery_size)


def load(
    models_dir: Path,
    pack: str = "default",
    *,
    spend: Spend,
    embedder: bool = True,
    liveness: bool = False,
    threads: int = 1,
) -> Vision:
    """Load an installed pack, every file checked. Raises `ModelPackError` naming the remedy.

    `spend` is the gate's; the embedder calls it before each run. `threads` is per model.
    """
    manifest = load_pack(pack)

    def graph(part: Part) -> OnnxGraph:
        model = manifest.model(part)
        return OnnxGraph(read_installed(models_dir, manifest, model), model.file_name, threads=threads)

    cv2.setNumThreads(threads)
    detector, landmarker = Detector(graph(Part.DETECTOR)), Landmarker(graph(Part.LANDMARKS))
    return Vision(
        pack=manifest,
        detector=detector,
        landmarker=landmarker,
        cutter=Cutter(landmarker, detector, Liveness(graph(Part.LIVENESS)) if liveness else None),
        embedder=Embedder(graph(Part.EMBEDDER), spend) if embedder else None,
    )
