"""Who came, as one event entity for each zone. An alias is shown for as long as it may be, and kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from homeassistant.components.event import EventEntity, EventEntityDescription, EventExtraStoredData
from homeassistant.core import State, callback
from homeassistant.helpers import restore_state
from homeassistant.helpers.entity import Entity

from .bridge import FORGET, Bridge
from .const import EVENT_TYPES
from .entity import BridgeEntity, BridgeEntityDescription, setup_of
from .wire import VisitEvent, Zone

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class Description(BridgeEntityDescription, EventEntityDescription):
    """What happens in a zone."""


VISIT = Description(key="visit", translation_key="visit", event_types=EVENT_TYPES)


class ZoneVisit(BridgeEntity, EventEntity):
    """Each event is shown once, in order, by its `sequence`; `replayed` says that it is not news."""

    entity_description: Description
    _unrecorded_attributes = frozenset({"alias", "visit"})

    def __init__(self, bridge: Bridge, zone: Zone, description: Description) -> None:
        super().__init__(bridge, zone, description)
        self._zone_id = zone.id
        self._shown: dict[str, Any] | None = None

    async def async_added_to_hass(self) -> None:
        """Listen, and stay out of the hub's store of states, which would keep the alias on disk."""
        await super().async_added_to_hass()
        restore_state.async_get(self.hass).entities.pop(self.entity_id, None)
        self.async_on_remove(self.bridge.listen(f"event_{self._zone_id}", self._show))
        self.async_on_remove(self.bridge.listen(FORGET, self._forget))

    async def async_internal_will_remove_from_hass(self) -> None:
        """Leave nothing in the store of states at the end either."""
        await Entity.async_internal_will_remove_from_hass(self)

    async def async_get_last_state(self) -> State | None:
        """The time of the last event, from this integration's memory instead."""
        shown = self.bridge.memory.zones.get(self._zone_id)
        return State(self.entity_id, shown["state"]) if shown else None

    async def async_get_last_event_data(self) -> EventExtraStoredData | None:
        """The last event without its alias and visit."""
        if not (shown := self.bridge.memory.zones.get(self._zone_id)):
            return None
        event = VisitEvent(shown["sequence"], shown["kind"], shown["occurred_at"], self._zone_id, None, None, True)
        return EventExtraStoredData(event.kind, self._attributes(event))

    @callback
    def _show(self, event: VisitEvent) -> None:
        self._trigger_event(event.kind, self._attributes(event))
        self.bridge.memory.showed(event, self.state)
        self.async_write_ha_state()

    def _attributes(self, event: VisitEvent) -> dict[str, Any]:
        self._shown = {key: getattr(event, key) for key in ("sequence", "occurred_at", "replayed", "alias", "visit")}
        return self._shown

    @callback
    def _forget(self, alias: str | None, visits: list[str]) -> None:
        """The dictionary is the one that the event was triggered with: a second trigger would be a second event."""
        if self._shown is None:
            return
        if alias is None:
            # What is shown again after an outage is not news.
            self._shown.update(alias=None, visit=None, replayed=True)
        elif self._shown["alias"] == alias or self._shown["visit"] in visits:
            self._shown.update(alias=None, visit=None)
            self.async_write_ha_state()


async_setup_entry = setup_of(ZoneVisit, {Zone: [VISIT]})
