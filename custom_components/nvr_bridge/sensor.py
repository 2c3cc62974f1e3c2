"""How many are here, how many came, and what a camera really delivers."""

from dataclasses import dataclass
from typing import Any

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import EntityCategory

from .bridge import Bridge
from .entity import BridgeEntity, Shown, setup_of
from .wire import Thing

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class Fact(Shown, SensorEntityDescription):
    """A count, a time or a fact."""


def _is_watched(bridge: Bridge, zone: Thing) -> bool:
    """Nobody knows who is in a zone while none of its cameras sees anything."""
    cameras = (camera.state for camera in bridge.all("camera"))
    return bridge.connected and any(
        camera.get("state") == "online" for camera in cameras if camera.get("zone") == zone.id
    )


SHOWN = {
    "engine": [Fact(key="cases_waiting", state_class=SensorStateClass.MEASUREMENT)],
    "zone": [
        Fact(key="people_present", state_class=SensorStateClass.MEASUREMENT, available=_is_watched),
        Fact(key="people_today", state_class=SensorStateClass.TOTAL_INCREASING),
        Fact(key="visits_today", state_class=SensorStateClass.TOTAL_INCREASING),
        Fact(key="returning_today", state_class=SensorStateClass.TOTAL_INCREASING),
    ],
    "camera": [
        Fact(
            key="stream",
            entity_category=EntityCategory.DIAGNOSTIC,
            value=lambda bridge, stream: f"{stream.get('width')}×{stream.get('height')}",
            available=lambda bridge, camera: bridge.connected and camera.state.get("state") == "online",
            attributes={"codec": "stream.codec", "fps": "stream.fps"},
        ),
    ],
}


class BridgeSensor(BridgeEntity, SensorEntity):
    @property
    def native_value(self) -> Any:
        return self.value


async_setup_entry = setup_of(BridgeSensor, SHOWN)
