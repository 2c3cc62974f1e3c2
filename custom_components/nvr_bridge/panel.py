"""The panel: a page in the hub's sidebar, and what it asks over the hub's WebSocket. None of that is kept or logged."""

import logging
import secrets
from pathlib import Path
from typing import Any

import voluptuous as vol
from homeassistant.components import frontend, panel_custom
from homeassistant.components.http import StaticPathConfig
from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import async_response, require_admin, websocket_command
from homeassistant.core import HomeAssistant

from .const import DOMAIN
from .errors import CannotConnectError, EngineError

URL = f"/{DOMAIN}/{secrets.token_hex(4)}"  # another one at each start, for browsers keep what they have for a month
CALL = f"{DOMAIN}/call"
_PERSONAL = (CALL, f'"translation_domain":"{DOMAIN}"')  # in what is asked and answered, and in what is refused
_MAY = vol.Match(r"(things|(case|partner|referral|subject)/\w+|visit/check_in|report/visits|retention/get)$")
_BY_NOBODY = {"case/list", "report/visits", "retention/get"}  # the engine notes who asks for anything else


async def show(hass: HomeAssistant) -> None:
    """Put the page into the sidebar while there is an engine that it can be about; take it out otherwise."""
    if not hass.config_entries.async_entries(DOMAIN, include_ignore=False, include_disabled=False):
        frontend.async_remove_panel(hass, DOMAIN, warn_if_unknown=False)
    elif "frontend" in hass.config.components and DOMAIN not in hass.data.get(frontend.DATA_PANELS, {}):
        async_register_command(hass, _call)
        # The hub logs at DEBUG all that goes over its WebSocket.
        logging.getLogger("homeassistant.components.websocket_api.http.connection").addFilter(_is_discreet)
        look: dict[str, Any] = {"sidebar_title": "NVR Bridge", "sidebar_icon": "mdi:account-check-outline"}
        look |= {"module_url": f"{URL}/panel.js", "require_admin": True}
        # Before anything is waited for: entries are set up side by side, and a panel is registered once.
        await panel_custom.async_register_panel(hass, DOMAIN, "nvr-bridge-panel", **look)
        files = StaticPathConfig(URL, str(Path(__file__).parent / "frontend"), cache_headers=True)
        await hass.http.async_register_static_paths([files])


def _is_discreet(record: logging.LogRecord) -> bool:
    return not any(mark in record.getMessage() for mark in _PERSONAL)


@websocket_command({"type": CALL, vol.Required("entry_id"): str, vol.Required("command"): _MAY, "arguments": dict})
@require_admin
@async_response
async def _call(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    """Run a command of an engine's for the administrator who looks at the page; `things` is what is known of it."""
    loaded = {entry.entry_id: entry.runtime_data for entry in hass.config_entries.async_loaded_entries(DOMAIN)}
    bridge, command = loaded.get(msg["entry_id"]), msg["command"]
    by = {} if command in _BY_NOBODY else {"by": connection.user.id}
    try:
        if bridge is None:
            raise CannotConnectError("not connected")
        result: Any = {"connected": bridge.connected, "states": {key: it.state for key, it in bridge.things.items()}}
        if command != "things":
            result = await bridge.call(command, **{**msg.get("arguments", {}), **by})
        connection.send_result(msg["id"], {CALL: result})
    except EngineError as err:
        connection.send_error(msg["id"], err.word, str(err), "refused", DOMAIN, {"reason": str(err)})
