"""The actions that automations and people may run."""

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import config_validation as cv

from .bridge import NvrBridgeConfigEntry
from .const import DOMAIN
from .errors import CannotConnectError, CommandError

_ALIAS = vol.All(cv.string, vol.Strip, vol.Length(min=1, max=80))
_WITHDRAW = vol.Schema({vol.Required("alias"): _ALIAS, vol.Optional("config_entry_id"): cv.string})


def register(hass: HomeAssistant) -> None:
    """Make the actions known."""

    async def withdraw(call: ServiceCall) -> ServiceResponse:
        await _require_admin(hass, call)
        entry = _engine(hass, call.data.get("config_entry_id"))
        try:
            await entry.runtime_data.call("consent/withdraw", alias=call.data["alias"])
        except CannotConnectError as err:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="not_connected") from err
        except CommandError as err:
            if err.word == "not_found":
                raise ServiceValidationError(translation_domain=DOMAIN, translation_key="alias_not_found") from err
            raise HomeAssistantError(f"The engine refused: {err}") from err
        return {"withdrawn": True} if call.return_response else None

    optional = SupportsResponse.OPTIONAL
    hass.services.async_register(DOMAIN, "withdraw_consent", withdraw, schema=_WITHDRAW, supports_response=optional)


async def _require_admin(hass: HomeAssistant, call: ServiceCall) -> None:
    """Automations act for nobody, and may. The hub's own helper returns no response on 2025.4."""
    if call.context.user_id is not None:
        user = await hass.auth.async_get_user(call.context.user_id)
        if user is None or not user.is_admin:
            raise Unauthorized(context=call.context)


def _engine(hass: HomeAssistant, entry_id: str | None) -> NvrBridgeConfigEntry:
    """The engine that is meant. Two engines may know the same alias, so with two of them it must be said."""
    entries: list[NvrBridgeConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    if entry_id is None and len(entries) > 1:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="which_engine")
    for entry in entries:
        if entry_id in (None, entry.entry_id):
            return entry
    raise ServiceValidationError(translation_domain=DOMAIN, translation_key="not_connected")
