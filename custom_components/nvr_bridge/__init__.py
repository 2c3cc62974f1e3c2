"""NVR Bridge in Home Assistant: shows the engine as devices, entities and events, and reports signs and acts to it."""

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntry, ConfigEntryChange, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.typing import ConfigType

from . import actions, panel
from .bridge import Bridge, NvrBridgeConfigEntry
from .const import DOMAIN, PLATFORMS
from .errors import EngineError, IncompatibleError, UnauthorizedError
from .issues import Issues
from .memory import Memory

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """The actions exist whether or not an engine is connected. What is not loaded has no issues."""
    actions.register(hass)

    @callback
    def changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN and entry.state is ConfigEntryState.NOT_LOADED:
            Issues(hass, entry).clear()

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: NvrBridgeConfigEntry) -> bool:
    """Connect, build the entities from what the engine says, then listen."""
    entry.runtime_data = bridge = Bridge(hass, entry)
    await panel.show(hass)
    try:
        opened = await bridge.open()
    except EngineError as err:
        Issues(hass, entry).versions(err)
        why = {"reason": str(err)}
        if isinstance(err, UnauthorizedError):
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN, translation_key="unauthorized", translation_placeholders=why
            ) from err
        key = err.word if isinstance(err, IncompatibleError) else "not_ready"
        raise ConfigEntryNotReady(translation_domain=DOMAIN, translation_key=key, translation_placeholders=why) from err
    entry.async_on_unload(bridge.memory.flush)  # a hub that stops saves by itself
    try:
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    except BaseException:
        await opened[0].aclose()
        raise
    bridge.start(opened)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: NvrBridgeConfigEntry) -> bool:
    """The connection is closed after the entities are gone."""
    await panel.show(hass)
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: NvrBridgeConfigEntry) -> None:
    """Leave nothing behind."""
    await panel.show(hass)
    await Memory(hass, entry.entry_id).async_remove()
