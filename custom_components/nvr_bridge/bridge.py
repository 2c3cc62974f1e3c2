"""An engine as the hub knows it: the entry's runtime data, which follows the engine and tells every entity."""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .cameras import CAMERA, Cameras
from .client import Client
from .const import CONF_FINGERPRINT, DOMAIN
from .errors import CannotConnectError, CertificateError, EngineError, UnauthorizedError
from .issues import Issues
from .memory import Memory
from .signs import Signs
from .wire import KINDS, Subscribed, Thing, event, things, understood

_LOGGER = logging.getLogger(__name__)

type NvrBridgeConfigEntry = ConfigEntry[Bridge]

FIRST_WAIT = 0.5  # seconds until a lost connection is opened again; doubles with every failure, up to
LONGEST_WAIT = 8.0
NEW = "new"  # topic: a thing, and those of its fields that it did not have before
EVENT = "event"  # topic: an entry of the event log, of whatever zone
FORGET = "forget"  # topic: an alias and visits that must be shown no more; an alias of None means all of them


class Bridge:
    """`open`, then `start`. The connection is kept up until the entry's tasks end, and the entities are told of it."""

    def __init__(self, hass: HomeAssistant, entry: NvrBridgeConfigEntry) -> None:
        self.engine_id = entry.unique_id or ""
        self.memory = Memory(hass, entry.entry_id)
        self.error: EngineError | None = CannotConnectError("not yet connected")  # why it is not, by its remedy
        self.things: dict[str, Thing] = {}  # by topic
        self._hass, self._entry = hass, entry
        self._client: Client | None = None
        self._issues, self._cameras = Issues(hass, entry), Cameras(hass, entry, self)
        self._signs = Signs(hass, entry, self)
        self._listeners: dict[str, list[Callable[..., None]]] = defaultdict(list)

    @property
    def connected(self) -> bool:
        """Whether what is known is the truth now."""
        return self.error is None

    def all(self, kind: str) -> list[Thing]:
        """Every thing of a kind; there is one engine."""
        return [thing for thing in self.things.values() if thing.kind == kind]

    def subentry(self, thing: Thing) -> str | None:
        """The part of the entry that a camera belongs to, once there is one."""
        parts = self._entry.subentries.items() if thing.kind == "camera" else ()
        return next((part_id for part_id, part in parts if part.unique_id == thing.id), None)

    def identifier(self, topic: str) -> str:
        """A thing's name in the registries."""
        return self.engine_id if topic == "engine" else f"{self.engine_id}_{topic}"

    def listen(self, topic: str, listener: Callable[..., None]) -> CALLBACK_TYPE:
        """Be told when a thing changes (all are told when the connection does), `NEW`, `FORGET`, `EVENT` or `event_<zone>`."""
        self._listeners[topic].append(listener)
        return lambda: self._listeners[topic].remove(listener)

    async def call(self, command: str, /, **arguments: Any) -> Any:
        """Run a command. Raises `CommandError`, or `CannotConnectError` at once while there is no connection."""
        if self._client is None or not self.connected:
            raise CannotConnectError("not connected")
        return await self._client.call(command, **arguments)

    async def open(self) -> tuple[Client, Subscribed]:
        """Connect and learn what there is. Raises `CannotConnectError`, `IncompatibleError`, `UnauthorizedError`."""
        await self.memory.load()
        opened = await self._connect()
        self._take(opened[1][0])
        return opened

    def start(self, opened: tuple[Client, Subscribed]) -> None:
        """Listen to what `open` opened. The entities exist by now, so nothing that was missed goes unseen."""
        self._cameras.start()
        for work in (self._signs.watch(), self._run(opened)):
            self._entry.async_create_background_task(self._hass, work, DOMAIN)

    async def _connect(self) -> tuple[Client, Subscribed]:
        session, data = async_get_clientsession(self._hass), self._entry.data
        # The engine is checked before the token is shown, which is nobody else's to see.
        address = (data[CONF_HOST], data[CONF_PORT])
        client = await Client.connect(session, *address, self.engine_id, data.get(CONF_FINGERPRINT))
        try:
            await client.enter("auth", token=data[CONF_TOKEN])
            return client, await client.subscribe(self.memory.sequence)
        except BaseException:
            await client.aclose()
            raise

    async def _run(self, opened: tuple[Client, Subscribed] | None) -> None:
        """Connect again whenever the connection ends. Returns only when the token is refused."""
        wait = FIRST_WAIT
        while not isinstance(self.error, UnauthorizedError):
            try:
                self._client, subscribed = opened or await self._connect()
                async with aclosing(self._client):
                    opened, wait = None, FIRST_WAIT
                    with understood("state"):  # also by what shows it, long after it was read
                        self._arrived(subscribed)
                        await self._client.listen(self._heard)
            except EngineError as err:
                self._lost(err)
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))
            wait = min(wait * 2, LONGEST_WAIT)

    def _arrived(self, subscribed: Subscribed) -> None:
        """The connection is there, and with it everything as of now."""
        (there_is, missed, sequence), self.error = subscribed, None
        _LOGGER.info("%s: connected", self._entry.title)
        self._issues.versions(None)
        self._issues.unreachable(None)
        self._take(there_is)
        self._tell_all()  # so that what was missed comes after the return from an outage, and is not taken for it
        if sequence < (self.memory.sequence or 0):
            _LOGGER.warning("%s: its event log went back to an earlier state, as after a restore", self._entry.title)
        for entry in missed:
            self._show(entry)
        self.memory.saw(sequence)
        self._signs.report_now()
        self._issues.look(self.things.values())

    def _heard(self, message: dict[str, Any]) -> None:
        """Something changed. Raises `CannotConnectError`."""
        match message.get("type"):
            case "event":
                self._show(event(message.get("event")))
            case "forget":
                self._tell(FORGET, message.get("alias"), message.get("visits") or [])
            case "state":
                for thing in things(message):
                    self._changed(thing)
                if self.things.pop(f"camera_{message.get('removed_camera')}", None):
                    self._cameras.follow()
                    self._prune()
                    self._tell_all()
                self._issues.look(self.things.values())

    def _lost(self, error: EngineError) -> None:
        """The connection ended, or did not come about."""
        if self.connected or isinstance(error, CertificateError):
            _LOGGER.warning("%s: connection lost: %s", self._entry.title, error)
        if not self.connected:
            self._issues.unreachable(error)
        self.error = error
        self._issues.versions(error)
        if isinstance(error, UnauthorizedError):
            self._entry.async_start_reauth(self._hass)
        # A withdrawal may be missed from here on, so nobody's alias stays.
        self._tell(FORGET, None, [])
        self._tell_all()

    def _changed(self, thing: Thing) -> None:
        known = self.things.get(thing.topic)
        if thing.kind == CAMERA and not known and not self.subentry(thing) and self._cameras.adding:
            return  # the dialog makes its part, and the engine soon says more of it
        self.things[thing.topic] = thing
        if thing.kind == CAMERA and (known is None or known.name != thing.name):
            self._cameras.follow()
        self._introduce(thing, known)
        self._tell(thing.topic)
        self._tell(f"zone_{thing.state.get('zone')}")  # a camera's, whose people are known only while it is up

    def _take(self, there_is: list[Thing]) -> None:
        known, self.things = self.things, {thing.topic: thing for thing in there_is}
        self._cameras.follow()
        for thing in there_is:
            self._introduce(thing, known.get(thing.topic))
        self._prune()

    def _introduce(self, thing: Thing, known: Thing | None) -> None:
        if known is None or _looks(known) != _looks(thing):
            dr.async_get(self._hass).async_get_or_create(**self._device(thing))
        if fields := thing.state.keys() - (known.state.keys() if known else ()):
            self._tell(NEW, thing, fields)  # the hub makes their entities at once: what happens next finds them

    def _show(self, entry: dict[str, Any]) -> None:
        if self.memory.sequence is None or entry["sequence"] > self.memory.sequence:
            self._tell(f"event_{entry['zone']}", entry)
            self._tell(EVENT, entry)
            self.memory.saw(entry["sequence"])

    def _tell(self, topic: str, *what: Any) -> None:
        for listener in list(self._listeners.get(topic, ())):
            listener(*what)

    def _tell_all(self) -> None:
        for topic in list(self.things):
            self._tell(topic)

    def _device(self, thing: Thing) -> dict[str, Any]:
        info: dict[str, Any] = {"manufacturer": "NVR Bridge", "model": thing.kind.capitalize()}
        if thing.kind == CAMERA:  # as the device itself says, once it was asked
            info = {field: thing.state[field] for field in info if thing.state.get(field)}
        if thing.kind == "engine":
            info |= {"sw_version": thing.state.get("version"), "entry_type": dr.DeviceEntryType.SERVICE}
        info |= {"config_entry_id": self._entry.entry_id, "config_subentry_id": self.subentry(thing)}
        info["identifiers"] = {(DOMAIN, self.identifier(thing.topic))}
        # A camera is often called as its zone is, and a site as its engine; the hub would number the second one's entities.
        before = [other.name for kind in KINDS[: KINDS.index(thing.kind)] for other in self.all(kind)]
        if thing.name in before:
            return info | {"translation_key": thing.kind, "translation_placeholders": {"name": thing.name}}
        return info | {"name": thing.name}

    def _prune(self) -> None:
        """Drop the devices of what no longer exists; their entities go with them."""
        registry = dr.async_get(self._hass)
        exist = {(DOMAIN, self.identifier(topic)) for topic in self.things}
        for device in dr.async_entries_for_config_entry(registry, self._entry.entry_id):
            if not device.identifiers & exist:
                registry.async_remove_device(device.id)


def _looks(thing: Thing) -> list[Any]:
    """What its device is shown by: another name in the engine's settings, an update, a camera that was asked."""
    return [thing.name, *(thing.state.get(field) for field in ("version", "manufacturer", "model"))]
