"""What the hub reports to the engine: whether each zone's sign is on, and that someone acted."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event

from .const import CONF_ACT, CONF_NOTICE_HASH, CONF_SIGN, CONF_ZONES, DOMAIN
from .errors import CannotConnectError, CommandError

if TYPE_CHECKING:
    from .bridge import Bridge

_LOGGER = logging.getLogger(__name__)

LONGEST_PERIOD = 2.0  # seconds between two reports of a sign that does not change
_PRESSED = ("button", "event", "input_button")  # their state is the time of the last press


class Signs:
    """Watches the entities that the user bound. What cannot be read counts as off, and an act is never sent late."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, bridge: "Bridge") -> None:
        self._hass, self._entry, self._bridge = hass, entry, bridge
        self._bound: dict[str, dict[str, str]] = {}
        self._refused: dict[tuple[str, str], str] = {}  # what the engine said to which command, to log it once

    async def watch(self) -> None:
        """Report each sign when it changes, and again and again, until the entry is unloaded."""
        options = self._entry.options
        unwatch = self._bind(options.get(CONF_ZONES, {}))
        try:
            while True:
                if self._entry.options is not options:  # a listener to updates would clash with the flows' own reload
                    unwatch()
                    options = self._entry.options
                    unwatch = self._bind(options.get(CONF_ZONES, {}))
                self.report_now()
                # Two reports may get lost before one grows too old.
                ttl = self._bridge.things["engine"].state.get("sign_ttl", 5.0)
                await asyncio.sleep(min(LONGEST_PERIOD, ttl / 2.5))
        finally:
            unwatch()

    def report_now(self) -> None:
        """Every sign as it is at this moment."""
        for zone_id in self._bound:
            self._report(zone_id)

    def _bind(self, zones: dict[str, dict[str, str]]) -> CALLBACK_TYPE:
        for zone_id, bound in self._bound.items():
            if CONF_SIGN in bound and CONF_SIGN not in zones.get(zone_id, {}):
                self._send("zone/sign", zone_id, on=None, notice_hash=bound[CONF_NOTICE_HASH])
        self._bound = zones
        watched = [bound[key] for bound in zones.values() for key in (CONF_SIGN, CONF_ACT) if key in bound]
        return async_track_state_change_event(self._hass, watched, self._changed)

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        for zone_id, bound in self._bound.items():
            if bound.get(CONF_SIGN) == event.data["entity_id"]:
                self._report(zone_id)
            if bound.get(CONF_ACT) == event.data["entity_id"] and _is_act(event.data):
                self._send("zone/act", zone_id)

    def _report(self, zone_id: str) -> None:
        bound = self._bound[zone_id]
        if CONF_SIGN in bound:
            on = self._hass.states.is_state(bound[CONF_SIGN], STATE_ON)
            self._send("zone/sign", zone_id, on=on, notice_hash=bound[CONF_NOTICE_HASH])

    def _send(self, command: str, zone_id: str, **arguments: Any) -> None:
        if self._bridge.connected:
            call = self._call(command, zone_id, arguments)
            self._entry.async_create_background_task(self._hass, call, f"{DOMAIN} {command}")

    async def _call(self, command: str, zone_id: str, arguments: dict[str, Any]) -> None:
        key = (command, zone_id)
        try:
            await self._bridge.call(command, zone=zone_id, **arguments)
            self._refused.pop(key, None)
        except CannotConnectError as err:
            _LOGGER.debug("%s of %s was not told: %s", *key, err)
        except CommandError as err:
            if self._refused.get(key) != err.word:
                # That the zone is not armed is a repair issue already, with its reasons.
                level = logging.INFO if err.word == "not_armed" else logging.WARNING
                _LOGGER.log(level, "%s: %s of %s: %s", self._entry.title, *key, err)
            self._refused[key] = err.word


def _is_act(change: EventStateChangedData) -> bool:
    """Whether someone acted just now. What an entity shows when it appears is old, or nobody's act."""
    old, new = change["old_state"], change["new_state"]
    if old is None or new is None or old.state == STATE_UNAVAILABLE:
        return False
    if new.domain in _PRESSED:
        return new.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN, old.state)
    return old.state == STATE_OFF and new.state == STATE_ON
