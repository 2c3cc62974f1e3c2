"""What is set by one of a few words, as far as the site's profile leaves a choice."""

from typing import Any

from homeassistant.components.select import SelectEntity
from homeassistant.const import EntityCategory

from .entity import BridgeEntity, Shown, setup_of

PARALLEL_UPDATES = 1

_AS_SET: dict[str, Any] = {"command": "settings/set", "entity_category": EntityCategory.CONFIG}
SHOWN = {"engine": [Shown(key="attribution_winner", path="settings.attribution_winner", **_AS_SET)]}


class BridgeSelect(BridgeEntity, SelectEntity):
    def show(self, value: dict[str, Any]) -> None:
        self._attr_current_option, self._attr_options = value["value"], value["options"]

    async def async_select_option(self, option: str) -> None:
        await self.ask(key=self.entity_description.key, value=option)


async_setup_entry = setup_of(BridgeSelect, SHOWN)
