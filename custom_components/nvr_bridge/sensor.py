"""How many are here, how many came, and what a camera really delivers."""

from dataclasses import dataclass
from typing import Any

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import EntityCategory

from .bridge import Bridge
from .entity import BridgeEntity, BridgeEntityDescription, setup_of
from .wire import Camera, Engine, Zone

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class Description(BridgeEntityDescription, SensorEntityDescription):
    """A count or a fact."""


def _is_watched(bridge: Bridge, zone: Zone) -> bool:
    """Nobody knows who is in a zone while none of its cameras sees anything."""
    return bridge.connected and any(camera.online for camera in bridge.all(Camera) if camera.zone == zone.id)


SHOWN = {
    Engine: [
        Description(
            key="cases_waiting",
            state_class=SensorStateClass.MEASUREMENT,
            available=lambda bridge, engine: bridge.connected and engine.cases_waiting is not None,
        ),
    ],
    Zone: [
        Description(key="people_present", state_class=SensorStateClass.MEASUREMENT, available=_is_watched),
        Description(key="people_today", state_class=SensorStateClass.TOTAL_INCREASING),
        Description(key="visits_today", state_class=SensorStateClass.TOTAL_INCREASING),
        Description(key="returning_today", state_class=SensorStateClass.TOTAL_INCREASING),
    ],
    Camera: [
        Description(
            key="stream",
            entity_category=EntityCategory.DIAGNOSTIC,
            value=lambda bridge, camera: camera.stream and f"{camera.stream.width}×{camera.stream.height}",
            available=lambda bridge, camera: bridge.connected and camera.online,
            attributes=lambda camera: (
                camera.stream and {"codec": camera.stream.codec, "fps": round(camera.stream.fps, 1)}
            ),
        ),
    ],
}


class BridgeSensor(BridgeEntity, SensorEntity):
    @property
    def native_value(self) -> Any:
        return self.value


async_setup_entry = setup_of(BridgeSensor, SHOWN)
