"""Writes down what the hub and the engine say while the story plays, for the check to compare with the story."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo.engine import EngineServer
from demo.hub_client import HubClient
from nvr_bridge.errors import BridgeError

SAMPLE = 0.25  # seconds between looks at the engine's counters
SIGHTINGS_EVERY = 4  # looks between readings of the sightings: an alias is gone from them after a withdrawal


@dataclass(frozen=True, slots=True)
class Change:
    """One `state_changed` of the hub."""

    entity_id: str
    state: str
    attributes: dict[str, Any]
    at: float  # when the hub made the change, seconds since the epoch


def change_of(state: dict[str, Any]) -> Change:
    """A state as the hub's API tells it."""
    at = datetime.fromisoformat(state["last_updated"]).timestamp()
    return Change(state["entity_id"], state["state"], state["attributes"], at)


@dataclass(frozen=True, slots=True)
class Sample:
    """The engine's counters at one moment."""

    at: float
    embeddings: int
    permits: int


@dataclass
class Record:
    """Everything written down. Also a pair of tasks to run beside the story: `follow`."""

    hub: HubClient
    engine: EngineServer
    changes: list[Change] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    sightings: dict[tuple[str, int, str], dict[str, Any]] = field(default_factory=dict)  # as first told

    async def follow(self, ready: asyncio.Event) -> None:
        """Until cancelled; `ready` is set once the hub's changes arrive."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.hub.listen(self._changed, ready.set))
            group.create_task(self._sample())

    async def read_sightings(self) -> None:
        """Take in what the engine has by now."""
        async with self.engine.client() as client:
            self._take(await client.call("sighting/list"))

    def _changed(self, data: dict[str, Any]) -> None:
        if data["new_state"] is not None:
            self.changes.append(change_of(data["new_state"]))

    async def _sample(self) -> None:
        while True:
            with contextlib.suppress(BridgeError, OSError):
                async with self.engine.client() as client:
                    await self._sample_until_closed(client)
            await asyncio.sleep(SAMPLE)

    async def _sample_until_closed(self, client: Any) -> None:
        looks = 0
        while True:
            status = await client.call("engine/status")
            self.samples.append(Sample(time.time(), status["embeddings"], status["permits"]))
            if looks % SIGHTINGS_EVERY == 0:
                self._take(await client.call("sighting/list"))
            looks += 1
            await asyncio.sleep(SAMPLE)

    def _take(self, sightings: list[dict[str, Any]]) -> None:
        for sighting in sightings:
            self.sightings.setdefault((sighting["camera"], sighting["track"], sighting["started_at"]), sighting)
