"""An engine as the hub knows it: the entry's runtime data, which every entity reads and listens to."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .connection import Connection, Phase
from .const import DOMAIN, EVENT_TYPES
from .errors import EngineError, IncompatibleError
from .issues import Issues
from .memory import Memory
from .signs import Signs
from .wire import Camera, Engine, Subscribed, Thing, VisitEvent, Zone, read, read_camera

_LOGGER = logging.getLogger(__name__)

type NvrBridgeConfigEntry = ConfigEntry[Bridge]

NEW = "new"  # topic: a list of things that were not there before
FORGET = "forget"  # topic: an alias and visits that must be shown no more; an alias of None means all of them


class Bridge:
    """Owns the connection, its task, and what the engine last said."""

    def __init__(self, hass: HomeAssistant, entry: NvrBridgeConfigEntry) -> None:
        self.engine_id = entry.unique_id or ""
        self.memory = Memory(hass, entry.entry_id)
        self.things: dict[str, Thing] = {}  # by topic
        self._hass = hass
        self._entry = entry
        address = entry.data[CONF_HOST], entry.data[CONF_PORT], entry.data[CONF_TOKEN]
        self.connection = Connection(async_get_clientsession(hass), *address, self)
        self._task: asyncio.Task[None] | None = None
        self._reloading = False
        self._issues = Issues(hass, entry)
        self._signs = Signs(hass, entry, self)
        self._listeners: dict[str, list[Callable[..., None]]] = defaultdict(list)

    @property
    def connected(self) -> bool:
        """Whether what is known is the truth now."""
        return self.connection.phase is Phase.CONNECTED

    @property
    def engine(self) -> Engine:
        return next(thing for thing in self.things.values() if isinstance(thing, Engine))

    @property
    def zones(self) -> dict[str, Zone]:
        """By id. They stay the same for as long as the entry is loaded."""
        return _zones(self.things)

    @property
    def cameras(self) -> list[Camera]:
        return [thing for thing in self.things.values() if isinstance(thing, Camera)]

    async def open(self) -> None:
        """Learn what there is. Raises `CannotConnectError`, `IncompatibleError`, `UnauthorizedError`."""
        await self.memory.load()
        try:
            self._take(await self.connection.open())
        except IncompatibleError as err:
            self._issues.versions(err)
            raise

    def start(self) -> None:
        """Listen from here on. The entities exist by now, so nothing that was missed goes unseen."""
        self._signs.start()
        self._task = self._entry.async_create_background_task(self._hass, self.connection.run(), DOMAIN)

    async def close(self, stop: Event | None = None) -> None:
        """End the connection, which disarms what this hub armed. `stop`: because the hub stops."""
        self._signs.stop()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.connection.close()
        await self.memory.flush()
        if stop is None:
            self._issues.clear()

    def identifier(self, topic: str) -> str:
        """A thing's name in the registries."""
        return self.engine_id if topic == Engine.topic else f"{self.engine_id}_{topic}"

    def listen(self, topic: str, listener: Callable[..., None]) -> CALLBACK_TYPE:
        """Be told when a thing changes (all are told when the connection does), `NEW`, `FORGET`, or `event_<zone>`."""
        self._listeners[topic].append(listener)
        return lambda: self._listeners[topic].remove(listener)

    def on_subscribed(self, subscribed: Subscribed) -> None:
        """From the connection: everything, as of now."""
        if self.zones.keys() != _zones(subscribed.things).keys():
            # Zones are settings of this entry too, so it starts anew, and asks again then for what it missed.
            self._reloading = True
            self._hass.config_entries.async_schedule_reload(self._entry.entry_id)
            return
        self._take(subscribed)
        self._tell_all()  # so that what was missed comes after the return from an outage, and is not taken for it
        if self.memory.sequence is not None and subscribed.sequence < self.memory.sequence:
            _LOGGER.warning("%s: its event log went back to an earlier state, as after a restore", self._entry.title)
            self.memory.saw(subscribed.sequence)
        for event in subscribed.events:
            self._show(replace(event, replayed=True))
        if subscribed.sequence != self.memory.sequence:
            self.memory.saw(subscribed.sequence)
        self._signs.report_now()
        self._issues.zones(self.zones.values())

    def on_push(self, message: dict[str, Any]) -> None:
        """From the connection: something changed. Raises `CannotConnectError`."""
        if self._reloading:
            return
        match message.get("type"):
            case "event":
                self._show(read(VisitEvent, message.get("event")))
            case "forget":
                self._tell(FORGET, message.get("alias"), message.get("visits") or [])
            case "state":
                self._state(message)

    def on_phase(self, was: Phase, phase: Phase, error: EngineError | None) -> None:
        """From the connection: it came or went. That it came is told to the entities once the state is known."""
        if phase is Phase.CONNECTED:
            _LOGGER.info("%s: connected", self._entry.title)
        if error is None:
            return
        if was is Phase.CONNECTED:
            _LOGGER.warning("%s: connection lost: %s", self._entry.title, error)
        if isinstance(error, IncompatibleError):
            self._issues.versions(error)
        if phase is Phase.REFUSED:
            self._entry.async_start_reauth(self._hass)
        # A withdrawal may be missed from here on, so nobody's alias stays.
        self._tell(FORGET, None, [])
        self._tell_all()

    def _state(self, message: dict[str, Any]) -> None:
        if "engine" in message:
            self._changed(read(Engine, message["engine"]))
        if "zone" in message:
            self._changed(zone := read(Zone, message["zone"]))
            self._issues.zones([zone])
        if "camera" in message:
            self._changed(camera := read_camera(message["camera"]))
            self._tell(f"zone_{camera.zone}")
        if removed := self.things.pop(f"camera_{message.get('removed_camera')}", None):
            self._prune()
            if isinstance(removed, Camera):
                self._tell(f"zone_{removed.zone}")

    def _changed(self, thing: Thing) -> None:
        is_new, self.things[thing.topic] = thing.topic not in self.things, thing
        if is_new:
            self._tell(NEW, [thing])
        self._tell(thing.topic)

    def _take(self, subscribed: Subscribed) -> None:
        self._issues.versions(None)
        known, self.things = self.things, subscribed.things
        if new := [thing for topic, thing in self.things.items() if topic not in known]:
            self._tell(NEW, new)
        self._prune()

    def _show(self, event: VisitEvent) -> None:
        if self.memory.sequence is not None and event.sequence <= self.memory.sequence:
            return
        if event.kind in EVENT_TYPES:
            self._tell(f"event_{event.zone}", event)
        self.memory.saw(event.sequence)

    def _tell(self, topic: str, *what: Any) -> None:
        for listener in list(self._listeners.get(topic, ())):
            listener(*what)

    def _tell_all(self) -> None:
        for topic in list(self.things):
            self._tell(topic)

    def _prune(self) -> None:
        """Drop the devices of what no longer exists; their entities go with them."""
        registry = dr.async_get(self._hass)
        exist = {(DOMAIN, self.identifier(topic)) for topic in self.things}
        for device in dr.async_entries_for_config_entry(registry, self._entry.entry_id):
            if not device.identifiers & exist:
                registry.async_remove_device(device.id)


def _zones(things: dict[str, Thing]) -> dict[str, Zone]:
    return {thing.id: thing for thing in things.values() if isinstance(thing, Zone)}
