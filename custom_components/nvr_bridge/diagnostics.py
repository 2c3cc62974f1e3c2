"""What helps to find a fault, without a token, an address or an alias."""

from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST, CONF_TOKEN
from homeassistant.core import HomeAssistant

from .bridge import NvrBridgeConfigEntry

TO_REDACT = {CONF_HOST, CONF_TOKEN}
WORDS = {"id", "kind", "name", "profile", "reasons", "settings", "state", "stream", "version", "watch", "zone"}


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: NvrBridgeConfigEntry) -> dict[str, Any]:
    """The entry, the connection, and what the engine last said."""
    bridge = entry.runtime_data
    known = {
        "entry": {"data": dict(entry.data), "options": dict(entry.options)},
        "connection": {"error": bridge.error and bridge.error.word, "last_sequence": bridge.memory.sequence},
        "things": {topic: _told(thing.state) for topic, thing in bridge.things.items()},
    }
    return async_redact_data(known, TO_REDACT)


def _told(state: dict[str, Any]) -> dict[str, Any]:
    """Counts, switches and such words as are known: a camera's reason may name its address."""
    plain = {key: value for key, value in state.items() if "." not in key}
    return {key: value for key, value in plain.items() if key in WORDS or isinstance(value, bool | int | float | None)}
