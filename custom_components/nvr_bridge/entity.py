"""What every entity of an engine, a site, a zone or a camera has in common."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .bridge import NEW, Bridge, NvrBridgeConfigEntry
from .const import DOMAIN
from .errors import asked
from .wire import KINDS, Thing


@dataclass(frozen=True, kw_only=True)
class Shown(EntityDescription):
    """An entity of each thing that has its field. The key names it, and the field as well unless `path` does."""

    path: str = ""
    value: Callable[[Bridge, Any], Any] = lambda bridge, value: value  # what is shown of what the field holds
    available: Callable[[Bridge, Thing], bool] = lambda bridge, thing: bridge.connected
    attributes: Mapping[str, str] = MappingProxyType({})  # name → path
    command: str = ""  # for what can be set

    @property
    def field(self) -> str:
        """What it shows of the thing's state."""
        return self.path or self.key


class BridgeEntity(Entity):
    """Pushed; unavailable while the engine is, unless its description knows better."""

    entity_description: Any  # a `Shown`, and whatever else the platform wants described
    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, bridge: Bridge, thing: Thing, description: Shown) -> None:
        self.bridge = bridge
        self.entity_description = description
        self._topic = thing.topic
        self._attr_translation_key = description.key
        self._attr_unique_id = f"{bridge.identifier(thing.topic)}_{description.key}"
        self._attr_device_info = _device(bridge, thing)

    @property
    def thing(self) -> Thing | None:
        """None from its removal until its entities are gone too."""
        return self.bridge.things.get(self._topic)

    @property
    def value(self) -> Any:
        """None if the engine does not know it, or is not there to say."""
        value = self.thing and self.thing.state.get(self.entity_description.field)
        return None if value is None else self.entity_description.value(self.bridge, value)

    @property
    def available(self) -> bool:
        return self.thing is not None and self.entity_description.available(self.bridge, self.thing)

    @property
    def extra_state_attributes(self) -> dict[str, Any]:
        state = self.thing.state if self.thing else {}
        shown = {name: state.get(path) for name, path in self.entity_description.attributes.items()}
        return {name: round(value, 1) if isinstance(value, float) else value for name, value in shown.items()}

    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self.bridge.listen(self._topic, self.async_write_ha_state))

    async def ask(self, **arguments: Any) -> None:
        """Have the engine do what the description says, for the user who wants it; what comes of it is pushed."""
        if self._context and self._context.user_id:
            arguments["by"] = self._context.user_id
        with asked():
            await self.bridge.call(self.entity_description.command, **arguments)


def setup_of(
    entity: Callable[[Bridge, Thing, Any], Entity], shown: Mapping[str, Iterable[Shown]]
) -> Callable[[HomeAssistant, NvrBridgeConfigEntry, AddConfigEntryEntitiesCallback], Coroutine[Any, Any, None]]:
    """A platform's setup: an entity for each description whose field a thing has, or comes to have."""

    async def async_setup_entry(
        hass: HomeAssistant, entry: NvrBridgeConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
    ) -> None:
        bridge = entry.runtime_data

        @callback
        def add(thing: Thing, fields: Iterable[str]) -> None:
            new = [entity(bridge, thing, it) for it in shown.get(thing.kind, ()) if it.field in fields]
            async_add_entities(new, config_subentry_id=bridge.subentry(thing))

        for thing in bridge.things.values():
            add(thing, thing.state)
        entry.async_on_unload(bridge.listen(NEW, add))

    return async_setup_entry


def _device(bridge: Bridge, thing: Thing) -> DeviceInfo:
    info = DeviceInfo(identifiers={(DOMAIN, bridge.identifier(thing.topic))}, name=thing.name)
    info |= {"manufacturer": "NVR Bridge", "model": thing.kind.capitalize()}
    if thing.kind == "engine":
        info |= {"sw_version": thing.state.get("version"), "entry_type": DeviceEntryType.SERVICE}
    # A camera is often called as its zone is; the hub would number the second one's entities.
    before = KINDS[: KINDS.index(thing.kind)]
    if any(other.name == thing.name for kind in before for other in bridge.all(kind)):
        del info["name"]
        info |= {"translation_key": thing.kind, "translation_placeholders": {"name": thing.name}}
    return info
