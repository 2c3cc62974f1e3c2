"""How long data is kept, and how visits are attributed, as far as the site's profile leaves a choice."""

from typing import Any

from homeassistant.components.number import NumberDeviceClass, NumberEntity, NumberMode
from homeassistant.const import EntityCategory

from .entity import BridgeEntity, Shown, setup_of

PARALLEL_UPDATES = 1

_KEYS = [f"retention_{kind}" for kind in ("templates", "sightings", "visits", "referrals", "images", "events")]
_KEYS += [f"attribution_{rule}" for rule in ("lead_time", "validity", "protection", "natural_protection", "visit_gap")]
_AS_SET: dict[str, Any] = {"command": "settings/set", "entity_category": EntityCategory.CONFIG}
SHOWN = {"engine": [Shown(key=key, path=f"settings.{key}", **_AS_SET) for key in _KEYS]}


class BridgeNumber(BridgeEntity, NumberEntity):
    _attr_device_class = NumberDeviceClass.DURATION
    _attr_mode = NumberMode.BOX

    def show(self, value: dict[str, Any]) -> None:
        self._attr_native_value, self._attr_native_unit_of_measurement = value["value"], value.get("unit")
        self._attr_native_min_value, self._attr_native_max_value = value["min"], value["max"]
        self._attr_native_step = value.get("step", 1)

    async def async_set_native_value(self, value: float) -> None:
        await self.ask(key=self.entity_description.key, value=value)


async_setup_entry = setup_of(BridgeNumber, SHOWN)
