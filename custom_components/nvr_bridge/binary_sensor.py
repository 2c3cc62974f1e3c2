"""Is the engine there, may it recognise, and do pictures arrive?"""

from __future__ import annotations

from dataclasses import dataclass

from homeassistant.components.binary_sensor import BinarySensorDeviceClass as DeviceClass
from homeassistant.components.binary_sensor import BinarySensorEntity, BinarySensorEntityDescription
from homeassistant.const import EntityCategory

from .entity import BridgeEntity, BridgeEntityDescription, setup_of
from .wire import Camera, Engine, Zone

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class Description(BridgeEntityDescription, BinarySensorEntityDescription):
    """Yes or no."""


CONNECTED = Description(
    key="connected",
    translation_key="connected",
    device_class=DeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
    available=lambda bridge, engine: True,  # it says why the others are not
)
ARMED = Description(key="armed", translation_key="armed", value=lambda bridge, engine: engine.armed)
RECOGNITION_ARMED = Description(
    key="recognition_armed",
    translation_key="recognition_armed",
    value=lambda bridge, zone: zone.armed,
    attributes=lambda zone: {"reasons": zone.reasons},
)
ONLINE = Description(
    key="online",
    translation_key="online",
    device_class=DeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
    value=lambda bridge, camera: camera.online,
    attributes=lambda camera: {"status": camera.state, "reason": camera.reason},
)


class BridgeBinarySensor(BridgeEntity, BinarySensorEntity):
    """Of an engine, a zone or a camera."""

    entity_description: Description

    @property
    def is_on(self) -> bool:
        return bool(self.value)


DESCRIPTIONS = {Engine: [CONNECTED, ARMED], Zone: [RECOGNITION_ARMED], Camera: [ONLINE]}
async_setup_entry = setup_of(BridgeBinarySensor, DESCRIPTIONS)
