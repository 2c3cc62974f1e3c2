"""The last thing that happened in each zone, in the word that a hub shows it by. Fed by the bus."""

from __future__ import annotations

from collections.abc import Iterable

from .events import Bus, EventLog, Push, Told, shown
from .models import Event


class Latest:
    """One for the engine. Says nothing about who."""

    def __init__(self, zone_ids: Iterable[str], log: EventLog, bus: Bus) -> None:
        self._zone_ids = tuple(zone_ids)
        self._log = log
        self._events: dict[str, tuple[str, float]] = {}
        bus.attach(self._heard)

    async def load(self) -> None:
        """Find what happened before the start."""
        for zone_id in self._zone_ids:
            event = await self._log.last_of(zone_id)
            if event is not None:
                self._take(event)

    def of(self, zone_id: str) -> tuple[str, float] | None:
        """What happened last in the zone, and when."""
        return self._events.get(zone_id)

    def _heard(self, push: Push) -> None:
        if isinstance(push, Told):
            self._take(push.event)

    def _take(self, event: Event) -> None:
        words = shown(event)
        if words:
            self._events[event.zone_id] = (words[-1], event.occurred_at)
