"""Is the engine there, may it recognise, and do pictures arrive?"""

from typing import Any

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.const import EntityCategory

from .entity import BridgeEntity, Shown, setup_of

PARALLEL_UPDATES = 0

_HEALTH: dict[str, Any] = {
    "device_class": BinarySensorDeviceClass.CONNECTIVITY,
    "entity_category": EntityCategory.DIAGNOSTIC,
}
SHOWN = {
    "engine": [
        Shown(
            key="connected", path="id", **_HEALTH, value=lambda bridge, _: bridge.connected, available=lambda *_: True
        ),
        Shown(key="armed", attributes={"reasons": "watch.reasons"}),
    ],
    "zone": [Shown(key="recognition_armed", path="armed", attributes={"reasons": "reasons"})],
    "camera": [
        Shown(
            key="online",
            path="state",
            **_HEALTH,
            value=lambda bridge, state: state == "online",
            attributes={"status": "state", "reason": "reason"},
        ),
    ],
}


class BridgeBinarySensor(BridgeEntity, BinarySensorEntity):
    _shows = "is_on"


async_setup_entry = setup_of(BridgeBinarySensor, SHOWN)
