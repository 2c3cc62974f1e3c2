"""What helps to find a fault, without a token, an address or an alias."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST, CONF_TOKEN
from homeassistant.core import HomeAssistant

from .bridge import NvrBridgeConfigEntry

TO_REDACT = {CONF_HOST, CONF_TOKEN, "reason"}  # a camera's reason may name its address


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: NvrBridgeConfigEntry) -> dict[str, Any]:
    """The entry, the connection, and what the engine last said."""
    bridge = entry.runtime_data
    known = {
        "entry": {"data": dict(entry.data), "options": dict(entry.options)},
        "connection": {"error": bridge.error and bridge.error.word, "last_sequence": bridge.memory.sequence},
        "things": {topic: asdict(thing) for topic, thing in bridge.things.items()},
    }
    return async_redact_data(known, TO_REDACT)
