"""What people switched off by hand: recognition on the whole site, in some zones, or by some cameras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Switches:
    """Each of them apart: the site's changes none of the zones'. What is not off by hand may still be so for other reasons.

    A camera's outlives the camera: taking it away and adding it again must not switch it on.
    """

    site: bool = True
    zones_off: frozenset[str] = frozenset()
    cameras_off: frozenset[str] = frozenset()

    @classmethod
    def read(cls, kept: Mapping[str, Any] | None) -> Switches:
        """What `kept` gave."""
        return (
            cls() if kept is None else cls(kept["site"], frozenset(kept["zones_off"]), frozenset(kept["cameras_off"]))
        )

    @property
    def kept(self) -> dict[str, Any]:
        """The same, JSON-able."""
        return {"site": self.site, "zones_off": sorted(self.zones_off), "cameras_off": sorted(self.cameras_off)}

    def __and__(self, other: Switches) -> Switches:
        """Off is what is off in either."""
        zones_off, cameras_off = self.zones_off | other.zones_off, self.cameras_off | other.cameras_off
        return Switches(self.site and other.site, zones_off, cameras_off)

    def of_site(self, on: bool) -> Switches:
        """With the site's switched."""
        return replace(self, site=on)

    def of_zone(self, zone_id: str, on: bool) -> Switches:
        """With a zone's switched."""
        return replace(self, zones_off=self.zones_off - {zone_id} if on else self.zones_off | {zone_id})

    def of_camera(self, camera_id: str, on: bool) -> Switches:
        """With a camera's switched."""
        return replace(self, cameras_off=self.cameras_off - {camera_id} if on else self.cameras_off | {camera_id})
