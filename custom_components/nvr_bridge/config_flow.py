"""How a user adds an engine (found or by address, then a pairing code), and binds each zone's sign and act."""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import voluptuous as vol
from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlow, ConfigFlowResult, OptionsFlow
from homeassistant.const import CONF_CODE, CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import selector
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .client import Client
from .const import CONF_ACT, CONF_NOTICE_HASH, CONF_SIGN, CONF_ZONES, DEFAULT_PORT, DOMAIN
from .errors import EngineError
from .wire import Zone

CONF_ZONE = "zone"
CONF_CONFIRMED = "notice_confirmed"

_SWITCHES = ["binary_sensor", "input_boolean", "switch"]
_SIGNS = selector({"entity": {"domain": [*_SWITCHES, "light"]}})
_ACTS = selector({"entity": {"domain": [*_SWITCHES, "button", "event", "input_button"]}})
_ADDRESS = vol.Schema({vol.Required(CONF_HOST): cv.string, vol.Required(CONF_PORT): cv.port})
_CODE = vol.Schema({vol.Required(CONF_CODE): cv.string})


class NvrBridgeConfigFlow(ConfigFlow, domain=DOMAIN):
    """One entry for each engine. Pairing again and a new address take the same steps."""

    def __init__(self) -> None:
        self._entry: ConfigEntry | None = None  # which pairs again, or has a new address
        self._data: dict[str, Any] = {CONF_PORT: DEFAULT_PORT}  # of the address and, once paired, the token
        self._engine_id = ""  # once it is known which engine is meant
        self._name = ""

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: ConfigEntry) -> "NvrBridgeOptionsFlow":
        """The options bind signs and acts."""
        return NvrBridgeOptionsFlow()

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """By address."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._data = {CONF_HOST: user_input[CONF_HOST].strip(), CONF_PORT: user_input[CONF_PORT]}
            if not (errors := await self._reach()):
                if self._entry:
                    return self.async_update_reload_and_abort(self._entry, data_updates=self._data)
                await self.async_set_unique_id(self._engine_id, raise_on_progress=False)
                self._abort_if_unique_id_configured(self._data)
                return await self.async_step_pair()
        schema = self.add_suggested_values_to_schema(_ADDRESS, self._data)
        return self.async_show_form(step_id="user", data_schema=schema, errors=errors)

    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Found on the network."""
        self._engine_id = discovery_info.properties.get("id", "")
        if not self._engine_id or discovery_info.port is None:
            return self.async_abort(reason="not_an_engine")
        self._data = {CONF_HOST: discovery_info.host, CONF_PORT: discovery_info.port}
        self._name = discovery_info.properties.get("name") or discovery_info.name.partition(".")[0]
        await self.async_set_unique_id(self._engine_id)
        self._abort_if_unique_id_configured(self._data)
        self.context["title_placeholders"] = {"name": self._name}
        return await self.async_step_pair()

    async def async_step_pair(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """The code that `nvr-bridge pair` shows becomes a token."""
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := await self._reach(user_input[CONF_CODE].replace(" ", ""))):
            if self._entry:
                return self.async_update_reload_and_abort(self._entry, data_updates=self._data)
            return self.async_create_entry(title=self._name, data=self._data)
        names = {"name": self._name}
        return self.async_show_form(step_id="pair", data_schema=_CODE, errors=errors, description_placeholders=names)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """The token was revoked: a new code is needed."""
        self._know(self._get_reauth_entry())
        return await self.async_step_pair()

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """The engine has a new address."""
        self._know(self._get_reconfigure_entry())
        return await self.async_step_user()

    def _know(self, entry: ConfigEntry) -> None:
        self._entry, self._data, self._engine_id, self._name = (
            entry,
            dict(entry.data),
            entry.unique_id or "",
            entry.title,
        )

    async def _reach(self, code: str | None = None) -> dict[str, str]:
        """Connect, and pair if there is a code. What the form has to say of it: nothing if all went well."""
        host, port, session = self._data[CONF_HOST], self._data[CONF_PORT], async_get_clientsession(self.hass)
        try:
            async with aclosing(await Client.connect(session, host, port, self._engine_id)) as client:
                self._engine_id, self._name = client.hello.engine_id, client.hello.name
                if code is not None:
                    self._data[CONF_TOKEN] = await client.enter("pair", code=code, name=self.hass.config.location_name)
        except EngineError as err:
            return {"base": err.word}
        return {}


class NvrBridgeOptionsFlow(OptionsFlow):
    """One zone at a time. What changes takes effect without a restart of the connection."""

    def __init__(self) -> None:
        self._zone_id = ""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Which zone?"""
        if user_input is not None:
            self._zone_id = user_input[CONF_ZONE]
            return await self.async_step_zone()
        if (zones := self._zones()) is None:
            return self.async_abort(reason="not_connected")
        if not zones:
            return self.async_abort(reason="nothing_to_bind")
        names = [{"value": zone.id, "label": zone.name} for zone in zones.values()]
        schema = vol.Schema({vol.Required(CONF_ZONE): selector({"select": {"options": names}})})
        return self.async_show_form(step_id="init", data_schema=schema, last_step=False)

    async def async_step_zone(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Its sign, its act, its notice."""
        zone = (self._zones() or {}).get(self._zone_id)
        if zone is None:
            return self.async_abort(reason="not_connected")
        errors: dict[str, str] = {}
        bindings = self.config_entry.options.get(CONF_ZONES, {})
        if user_input is None:
            bound = bindings.get(zone.id, {})
            suggested = {**bound, CONF_CONFIRMED: bound.get(CONF_NOTICE_HASH) == zone.notice_hash}
        elif user_input.get(CONF_SIGN) and not user_input.get(CONF_CONFIRMED):
            suggested, errors = user_input, {CONF_CONFIRMED: "notice_not_confirmed"}
        else:
            bound = {key: user_input[key] for key in (CONF_SIGN, CONF_ACT) if user_input.get(key)}
            if CONF_SIGN in bound:
                bound[CONF_NOTICE_HASH] = zone.notice_hash
            bindings = {key: binding for key, binding in {**bindings, zone.id: bound}.items() if binding}
            return self.async_create_entry(data={**self.config_entry.options, CONF_ZONES: bindings})
        schema = self.add_suggested_values_to_schema(_schema(zone), suggested)
        names = {"zone": zone.name, "notice_hash": zone.notice_hash}
        return self.async_show_form(step_id="zone", data_schema=schema, errors=errors, description_placeholders=names)

    def _zones(self) -> dict[str, Zone] | None:
        """Those that wait for something of the hub's; None while the engine cannot be asked."""
        entry = self.config_entry
        if entry.state is not ConfigEntryState.LOADED or not entry.runtime_data.connected:
            return None
        return {zone.id: zone for zone in entry.runtime_data.all(Zone) if zone.needs_sign or zone.needs_act}


def _schema(zone: Zone) -> vol.Schema:
    fields: dict[Any, Any] = {vol.Optional(CONF_ACT): _ACTS} if zone.needs_act else {}
    if zone.needs_sign:
        fields |= {vol.Optional(CONF_SIGN): _SIGNS, vol.Required(CONF_CONFIRMED, default=False): bool}
    return vol.Schema(fields)
