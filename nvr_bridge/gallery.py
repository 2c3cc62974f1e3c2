"""The index of templates: derived from the store, never the truth, owned by one thread.

Small galleries are searched exactly (about 1 ms per 10,000 templates of 512 dimensions), so that adding, erasing and
filtering need no care.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Protocol

import numpy as np
import onnxruntime  # noqa: F401 - loaded after usearch, it ends the process
from usearch.index import Index

from .meters import Durations
from .models import Known, Match, Probe, Unknown, UnknownReason
from .worker import Worker

MARGIN = 0.05  # cosine by which the best visitor must lead the next one
_NEIGHBOURS = 16  # enough to see past one visitor's own templates to the next visitor

if TYPE_CHECKING:
    from .models import Embedding

    class Template(Protocol):
        """What the store gives for each template."""

        @property
        def template_id(self) -> int:
            """Unique in the store."""

        @property
        def visitor_id(self) -> str:
            """Whose it is."""

        @property
        def embedding(self) -> Embedding:
            """Unit length."""

        @property
        def zones(self) -> tuple[str, ...]:
            """Where its visitor agreed to be recognised; none named: wherever the site recognises."""


class Gallery:
    """Open-set identification among the visitors who consented."""

    def __init__(self, dimension: int, threshold: Callable[[int], float]) -> None:
        """`threshold` gives the score to reach for a gallery of so many templates: it rises with the gallery."""
        self._dimension = dimension
        self._threshold = threshold
        self._worker = Worker("gallery")
        self._owners: dict[int, str] = {}  # replaced, never changed in place: the thread reads it
        self._zones: dict[str, tuple[str, ...]] = {}  # by visitor: where they agreed to be recognised
        self._gone: set[str] = set()  # whoever withdrew since the start: no older reading of the store brings them back
        self._changing = asyncio.Lock()
        self.searches = Durations()
        self._index = self._empty()

    async def close(self) -> None:
        """End the thread."""
        await self._worker.close()

    @property
    def size(self) -> int:
        """Templates held."""
        return len(self._owners)

    async def rebuild(self, load: Callable[[], Awaitable[Iterable[Template]]]) -> None:
        """Build a new index from what `load` reads from the store, and swap it in."""
        async with self._changing:  # what is added while the store is read must not be lost with the old index
            held = [template for template in await load() if template.visitor_id not in self._gone]
            self._owners = {template.template_id: template.visitor_id for template in held}
            self._zones = {template.visitor_id: template.zones for template in held}
            vectors = [template.embedding for template in held]
            await self._worker.run(self._swap, [template.template_id for template in held], vectors)
            self._drop_gone()

    async def extend(self, templates: Iterable[Template]) -> None:
        """Add templates that the store has just committed."""
        async with self._changing:
            # A rebuild may have read them already, and the index takes a key once.
            held = [
                template
                for template in templates
                if template.template_id not in self._owners and template.visitor_id not in self._gone
            ]
            await self._worker.run(
                self._add, [template.template_id for template in held], [template.embedding for template in held]
            )
            self._owners = self._owners | {template.template_id: template.visitor_id for template in held}
            self._zones = self._zones | {template.visitor_id: template.zones for template in held}
            self._drop_gone()

    async def replace(self, visitor_id: str, templates: Iterable[Template]) -> None:
        """The visitor's templates are these from now on, and no others."""
        async with self._changing:
            mine = {key for key, owner in self._owners.items() if owner == visitor_id}
            self._owners = {key: owner for key, owner in self._owners.items() if key not in mine}
            await self._worker.run(self._remove, [*mine])
        await self.extend(templates)

    def forget(self, *visitor_ids: str) -> None:
        """From this moment these visitors match nothing, whatever the index or the store still holds."""
        self._gone.update(visitor_ids)
        self._drop_gone()

    def readmit(self, *visitor_ids: str) -> None:
        """What is read from the store or added from now on may be theirs again. Rebuild before, from a store without them."""
        self._gone.difference_update(visitor_ids)

    async def match(self, probe: Probe) -> Match:
        """The visitor whose template is nearest, if it is near enough and nobody else's is as near.

        Only those are compared with who agreed to be recognised in the permit's zone.
        """
        found, seconds = await self._worker.run(self._timed, probe.embedding)
        self.searches.note(seconds)
        # Read after the search: a visitor forgotten while it ran is not told.
        owners = {key: self._owners[key] for key, _ in found if key in self._owners}
        zone_id = probe.permit.zone_id
        here = {key: owner for key, owner in owners.items() if zone_id in (self._zones.get(owner) or (zone_id,))}
        return decide(found, here, self._threshold(max(1, len(self._owners))))

    def _drop_gone(self) -> None:
        self._owners = {key: owner for key, owner in self._owners.items() if owner not in self._gone}

    def _empty(self) -> Index:
        return Index(ndim=self._dimension, metric="cos", dtype="f16")

    def _swap(self, keys: list[int], vectors: list[Embedding]) -> None:
        self._index = self._empty()
        self._add(keys, vectors)

    def _add(self, keys: list[int], vectors: list[Embedding]) -> None:
        if keys:
            self._index.add(np.array(keys, dtype=np.uint64), np.stack(vectors), threads=1)

    def _remove(self, keys: list[int]) -> None:
        for key in keys:
            self._index.remove(key)

    def _timed(self, embedding: Embedding) -> tuple[list[tuple[int, float]], float]:
        """What `_search` finds, and how many seconds that took."""
        began = time.perf_counter()
        return self._search(embedding), time.perf_counter() - began

    def _search(self, embedding: Embedding) -> list[tuple[int, float]]:
        """(template id, cosine similarity), best first."""
        count = min(len(self._index), _NEIGHBOURS)
        if not count:
            return []
        matches = self._index.search(embedding, count, exact=True, threads=1)
        return [
            (int(key), 1.0 - float(distance)) for key, distance in zip(matches.keys, matches.distances, strict=True)
        ]


def decide(found: list[tuple[int, float]], owners: dict[int, str], threshold: float) -> Match:
    """`found` is (template id, cosine similarity); templates without an owner count for nobody."""
    best: dict[str, float] = {}
    for key, score in found:
        owner = owners.get(key)
        if owner is not None and score > best.get(owner, -1.0):
            best[owner] = score
    ranked = sorted(best.items(), key=lambda item: item[1], reverse=True)
    if not ranked or ranked[0][1] < threshold:
        return Unknown(UnknownReason.NO_MATCH)
    visitor_id, score = ranked[0]
    margin = score - (ranked[1][1] if len(ranked) > 1 else 0.0)
    if margin < MARGIN:
        return Unknown(UnknownReason.AMBIGUOUS)
    return Known(visitor_id, score, margin)
