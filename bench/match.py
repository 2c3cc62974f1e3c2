"""match: finding the nearest visitor, beside the plain way with one matrix product."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nvr_bridge.gallery import Gallery
from nvr_bridge.models import Ground, Permit, Probe

from .measure import Figure, side_by_side

if TYPE_CHECKING:
    from nvr_bridge.models import Embedding

DIMENSION = 512
NOISE = 0.035  # of each of the 512 components: two photos of one person then score about .6


@dataclass(frozen=True, slots=True)
class _Template:
    template_id: int
    visitor_id: str
    embedding: Embedding
    zones: tuple[str, ...] = ()


def run(seconds: float) -> Iterator[Figure]:
    """One comparison against galleries of growing size."""
    for size in (1_000, 10_000):
        yield asyncio.run(_at(size, seconds))


async def _at(size: int, seconds: float) -> Figure:
    # People who differ as faces do, with two looks each: on unstructured noise every index looks bad.
    rng = np.random.default_rng(7)
    people = _unit(rng.standard_normal((size // 2, DIMENSION)))
    looks = _unit(np.repeat(people, 2, axis=0) + NOISE * rng.standard_normal((size // 2 * 2, DIMENSION)))
    gallery = Gallery(DIMENSION, lambda _: 0.45)

    async def templates() -> list[_Template]:
        return [_Template(index, f"v{index // 2}", look) for index, look in enumerate(looks)]

    await gallery.rebuild(templates)
    probe = _unit(people[:1] + NOISE * rng.standard_normal((1, DIMENSION)))[0]
    permit = Permit("bench", "bench", Ground.OFFLINE, "bench", float("inf"))
    loop = asyncio.get_running_loop()

    def ours() -> None:
        gallery._search(probe)  # noqa: SLF001 - the search itself, without the hop to its thread

    def plain() -> None:
        scores = looks @ probe
        np.argpartition(scores, -16)[-16:]

    mine, reference = await loop.run_in_executor(None, side_by_side, (ours, plain), seconds)
    who = await gallery.match(Probe(probe, permit))
    if getattr(who, "visitor_id", None) != "v0":
        raise AssertionError(f"the gallery of {size} did not find the person who was searched for: {who}")
    await gallery.close()
    return Figure(
        "match", f"search in {size:,} templates", mine, "ms", "numpy: matrix product and partition", reference
    )


def _unit(
    vectors: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
