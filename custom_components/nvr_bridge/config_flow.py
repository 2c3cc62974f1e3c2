"""How a user adds an engine (found or by address, then a pairing code), binds each zone's sign and act, and sets more."""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_CODE, CONF_HOST, CONF_PORT, CONF_SSL, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import selector
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .cameras import CAMERA, CameraFlow, asker, choice
from .client import Client
from .const import CONF_ACT, CONF_FINGERPRINT, CONF_NOTICE_HASH, CONF_SIGN, CONF_ZONE, CONF_ZONES, DEFAULT_PORT, DOMAIN
from .errors import CertificateError, EngineError
from .wire import Thing

CONF_CONFIRMED = "notice_confirmed"
SETTINGS = ("retention", "attribution")  # kinds of the engine's settings, whose keys begin so

_SWITCHES = ["binary_sensor", "input_boolean", "switch"]
_SIGNS = selector({"entity": {"domain": [*_SWITCHES, "light"]}})
_ACTS = selector({"entity": {"domain": [*_SWITCHES, "button", "event", "input_button"]}})
_UNSEEN = "00" * 32  # in place of a fingerprint: no certificate has it, so whichever there is comes to be shown
_ADDRESS: dict[Any, Any] = {vol.Required(CONF_HOST): cv.string, vol.Required(CONF_PORT): cv.port}
_ADDRESS[vol.Required(CONF_SSL, default=False)] = bool
_FORMS = {"user": vol.Schema(_ADDRESS), "pair": vol.Schema({vol.Required(CONF_CODE): cv.string})}


class NvrBridgeConfigFlow(ConfigFlow, domain=DOMAIN):
    """One entry for each engine. Every way ends in a connection to it; what is missing until then is asked for."""

    def __init__(self) -> None:
        self._entry: ConfigEntry | None = None  # which pairs again, or has a new address
        self._data: dict[str, Any] = {CONF_PORT: DEFAULT_PORT}  # as the entry's will be
        self._code, self._engine_id, self._name = "", "", ""  # of the engine that is meant, once it is known

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: ConfigEntry) -> "NvrBridgeOptionsFlow":
        """The options bind signs and acts."""
        return NvrBridgeOptionsFlow()

    @classmethod
    @callback
    def async_get_supported_subentry_types(cls, config_entry: ConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        """Cameras."""
        return {CAMERA: CameraFlow}

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """By address."""
        return await self._go_on("user", user_input)

    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Found on the network."""
        self._engine_id = discovery_info.properties.get("id", "")
        if not self._engine_id or discovery_info.port is None:
            return self.async_abort(reason="not_an_engine")
        self._data = {CONF_HOST: discovery_info.host, CONF_PORT: discovery_info.port}
        if (secure := discovery_info.properties.get("tls_port", "")).isdecimal():
            self._data |= {CONF_PORT: int(secure), CONF_FINGERPRINT: _UNSEEN}
        self._name = discovery_info.properties.get("name") or discovery_info.name.partition(".")[0]
        await self._claim()
        return self._ask("pair")

    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """Run beside the hub as an add-on, which may give a token too."""
        given = discovery_info.config
        self._data = {key: given[key] for key in (CONF_HOST, CONF_PORT, CONF_TOKEN) if key in given}
        try:
            await self._meet()
        except EngineError as err:
            return self.async_abort(reason=err.word)
        await self._claim()
        return self._ask("hassio_confirm")

    async def async_step_hassio_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """The user wants it."""
        return await self._go_on("hassio_confirm", user_input)

    async def async_step_certificate(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """The user compared the fingerprint that was shown."""
        return await self._go_on("certificate", user_input)

    async def async_step_pair(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """The code that `nvr-bridge pair` shows becomes a token."""
        return await self._go_on("pair", user_input)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """The token was revoked, or the certificate is another one: a new code is needed."""
        return self._again(self._get_reauth_entry(), "pair")

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """The engine has a new address, or is to be reached by TLS."""
        return self._again(self._get_reconfigure_entry(), "user")

    def _again(self, entry: ConfigEntry, step: str) -> ConfigFlowResult:
        self._entry, self._data, self._name = entry, dict(entry.data), entry.title
        self._engine_id = entry.unique_id or ""
        return self._ask(step)

    async def _claim(self) -> None:
        """End here if this engine has an entry, which learns the new address."""
        known = await self.async_set_unique_id(self._engine_id, raise_on_progress=self.source != SOURCE_USER)
        new = {key: value for key, value in self._data.items() if key != CONF_FINGERPRINT}
        if known and (CONF_FINGERPRINT in known.data) != (CONF_FINGERPRINT in self._data):
            del new[CONF_PORT]  # whoever announces decides neither that an entry is encrypted nor that it is not
        self._abort_if_unique_id_configured(new)
        self.context["title_placeholders"] = {"name": self._name}

    async def _meet(self) -> None:
        """Connect, and make sure of a token if there is what that takes. Raises `EngineError`."""
        address = (self._data[CONF_HOST], self._data[CONF_PORT], self._engine_id, self._data.get(CONF_FINGERPRINT))
        async with aclosing(await Client.connect(async_get_clientsession(self.hass), *address)) as client:
            self._engine_id, self._name = client.engine_id, client.name
            if self._code:
                name = self.hass.config.location_name
                self._data[CONF_TOKEN] = await client.enter("pair", code=self._code, name=name)

    async def _go_on(self, step: str, answer: dict[str, Any] | None) -> ConfigFlowResult:
        """From a step's form to the next one that is needed, or to the end."""
        if answer is None:
            return self._ask(step)
        if CONF_HOST in answer:
            pin = self._data.pop(CONF_FINGERPRINT, _UNSEEN)
            self._data |= {CONF_HOST: answer[CONF_HOST].strip(), CONF_PORT: answer[CONF_PORT]}
            self._data |= {CONF_FINGERPRINT: pin} if answer[CONF_SSL] else {}
        self._code = answer.get(CONF_CODE, self._code).replace(" ", "")
        try:
            await self._meet()
        except CertificateError as err:
            self._data[CONF_FINGERPRINT] = err.fingerprint  # shown first, and connected to only if the user goes on
            return self._ask("certificate")
        except EngineError as err:
            return self._ask("pair" if self._code else step, {"base": err.word})
        if self._entry:
            return self.async_update_reload_and_abort(self._entry, data=self._data)
        if CONF_TOKEN in self._data:
            return self.async_create_entry(title=self._name, data=self._data)
        if self.unique_id is None:
            await self._claim()
        return self._ask("pair")

    def _ask(self, step: str, errors: dict[str, str] | None = None) -> ConfigFlowResult:
        known = {**self._data, CONF_SSL: CONF_FINGERPRINT in self._data}
        schema = self.add_suggested_values_to_schema(_FORMS.get(step, vol.Schema({})), known)
        shown = bytes.fromhex(self._data.get(CONF_FINGERPRINT, "")).hex(":").upper()
        names = {"name": self._name, "fingerprint": shown}
        return self.async_show_form(step_id=step, data_schema=schema, errors=errors, description_placeholders=names)


class NvrBridgeOptionsFlow(OptionsFlow):
    """What zones wait for, and what the engine lets one set. All of it takes effect without a restart."""

    def __init__(self) -> None:
        self._zone_id = ""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Of what kind?"""
        entry = self.config_entry
        if entry.state is not ConfigEntryState.LOADED or not entry.runtime_data.connected:
            return self.async_abort(reason="not_connected")
        offered = [*(["signs"] if self._zones() else []), *(kind for kind in SETTINGS if self._settings(kind))]
        if not offered:
            return self.async_abort(reason="nothing_to_set")
        return self.async_show_menu(step_id="init", menu_options=offered)

    async def async_step_signs(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Of which zone?"""
        if user_input is not None:
            self._zone_id = user_input[CONF_ZONE]
            return await self.async_step_zone()
        zones = choice({zone.id: zone.name for zone in self._zones().values()})
        return self.async_show_form(step_id="signs", data_schema=vol.Schema({vol.Required(CONF_ZONE): zones}))

    async def async_step_zone(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Its sign, its act, its notice."""
        if (zone := self._zones().get(self._zone_id)) is None:
            return self.async_abort(reason="nothing_to_set")
        errors: dict[str, str] = {}
        bindings = self.config_entry.options.get(CONF_ZONES, {})
        if user_input is None:
            bound = bindings.get(zone.id, {})
            suggested = {**bound, CONF_CONFIRMED: bound.get(CONF_NOTICE_HASH) == zone.state["notice_hash"]}
        elif user_input.get(CONF_SIGN) and not user_input.get(CONF_CONFIRMED):
            suggested, errors = user_input, {CONF_CONFIRMED: "notice_not_confirmed"}
        else:
            bound = {key: user_input[key] for key in (CONF_SIGN, CONF_ACT) if user_input.get(key)}
            if CONF_SIGN in bound:
                bound[CONF_NOTICE_HASH] = zone.state["notice_hash"]
            bindings = {key: binding for key, binding in {**bindings, zone.id: bound}.items() if binding}
            return self.async_create_entry(data={**self.config_entry.options, CONF_ZONES: bindings})
        schema = self.add_suggested_values_to_schema(_schema(zone), suggested)
        names = {"zone": zone.name, "notice_hash": zone.state["notice_hash"]}
        return self.async_show_form(step_id="zone", data_schema=schema, errors=errors, description_placeholders=names)

    async def async_step_retention(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """How long the engine keeps what."""
        return await self._set("retention", user_input)

    async def async_step_attribution(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """What the rules of attribution go by."""
        return await self._set("attribution", user_input)

    async def _set(self, kind: str, wanted: dict[str, Any] | None) -> ConfigFlowResult:
        """Tell the engine what was changed. What it refuses stays in the form, with the engine's words."""
        settings, refusals = self._settings(kind), dict[str, str]()
        changed = {key: value for key, value in (wanted or {}).items() if value != settings[key]["value"]}
        for key, value in changed.items():
            try:
                await self.config_entry.runtime_data.call("settings/set", key=key, value=value, **asker())
            except EngineError as err:
                refusals[key] = str(err)
        if wanted is not None and not refusals:
            return self.async_create_entry(data=self.config_entry.options)
        fields = {vol.Required(key): _field(setting) for key, setting in settings.items()}
        known = {key: setting["value"] for key, setting in settings.items()} | (wanted or {})
        schema = self.add_suggested_values_to_schema(vol.Schema(fields), known)
        errors, words = dict.fromkeys(refusals, "refused"), {"reason": "\n".join(refusals.values())}
        return self.async_show_form(step_id=kind, data_schema=schema, errors=errors, description_placeholders=words)

    def _settings(self, kind: str) -> dict[str, dict[str, Any]]:
        engine: Thing = self.config_entry.runtime_data.things["engine"]
        settings = engine.state.get("settings") or ()
        return {setting["key"]: setting for setting in settings if setting["key"].startswith(f"{kind}_")}

    def _zones(self) -> dict[str, Thing]:
        """Those that wait for something of the hub's."""
        zones: list[Thing] = self.config_entry.runtime_data.all("zone")
        return {zone.id: zone for zone in zones if zone.state.get("needs_sign") or zone.state.get("needs_act")}


def _field(setting: dict[str, Any]) -> Any:
    if "options" in setting:
        return selector({"select": {"options": setting["options"], "translation_key": setting["key"]}})
    # What bridge.yaml says may lie outside of what can be set here, and may stay.
    limits = {"min": min(setting["min"], setting["value"]), "max": max(setting["max"], setting["value"])}
    limits["step"] = setting["step"]
    return selector({"number": {**limits, "mode": "box", "unit_of_measurement": setting.get("unit", "")}})


def _schema(zone: Thing) -> vol.Schema:
    fields: dict[Any, Any] = {vol.Optional(CONF_ACT): _ACTS} if zone.state.get("needs_act") else {}
    if zone.state.get("needs_sign"):
        fields |= {vol.Optional(CONF_SIGN): _SIGNS, vol.Required(CONF_CONFIRMED, default=False): bool}
    return vol.Schema(fields)
