"""Recognition, off and on by hand: everywhere, in a zone, for a camera."""

from typing import Any

from homeassistant.components.switch import SwitchEntity

from .entity import BridgeEntity, Shown, setup_of

PARALLEL_UPDATES = 1

SHOWN = {
    "engine": [Shown(key="recognition", command="engine/recognition")],
    "zone": [Shown(key="recognition", command="engine/recognition")],
    "camera": [Shown(key="recognition", command="camera/recognition")],
}


class BridgeSwitch(BridgeEntity, SwitchEntity):
    _shows = "is_on"

    async def async_turn_on(self, **kwargs: Any) -> None:
        await self._turn(True)

    async def async_turn_off(self, **kwargs: Any) -> None:
        await self._turn(False)

    async def _turn(self, on: bool) -> None:
        where = {} if self.thing.kind == "engine" else {self.thing.kind: self.thing.id}
        await self.ask(**where, on=on)


async_setup_entry = setup_of(BridgeSwitch, SHOWN)
