"""What the hub keeps of the event log: how far it got, and each zone's last event. No alias, no visit."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .const import DOMAIN

SAVE_AFTER = 0.5  # seconds; what a hub that is killed may see again, marked as replayed


class Memory(Store[dict[str, Any]]):
    """One engine's place in `.storage`. `load` comes first."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        super().__init__(hass, 1, f"{DOMAIN}.{entry_id}")
        self.sequence: int | None = None  # of the last event shown; None before the first connection
        self.zones: dict[str, dict[str, Any]] = {}  # of each zone's last event: kind, state, shown
        self._save_is_due = False

    async def load(self) -> None:
        """Remember what was saved."""
        if stored := await self.async_load():
            self.sequence, self.zones = stored["sequence"], stored["zones"]

    def saw(self, sequence: int) -> None:
        """The log is known up to `sequence`."""
        # The store puts a save off each time it is asked for one, so in a crowd it would never save.
        if sequence != self.sequence and not self._save_is_due:
            self._save_is_due = True
            self.async_delay_save(self._content, SAVE_AFTER)
        self.sequence = sequence

    async def flush(self) -> None:
        """Save now what is due."""
        if self._save_is_due:
            await self.async_save(self._content())

    def _content(self) -> dict[str, Any]:
        self._save_is_due = False
        return {"sequence": self.sequence, "zones": self.zones}
