"""ledger: what an entry costs where it is written, and what signing, proving and verifying a long ledger costs."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from nvr_bridge.consent.checkpoints import Checkpoints
from nvr_bridge.consent.ledger import Ledger
from nvr_bridge.consent.vault import Vault
from nvr_bridge.evidence.chain import Data
from nvr_bridge.models import Runs, Sighting, Unknown, UnknownReason
from nvr_bridge.store.database import Database
from nvr_bridge.store.sightings import SightingTable

from .measure import Figure

SIZES = (10_000, 100_000, 1_000_000)
BATCH = 10_000  # entries written in one transaction
PROOFS = "three proofs"
NOW = 1_790_000_000.0


@dataclass(frozen=True, slots=True)
class _Site:
    db: Database
    ledger: Ledger
    checkpoints: Checkpoints


def run(seconds: float) -> Iterator[Figure]:
    """Milliseconds for a sighting with its entry, and microseconds for each entry of a long ledger."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_run(Path(folder), seconds, figures))
    yield from figures


async def _run(folder: Path, seconds: float, figures: list[Figure]) -> None:
    async with _opened(folder) as site:
        without, with_entry = await _sightings(site, seconds)
        figures.append(Figure("ledger", "a sighting with its entry", with_entry, "ms", "the sighting alone", without))
        first: dict[str, float] = {}
        written = 0
        _, idle = await _timed(lambda: asyncio.sleep(2.0))
        for size in SIZES:
            written = await _grow(site, written, size)
            for name, each, held in await _measured(site, size):
                reference = first.setdefault(name, each)
                unit = "ms" if name == PROOFS else "µs an entry"
                figures.append(Figure("ledger", f"{name} of {size:,}", each, unit, f"of {SIZES[0]:,}", reference))
                figures.append(
                    Figure("ledger", f"{name} of {size:,}: the loop waits for", held, "ms", "when idle", idle)
                )


async def _measured(site: _Site, size: int) -> list[tuple[str, float, float]]:
    """(what, how long it takes, the longest that the loop waited in ms)."""
    before = 0 if size == SIZES[0] else SIZES[SIZES.index(size) - 1]
    signing = await _timed(site.checkpoints.make)
    proving = await _timed(lambda: site.checkpoints.prove([1, size // 2, size]))
    verifying = await _timed(site.checkpoints.verify)
    return [
        ("signing", signing[0] / (size - before) * 1000, signing[1]),
        (PROOFS, *proving),
        ("verification", verifying[0] / size * 1000, verifying[1]),
    ]


async def _timed(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """(ms of wall, the longest that nothing else ran in ms)."""
    held = 0.0

    async def watch() -> None:
        nonlocal held
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            held, last = max(held, now - last), now

    watching = asyncio.create_task(watch())
    began = time.perf_counter()
    await work()
    took = time.perf_counter() - began
    watching.cancel()
    await asyncio.wait({watching})
    return took * 1000, held * 1000


async def _sightings(site: _Site, seconds: float) -> tuple[float, float]:
    """Milliseconds to keep a sighting: without an entry, and with one. In turns."""
    table, track = SightingTable(site.db, site.ledger), 0
    taken: dict[Runs | None, list[float]] = {None: [], Runs(3, NOW, NOW, NOW): []}
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends or track < 10:
        for runs, times in taken.items():
            track += 1
            sighting = Sighting("lane-1", "lane", track, NOW, NOW, Unknown(UnknownReason.NO_MATCH), NOW)
            began = time.perf_counter()
            await table.add(sighting, runs=runs)
            times.append((time.perf_counter() - began) * 1000)
    without, with_entry = (sorted(times)[len(times) // 2] for times in taken.values())
    return without, with_entry


async def _grow(site: _Site, written: int, size: int) -> int:
    data: list[Data] = [{"runs": number % 7} for number in range(BATCH)]
    while written < size:
        async with site.db.write() as session:
            entries = await site.ledger.append_all(session, "compared", NOW, data[: size - written])
        written = entries[-1].number
    return written


@asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[_Site]:
    db = await Database.open(folder)
    try:
        vault = await Vault.open(folder / "keys", fresh=True)
        yield _Site(db, Ledger(db, vault), await Checkpoints.open(db, vault, folder / "keys"))
    finally:
        await db.close()
