"""Twenty times recognition is cut off while faces are in view and embedded: it ends within the second, and comes back.

The engine is `nvr-bridge serve` in its own process, the cameras are pulled, the hub is a process that can be killed and
frozen. What is held against the moment of each cut is what the engine's ledger says afterwards: when zones were armed and
disarmed, when the embedder ran, and when the picture was received that it ran on. All of them read one clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import math
import sqlite3
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cut_site import AWAY, COMES, FPS, SIGNED, Stage, armed, come_true, staged
from cuts import CUTS, SOON, Cut
from engine_site import Person, people

from nvr_bridge.store.files import DATABASE

__all__ = ["people"]
pytestmark = pytest.mark.needs_models

_LOGGER = logging.getLogger(__name__)

LONGER = 0.6  # seconds that a cut lasts beyond its deadline, with faces in view: longer in all than anybody is


@dataclass
class Played:
    """When it was."""

    cut: Cut
    begun: float
    at: float
    until: float = 0.0  # when it was mended


# --- what the ledger says -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ledger:
    """The acts that matter here, as the store has them: (time, zone, data)."""

    disarmed: list[tuple[float, str, dict[str, Any]]]
    armed: list[tuple[float, str, dict[str, Any]]]
    runs: list[tuple[float, str, dict[str, Any]]]  # of tracks that were embedded

    @classmethod
    def read(cls, database: Path) -> Ledger:
        """Everything so far."""
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as store:
            rows = store.execute("SELECT at, zone_id, act, data FROM ledger ORDER BY number").fetchall()
        acts = defaultdict(list)
        for at, zone, act, data in rows:
            acts[act].append((at, zone, json.loads(data)))
        runs = [row for row in acts["compared"] + acts["recognised"] if row[2].get("first_at")]
        return cls(acts["disarmed"], acts["armed"], runs)

    def check(self, one: Played, before: float, following: float) -> None:
        """Hold a cut against it: `before` is when the one before was mended, `following` when the next one came."""
        cut, last = one.cut, one.at + one.cut.within
        said = f"{cut.name} at {one.at:.3f}"
        assert self.ran(before, last), f"{said}: nobody was embedded before"
        late = []
        for zone in cut.zones:
            [disarmed] = [
                at
                for at, where, data in self.disarmed
                if where == zone and one.begun <= at < one.until and data["reasons"].startswith(cut.reason)
            ]
            assert disarmed <= last, f"{said}: the ledger has {zone} disarmed after {disarmed - one.at:.2f} s"
            assert any(one.until < at < following for at, where, _ in self.armed if where == zone), (
                f"{said}: {zone} stayed off"
            )
            for _, where, data in self.runs:
                if where == zone:
                    within = max(data["last_at"], data["frame_at"]) <= last
                    assert within or data["first_at"] >= one.until, f"{said}: {zone} embedded until {data}"
                    late += [data["last_at"] - one.at] if before < data["last_at"] <= last else []
        for zone in set(SIGNED).difference(cut.zones):
            assert not any(
                where == zone and cut.reason in data["reasons"]
                for at, where, data in self.disarmed
                if one.at <= at < one.until
            )
        assert self.ran(one.until, following + SOON), f"{said}: nobody is embedded again"
        worst = max(late, default=math.nan)
        _LOGGER.info("%s: disarmed after %+.3f s, last embedding after %+.3f s", said, disarmed - one.at, worst)

    def ran(self, since: float, until: float) -> bool:
        """Whether anybody was embedded then. A run is counted when it begins, and its time is that of its end."""
        return any(data["last_at"] > since and data["first_at"] <= until for _, _, data in self.runs)


def seconds(moment: str) -> float:
    """An ISO time, since the epoch."""
    return datetime.fromisoformat(moment).timestamp()


# --- the test -------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
async def test_twenty_cuts_under_load_each_end_recognition_in_time(tmp_path: Path, people: dict[str, Person]) -> None:
    assert len(CUTS) == 20
    async with staged(tmp_path, people) as stage:
        played = [await play(stage, cut) for cut in CUTS]
        await stage.embeds()
        await asyncio.sleep((COMES + AWAY) / FPS)  # so that the last ones in view are written down
        assert (await stage.ask("ledger/verify"))["intact"]
        assert (await stage.ask("engine/status"))["embeddings_without_permit"] == 0
        sightings = await stage.ask("sighting/list", limit=1000)
    ledger = Ledger.read(tmp_path / "site" / "data" / DATABASE)
    before = 0.0
    for one, following in itertools.zip_longest(played, [each.at for each in played[1:]], fillvalue=math.inf):
        assert isinstance(one, Played)
        ledger.check(one, before, following)
        # Where the engine starts anew it sees nothing for a while, so somebody a moment before has to be enough.
        since, everybody = (one.at, set(one.cut.zones)) if one.cut.told is None else (one.at - 0.5, set[str]())
        in_view = {
            each["zone"]
            for each in sightings
            if seconds(each["started_at"]) < one.until and seconds(each["ended_at"]) > since
        }
        assert in_view.intersection(SIGNED), f"{one.cut.name}: nobody was in view"
        assert everybody <= in_view, f"{one.cut.name}: nobody was in view of {everybody - in_view}"
        before = one.until


async def passed(stage: Stage, zones: tuple[str, ...], since: float) -> bool:
    """Whether somebody was in view of each zone after `since`, and is gone."""
    sightings = await stage.ask("sighting/list", limit=100)
    return {each["zone"] for each in sightings if seconds(each["ended_at"]) > since}.issuperset(zones)


async def play(stage: Stage, cut: Cut) -> Played:
    """Once the embedder is running, cut it off, look what becomes of it, and mend it."""
    await come_true(lambda: armed(stage, *cut.zones))
    await stage.embeds()
    begun = time.time()
    one = Played(cut, begun, await cut.play(stage) or begun)
    await asyncio.sleep(max(0.0, one.at + cut.within + LONGER - time.time()))
    await stage.shows(cut.told or cut.reason, cut.zones)
    if cut.told is None:  # a busy machine may miss somebody: it lasts until there were faces to recognise everywhere
        await come_true(lambda: passed(stage, cut.zones, one.at))
    one.until = time.time()
    await cut.mend(stage)
    return one
