"""What every entity of an engine, a zone or a camera has in common."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .bridge import NEW, Bridge, NvrBridgeConfigEntry
from .const import DOMAIN
from .wire import Camera, Engine, Thing, Zone


@dataclass(frozen=True, kw_only=True)
class BridgeEntityDescription(EntityDescription):
    """What an entity shows of its engine, zone or camera; the key names it, and the field unless `value` is given."""

    value: Callable[[Bridge, Any], Any] | None = None
    available: Callable[[Bridge, Any], bool] = lambda bridge, thing: bridge.connected
    attributes: Callable[[Any], dict[str, Any] | None] = lambda thing: None


class BridgeEntity(Entity):
    """Pushed; unavailable while the engine is, unless its description knows better."""

    entity_description: Any  # a `BridgeEntityDescription`, and whatever else the platform wants described
    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, bridge: Bridge, thing: Thing, description: BridgeEntityDescription) -> None:
        self.bridge = bridge
        self.entity_description = description
        self._topic = thing.topic
        self._attr_translation_key = description.key
        self._attr_unique_id = f"{bridge.identifier(thing.topic)}_{description.key}"
        self._attr_device_info = _device(bridge, thing)

    @property
    def thing(self) -> Any:
        """None from its removal until its entities are gone too."""
        return self.bridge.things.get(self._topic)

    @property
    def value(self) -> Any:
        """Asked for only while it is available."""
        value = self.entity_description.value
        return value(self.bridge, self.thing) if value else getattr(self.thing, self.entity_description.key)

    @property
    def available(self) -> bool:
        return self.thing is not None and self.entity_description.available(self.bridge, self.thing)

    @property
    def extra_state_attributes(self) -> dict[str, Any] | None:
        attributes: dict[str, Any] | None = self.entity_description.attributes(self.thing)
        return attributes

    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self.bridge.listen(self._topic, self.async_write_ha_state))


def setup_of(
    entity: Callable[[Bridge, Any, Any], Entity], shown: Mapping[Any, Iterable[BridgeEntityDescription]]
) -> Callable[[HomeAssistant, NvrBridgeConfigEntry, AddConfigEntryEntitiesCallback], Coroutine[Any, Any, None]]:
    """A platform's setup: one entity for each description of each thing there is, and of each camera that comes later."""

    async def async_setup_entry(
        hass: HomeAssistant, entry: NvrBridgeConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
    ) -> None:
        bridge = entry.runtime_data

        @callback
        def add(things: Iterable[Thing]) -> None:
            async_add_entities(entity(bridge, thing, it) for thing in things for it in shown.get(type(thing), ()))

        add(bridge.things.values())
        entry.async_on_unload(bridge.listen(NEW, add))

    return async_setup_entry


def _device(bridge: Bridge, thing: Thing) -> DeviceInfo:
    info = DeviceInfo(identifiers={(DOMAIN, bridge.identifier(thing.topic))}, name=thing.name)
    info |= {"manufacturer": "NVR Bridge", "model": type(thing).__name__}
    if isinstance(thing, Engine):
        info |= {"sw_version": thing.version, "entry_type": DeviceEntryType.SERVICE}
    # A camera is often called as its zone is; the hub would number the second one's entities.
    if isinstance(thing, Camera) and any(zone.name == thing.name for zone in bridge.all(Zone)):
        info["name"] = f"{thing.name} camera"
    return info
