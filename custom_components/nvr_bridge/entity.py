"""What every entity of an engine, a site, a zone or a camera has in common."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .bridge import NEW, Bridge, NvrBridgeConfigEntry
from .const import DOMAIN
from .errors import asked
from .wire import Thing


@dataclass(frozen=True, kw_only=True)
class Shown(EntityDescription):
    """An entity of each thing that has its field. The key names it, and the field as well unless `path` does."""

    path: str = ""
    value: Callable[[Bridge, Any], Any] = lambda bridge, value: value  # what is shown of what the field holds
    available: Callable[[Bridge, Thing], bool] = lambda bridge, thing: bridge.connected
    attributes: Mapping[str, str] = MappingProxyType({})  # name → path
    since: str = ""  # path of when that began which is counted
    command: str = ""  # for what people may do

    @property
    def field(self) -> str:
        """What it shows of the thing's state."""
        return self.path or self.key


class BridgeEntity(Entity):
    """Pushed; unavailable while the engine is, unless its description knows better. Null is unknown."""

    entity_description: Any  # a `Shown`, and whatever else the platform wants described
    _attr_has_entity_name = True
    _attr_should_poll = False
    _shows = ""  # which attribute of the platform's own the value is

    def __init__(self, bridge: Bridge, thing: Thing, description: Shown) -> None:
        self.bridge, self.thing, self.entity_description = bridge, thing, description
        self._seen: Any = None
        self._attr_translation_key = description.key
        self._attr_unique_id = f"{bridge.identifier(thing.topic)}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, bridge.identifier(thing.topic))})
        self._see()

    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self._see()
        self.async_on_remove(self.bridge.listen(self.thing.topic, self._changed))

    @callback
    def _changed(self) -> None:
        """Written only if it is news: the recorder notes the time of each writing."""
        if self._see():
            self.async_write_ha_state()

    def _see(self) -> bool:
        it, bridge, thing = self.entity_description, self.bridge, self.bridge.things.get(self.thing.topic)
        self.thing = thing or self.thing
        state = self.thing.state
        value = state.get(it.field)
        there = thing is not None and it.field in state and it.available(bridge, thing)
        more = {name: state.get(path) for name, path in it.attributes.items()}
        shown = None if value is None else it.value(bridge, value)
        before, self._seen = self._seen, (there, shown, more, state.get(it.since))
        if self._seen == before:
            return False
        self._attr_available, self._attr_extra_state_attributes = there, more
        if it.field in state:
            self.show(shown)
        return True

    def show(self, value: Any) -> None:
        """Another value than before; None if it is not known."""
        if self._shows:
            setattr(self, f"_attr_{self._shows}", value)

    async def ask(self, **arguments: Any) -> None:
        """Have the engine do what the description says, for the user who wants it. What comes of it is pushed."""
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
