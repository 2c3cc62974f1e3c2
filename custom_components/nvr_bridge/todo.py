"""Today's cases that somebody has to look at, as a list. Checking one confirms the verdict that was shown."""

import asyncio
from datetime import datetime
from typing import Any

from homeassistant.components.todo import TodoItem, TodoListEntity
from homeassistant.components.todo.const import TodoItemStatus, TodoListEntityFeature
from homeassistant.core import callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.dt import as_local

from .actions import who
from .bridge import EVENT, Bridge
from .const import DOMAIN
from .entity import BridgeEntity, Shown, setup_of
from .errors import EngineError
from .wire import Thing, understood

PARALLEL_UPDATES = 1

PAUSE = 1.0  # seconds at least between two looks at the engine's list
WORDS = f"component.{DOMAIN}.entity.event.visit.state_attributes"


class CasesToReview(BridgeEntity, TodoListEntity):
    """Names nobody. An item's id is the verdict that it shows, so that nobody confirms what they have not seen."""

    _attr_supported_features = TodoListEntityFeature.UPDATE_TODO_ITEM

    def __init__(self, bridge: Bridge, thing: Thing, description: Shown) -> None:
        self._due = asyncio.Event()
        super().__init__(bridge, thing, description)

    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self._looking = self.hass.async_create_background_task(self._look(), f"{DOMAIN} cases")
        self.async_on_remove(self.bridge.listen(EVENT, self._heard))

    async def async_will_remove_from_hass(self) -> None:
        self._looking.cancel()

    async def async_update_todo_item(self, item: TodoItem) -> None:
        """Confirm a case for the administrator who checked it."""
        await who(self.hass, self._context)
        case, version, attribution = str(item.uid).split()
        if item.status != TodoItemStatus.COMPLETED:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="only_confirm")
        if attribution in ("undetermined", "None"):
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="nothing_to_confirm")
        self._due.set()  # whatever comes of it
        await self.ask(case=case, seen=version)

    @callback
    def _heard(self, entry: dict[str, Any]) -> None:
        if entry["kind"] == "verdict":
            self._due.set()

    def show(self, value: Any) -> None:
        if self.hass:
            self._due.set()

    async def _look(self) -> None:
        while await self._due.wait():
            self._due.clear()  # what happens from here on is for the next look
            words = await async_get_translations(self.hass, self.hass.config.language, "entity", {DOMAIN})
            try:
                rows = await self.bridge.call("case/list", needs_review=True)
                with understood("case/list"):
                    self._attr_todo_items = [self._item(row, words) for row in rows]
            except EngineError:
                self._attr_todo_items = None  # nobody knows, until something happens or the engine is back
            self.async_write_ha_state()
            await asyncio.sleep(PAUSE)

    def _item(self, row: dict[str, Any], words: dict[str, str]) -> TodoItem:
        zone = self.bridge.things.get(f"zone_{row['zone']}")
        at = f"{as_local(datetime.fromisoformat(row['started_at'])):%Y-%m-%d %H:%M}"
        told = [(key, row[key]) for key in ("attribution", "rule")] + [("risks", risk) for risk in row["risks"]]
        answer, rule, *risks = (words.get(f"{WORDS}.{key}.state.{value}", value) for key, value in told)
        shown = (row["case"], zone.name if zone else row["zone"], at, answer, row["partner"], rule)
        uid = f"{row['case']} {row['version']} {row['attribution']}"
        return TodoItem(" · ".join(filter(None, shown)), uid, TodoItemStatus.NEEDS_ACTION, description=", ".join(risks))


SHOWN = {"engine": [Shown(key="cases_to_review", path="cases_waiting", command="case/confirm")]}
async_setup_entry = setup_of(CasesToReview, SHOWN)
