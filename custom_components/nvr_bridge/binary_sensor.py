"""Is the engine there, may it recognise, and do pictures arrive?"""

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.const import EntityCategory

from .entity import BridgeEntity, Shown, setup_of

PARALLEL_UPDATES = 0

_CONNECTIVITY = BinarySensorDeviceClass.CONNECTIVITY
_DIAGNOSTIC = EntityCategory.DIAGNOSTIC

SHOWN = {
    "engine": [
        Shown(
            key="connected",
            path="id",
            device_class=_CONNECTIVITY,
            entity_category=_DIAGNOSTIC,
            value=lambda bridge, engine_id: bridge.connected,
            available=lambda bridge, engine: True,  # it says why the others are not
        ),
        Shown(key="armed", attributes={"reasons": "watch.reasons"}),
    ],
    "zone": [Shown(key="recognition_armed", path="armed", attributes={"reasons": "reasons"})],
    "camera": [
        Shown(
            key="online",
            path="state",
            device_class=_CONNECTIVITY,
            entity_category=_DIAGNOSTIC,
            value=lambda bridge, state: state == "online",
            attributes={"status": "state", "reason": "reason"},
        ),
    ],
}


class BridgeBinarySensor(BridgeEntity, BinarySensorEntity):
    @property
    def is_on(self) -> bool | None:
        on: bool | None = self.value
        return on


async_setup_entry = setup_of(BridgeBinarySensor, SHOWN)
