"""What happens in each zone, as one event entity. An alias is shown for as long as it may be, and kept nowhere."""

from typing import Any

from homeassistant.components.event import EventEntity, EventExtraStoredData
from homeassistant.core import State, callback
from homeassistant.helpers import restore_state
from homeassistant.helpers.entity import Entity

from .bridge import FORGET, Bridge
from .const import EVENT_TYPES
from .entity import BridgeEntity, Shown, setup_of
from .wire import Thing

PARALLEL_UPDATES = 0

DETAILS = ["confidence", "confidence_band", "case", "attribution", "partner", "rule", "risks", "needs_review"]
DETAILS += ["returning", "state", "version"]


class ZoneVisit(BridgeEntity, EventEntity):
    """Each event is shown once, in order, by its `sequence`; `replayed` says that it is not news."""

    _attr_event_types = EVENT_TYPES
    _unrecorded_attributes = frozenset({"alias", "visit"})

    def __init__(self, bridge: Bridge, zone: Thing, description: Shown) -> None:
        super().__init__(bridge, zone, description)
        self._zone_id = zone.id
        self._shown: dict[str, Any] = {}

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
        last = self.bridge.memory.zones.get(self._zone_id)
        return State(self.entity_id, last["state"]) if last else None

    async def async_get_last_event_data(self) -> EventExtraStoredData:
        """The last event, if there is a last state, without its alias and visit."""
        last = self.bridge.memory.zones[self._zone_id]
        self._shown = {**last["shown"], "replayed": True, "alias": None, "visit": None}
        return EventExtraStoredData(last["kind"], self._shown)

    @callback
    def _show(self, event: dict[str, Any]) -> None:
        """Nothing, if a newer engine tells what is not known here."""
        for event_type in (known for known in event["shown"] if known in EVENT_TYPES):
            kept = {key: event[key] for key in ("sequence", "occurred_at", "replayed")}
            kept |= {key: event["data"][key] for key in DETAILS if key in event["data"]}
            if "risks" in kept:
                kept["risks"] = [risk.strip() for risk in kept["risks"].split(",") if risk]
            self._shown = {**kept, "alias": event["alias"], "visit": event["visit"]}
            self._trigger_event(event_type, self._shown)
            self.bridge.memory.zones[self._zone_id] = {"kind": event_type, "state": self.state, "shown": kept}
            self.async_write_ha_state()

    @callback
    def _forget(self, alias: str | None, visits: list[str]) -> None:
        """The dictionary is the one that the event was triggered with: a second trigger would be a second event."""
        if not self._shown:
            return
        if alias is None:
            # What is shown again after an outage is not news.
            self._shown.update(alias=None, visit=None, replayed=True)
        elif self._shown["alias"] == alias or self._shown["visit"] in visits:
            self._shown.update(alias=None, visit=None)
            self.async_write_ha_state()


async_setup_entry = setup_of(ZoneVisit, {"zone": [Shown(key="visit", path="id")]})
