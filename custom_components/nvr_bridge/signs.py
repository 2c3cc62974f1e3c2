"""What the hub reports to the engine: whether each zone's sign is on, and that someone acted."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
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

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, bridge: Bridge) -> None:
        self._hass = hass
        self._entry = entry
        self._bridge = bridge
        self._bound: dict[str, dict[str, str]] = {}
        self._task: asyncio.Task[None] | None = None
        self._unwatch: list[CALLBACK_TYPE] = []
        self._refused: dict[tuple[str, str], str] = {}  # what the engine said to which command, to log it once

    def start(self) -> None:
        """Bind, and report until `stop`."""
        self._task = self._entry.async_create_background_task(self._hass, self._beat(), f"{DOMAIN} signs")

    def stop(self) -> None:
        """Report no more."""
        if self._task:
            self._task.cancel()
        while self._unwatch:
            self._unwatch.pop()()

    def report_now(self) -> None:
        """Every sign as it is at this moment."""
        for zone_id in self._bound:
            self._report(zone_id)

    def _bind(self) -> None:
        while self._unwatch:
            self._unwatch.pop()()
        was, self._bound = self._bound, dict(self._entry.options.get(CONF_ZONES, {}))
        for zone_id, bound in was.items():
            if CONF_SIGN in bound and CONF_SIGN not in self._bound.get(zone_id, {}):
                self._send("zone/sign", zone_id, on=False, notice_hash=bound[CONF_NOTICE_HASH])
        for zone_id, bound in self._bound.items():
            watched = {CONF_SIGN: partial(self._report, zone_id), CONF_ACT: partial(self._acted, zone_id)}
            for key, action in watched.items():
                if entity_id := bound.get(key):
                    self._unwatch.append(async_track_state_change_event(self._hass, entity_id, action))

    async def _beat(self) -> None:
        options = None
        while True:
            if self._entry.options is not options:  # a listener to updates would clash with the flows' own reload
                options = self._entry.options
                self._bind()
            self.report_now()
            # Two reports may get lost before one grows too old.
            await asyncio.sleep(min(LONGEST_PERIOD, self._bridge.engine.sign_ttl / 2.5))

    @callback
    def _acted(self, zone_id: str, event: Event[EventStateChangedData]) -> None:
        if _is_act(event.data):
            self._send("zone/act", zone_id)

    @callback
    def _report(self, zone_id: str, _change: Any = None) -> None:
        bound = self._bound.get(zone_id, {})
        if notice_hash := bound.get(CONF_NOTICE_HASH):
            state = self._hass.states.get(bound[CONF_SIGN])
            on = state is not None and state.state == STATE_ON
            self._send("zone/sign", zone_id, on=on, notice_hash=notice_hash)

    def _send(self, command: str, zone_id: str, **arguments: Any) -> None:
        if self._bridge.connected:
            call = self._call(command, zone_id, arguments)
            self._entry.async_create_background_task(self._hass, call, f"{DOMAIN} {command}")

    async def _call(self, command: str, zone_id: str, arguments: dict[str, Any]) -> None:
        key = (command, zone_id)
        try:
            await self._bridge.connection.call(command, zone=zone_id, **arguments)
            self._refused.pop(key, None)
        except CannotConnectError as err:
            _LOGGER.debug("%s of %s was not told: %s", *key, err)
        except CommandError as err:
            if self._refused.get(key) != err.code:
                # That the zone is not armed is a repair issue already, with its reasons.
                level = logging.INFO if err.code == "not_armed" else logging.WARNING
                _LOGGER.log(level, "%s: %s of %s: %s", self._entry.title, *key, err)
            self._refused[key] = err.code


def _is_act(change: EventStateChangedData) -> bool:
    """Whether someone acted just now. What an entity shows when it appears is old, or nobody's act."""
    old, new = change["old_state"], change["new_state"]
    if old is None or new is None or old.state == STATE_UNAVAILABLE:
        return False
    if new.domain in _PRESSED:
        return new.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN, old.state)
    return old.state == STATE_OFF and new.state == STATE_ON
