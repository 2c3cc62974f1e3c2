"""Is the engine there, may it recognise, and do pictures arrive?"""

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.const import EntityCategory

from .entity import BridgeEntity, BridgeEntityDescription, setup_of
from .wire import Camera, Engine, Zone

PARALLEL_UPDATES = 0

SHOWN = {
    Engine: [
        BridgeEntityDescription(
            key="connected",
            device_class=BinarySensorDeviceClass.CONNECTIVITY,
            entity_category=EntityCategory.DIAGNOSTIC,
            value=lambda bridge, engine: bridge.connected,
            available=lambda bridge, engine: True,  # it says why the others are not
        ),
        BridgeEntityDescription(key="armed"),
    ],
    Zone: [
        BridgeEntityDescription(
            key="recognition_armed",
            value=lambda bridge, zone: zone.armed,
            attributes=lambda zone: {"reasons": zone.reasons},
        ),
    ],
    Camera: [
        BridgeEntityDescription(
            key="online",
            device_class=BinarySensorDeviceClass.CONNECTIVITY,
            entity_category=EntityCategory.DIAGNOSTIC,
            attributes=lambda camera: {"status": camera.state, "reason": camera.reason},
        ),
    ],
}


class BridgeBinarySensor(BridgeEntity, BinarySensorEntity):
    @property
    def is_on(self) -> bool:
        return bool(self.value)


async_setup_entry = setup_of(BridgeBinarySensor, SHOWN)
