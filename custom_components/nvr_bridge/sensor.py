"""How many are here, how many came and to whom, and how the engine and its cameras do."""

from dataclasses import dataclass
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfTime
from homeassistant.util import dt as dt_util

from .bridge import Bridge
from .const import EVENT_TYPES
from .entity import BridgeEntity, Shown, setup_of
from .wire import Thing

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class Fact(Shown, SensorEntityDescription):
    """A count, a time or a fact."""


def _is_up(bridge: Bridge, camera: Thing) -> bool:
    return bridge.connected and camera.state.get("state") == "online"


def _is_watched(bridge: Bridge, zone: Thing) -> bool:
    """Nobody knows who is in a zone while none of its cameras sees anything."""
    return any(_is_up(bridge, camera) for camera in bridge.all("camera") if camera.state.get("zone") == zone.id)


_NOW: dict[str, Any] = {"state_class": SensorStateClass.MEASUREMENT}
_COUNTED: dict[str, Any] = {"state_class": SensorStateClass.TOTAL_INCREASING}
# Verdicts change, so these may go down within a day.
_JUDGED: dict[str, Any] = {"state_class": SensorStateClass.TOTAL, "since": "day_started_at"}
_DIAGNOSTIC: dict[str, Any] = {"entity_category": EntityCategory.DIAGNOSTIC}
_QUIET: dict[str, Any] = {**_DIAGNOSTIC, **_NOW, "entity_registry_enabled_default": False}
_SECONDS: dict[str, Any] = {"device_class": SensorDeviceClass.DURATION}
_SECONDS["native_unit_of_measurement"] = UnitOfTime.SECONDS
_MILLISECONDS: dict[str, Any] = {**_SECONDS, "native_unit_of_measurement": UnitOfTime.MILLISECONDS}
_TIME: dict[str, Any] = {
    "device_class": SensorDeviceClass.TIMESTAMP,
    "value": lambda bridge, time: dt_util.parse_datetime(time),
    **_DIAGNOSTIC,
}

SHOWN = {
    "engine": [
        Fact(key="subjects", **_NOW),
        Fact(key="cases_waiting", **_NOW),
        Fact(key="oldest_template", path="watch.oldest_template", **_TIME),
        Fact(key="next_purge", path="watch.next_purge", **_TIME),
        Fact(key="assessment_expires", path="watch.assessment_expires_at", **_TIME),
        Fact(key="erasures_overdue", path="watch.erasures_overdue", **_NOW, **_DIAGNOSTIC),
        Fact(key="embeddings_without_permit", **_COUNTED, **_DIAGNOSTIC),
        Fact(key="search_p99", path="search_p99_ms", **_MILLISECONDS, **_QUIET),
        Fact(key="to_renew", path="watch.to_renew", **_QUIET),
    ],
    "site": [
        Fact(key="people_present", **_NOW),
        Fact(key="visits_today", **_JUDGED),
        Fact(key="natural_today", **_JUDGED),
        Fact(key="channel_today", **_JUDGED),
        Fact(key="staff_today", **_JUDGED),
        Fact(key="undetermined_today", **_JUDGED),
        Fact(key="unregistered_today", **_JUDGED),
        Fact(key="returning_share", native_unit_of_measurement=PERCENTAGE, **_NOW),
    ],
    "zone": [
        Fact(key="people_present", available=_is_watched, **_NOW),
        Fact(key="people_approaching", available=_is_watched, **_NOW),
        Fact(key="people_today", **_COUNTED),
        Fact(key="visits_today", **_COUNTED),
        Fact(key="returning_today", **_COUNTED),
        Fact(
            key="last_event",
            device_class=SensorDeviceClass.ENUM,
            options=EVENT_TYPES,
            value=lambda bridge, kind: kind if kind in EVENT_TYPES else None,
            attributes={"occurred_at": "last_event_at"},
        ),
    ],
    "camera": [
        Fact(
            key="stream",
            value=lambda bridge, stream: f"{stream.get('width')}×{stream.get('height')}",
            available=_is_up,
            attributes={"codec": "stream.codec", "fps": "stream.fps"},
            **_DIAGNOSTIC,
        ),
        Fact(key="analysed_per_second", available=_is_up, **_QUIET),
        Fact(key="clock_offset", **_SECONDS, **_QUIET),
    ],
}


class BridgeSensor(BridgeEntity, SensorEntity):
    _shows = "native_value"

    def show(self, value: Any) -> None:
        """With when a count began anew, which tells statistics a new day from fewer visits."""
        super().show(value)
        began = self.thing.state.get(self.entity_description.since)
        self._attr_last_reset = dt_util.parse_datetime(began) if began else None


async_setup_entry = setup_of(BridgeSensor, SHOWN)
