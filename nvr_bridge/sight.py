"""The models as coroutines: every call runs on the one thread that owns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .models import Face, FaceShot, Flaw, Permit, Probe
from .worker import Worker

if TYPE_CHECKING:
    from .models import Image


class Detector(Protocol):
    """Finds faces."""

    def detect(self, image: Image) -> list[Face]:
        """Every face in `image`, in its pixels."""


class Cutter(Protocol):
    """Cuts faces out for the embedder."""

    def cut(self, image: Image, face: Face, at: float) -> FaceShot | None:
        """The aligned face, or None where it is no usable face."""

    def judge(self, image: Image, face: Face, at: float) -> FaceShot | Flaw:
        """The same, with what is wrong instead of None."""


class Embedder(Protocol):
    """The one door to the embedding model."""

    @property
    def runs(self) -> int:
        """How often the model ran, as its own session counted."""

    def embed(self, shot: FaceShot, permit: Permit) -> Probe:
        """Spend the permit, then embed. Raises `PermitError` without having run anything."""


class Models(Protocol):
    """A loaded model pack."""

    @property
    def detector(self) -> Detector:
        """Boxes."""

    @property
    def cutter(self) -> Cutter:
        """Landmarks, alignment and quality."""

    @property
    def embedder(self) -> Embedder | None:
        """None where the policy knows no biometrics."""


class Sight:
    """One for the engine, shared by all cameras."""

    def __init__(self, models: Models, worker: Worker, min_face: float) -> None:
        """`worker` is the thread that loaded `models`; `min_face` is the width in pixels from which a face may be embedded."""
        self._models = models
        self._worker = worker
        self.min_face = min_face

    @property
    def recognises(self) -> bool:
        """Whether there is an embedder at all."""
        return self._models.embedder is not None

    @property
    def embeddings(self) -> int:
        """How often the embedder ran."""
        return self._models.embedder.runs if self._models.embedder else 0

    async def on_models[T](self, work: Work[T]) -> T:
        """Run `work(detector, cutter)` on the models' thread."""
        return await self._worker.run(work, self._models.detector, self._models.cutter)

    async def embed(self, shot: FaceShot, permit: Permit) -> Probe:
        """Embed on a permit. Raises `PermitError` without having run anything."""
        if self._models.embedder is None:
            raise RuntimeError("there is no embedder under this policy, so nothing can have given a permit")
        return await self._worker.run(self._models.embedder.embed, shot, permit)


class Work[T](Protocol):
    """Something to do with the detector and the cutter."""

    def __call__(self, detector: Detector, cutter: Cutter, /) -> T:
        """Called on the models' thread."""
