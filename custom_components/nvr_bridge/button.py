"""What the engine does once when it is told to."""

from homeassistant.components.button import ButtonEntity
from homeassistant.const import EntityCategory

from .entity import BridgeEntity, Shown, setup_of

PARALLEL_UPDATES = 1

_PURGE = Shown(key="purge", path="watch.next_purge", command="retention/purge", entity_category=EntityCategory.CONFIG)


class BridgeButton(BridgeEntity, ButtonEntity):
    async def async_press(self) -> None:
        await self.ask()


async_setup_entry = setup_of(BridgeButton, {"engine": [_PURGE]})
