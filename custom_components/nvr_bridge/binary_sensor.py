"""Is the engine there, may it recognise, and do pictures arrive?"""

from typing import Any

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.const import EntityCategory

from .entity import BridgeEntity, Shown, setup_of

PARALLEL_UPDATES = 0

_HEALTH: dict[str, Any] = {"device_class": BinarySensorDeviceClass.CONNECTIVITY}
_HEALTH["entity_category"] = EntityCategory.DIAGNOSTIC
_WHY = {"status": "state", "reason": "reason"}
SHOWN = {
    "engine": [
        # It says why the others are not available.
        Shown(key="connected", path="id", value=lambda it, _: it.connected, available=lambda *_: True, **_HEALTH),
        Shown(key="armed", attributes={"reasons": "watch.reasons"}),
    ],
    "zone": [Shown(key="recognition_armed", path="armed", attributes={"reasons": "reasons"})],
    "camera": [Shown(key="online", path="state", value=lambda _, it: it == "online", attributes=_WHY, **_HEALTH)],
}


class BridgeBinarySensor(BridgeEntity, BinarySensorEntity):
    _shows = "is_on"


async_setup_entry = setup_of(BridgeBinarySensor, SHOWN)
