"""How many are here, how many came, and what a camera really delivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import EntityCategory

from .bridge import Bridge
from .entity import BridgeEntity, BridgeEntityDescription, setup_of
from .wire import Camera, Zone

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class Description(BridgeEntityDescription, SensorEntityDescription):
    """A count or a fact."""


def _count(key: str, state_class: SensorStateClass = SensorStateClass.TOTAL_INCREASING, **more: Any) -> Description:
    more |= {"key": key, "translation_key": key, "value": lambda bridge, zone: getattr(zone, key)}
    return Description(state_class=state_class, **more)


def _is_watched(bridge: Bridge, zone: Zone) -> bool:
    """Nobody knows who is in a zone while none of its cameras sees anything."""
    return bridge.connected and any(camera.online for camera in bridge.cameras if camera.zone == zone.id)


COUNTS = [
    _count("people_present", SensorStateClass.MEASUREMENT, available=_is_watched),
    _count("people_today"),
    _count("visits_today"),
    _count("returning_today"),
]
STREAM = Description(
    key="stream",
    translation_key="stream",
    entity_category=EntityCategory.DIAGNOSTIC,
    value=lambda bridge, camera: camera.stream and f"{camera.stream.width}×{camera.stream.height}",
    available=lambda bridge, camera: bridge.connected and camera.online,
    attributes=lambda camera: camera.stream and {"codec": camera.stream.codec, "fps": round(camera.stream.fps, 1)},
)


class BridgeSensor(BridgeEntity, SensorEntity):
    """Of a zone or a camera."""

    entity_description: Description

    @property
    def native_value(self) -> Any:
        return self.value


async_setup_entry = setup_of(BridgeSensor, {Zone: COUNTS, Camera: [STREAM]})
