"""The engine's cameras as parts of its entry, and how a user adds one. What opens a camera is the engine's alone."""

import asyncio
import logging
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import voluptuous as vol
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
    ConfigSubentry,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_ADDRESS, CONF_NAME, CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.http import current_request
from homeassistant.helpers.selector import selector
from homeassistant.helpers.translation import async_get_translations

from .const import CONF_CAMERAS, CONF_ZONE, DOMAIN
from .errors import CannotConnectError, EngineError

if TYPE_CHECKING:
    from .bridge import Bridge

_LOGGER = logging.getLogger(__name__)

CAMERA = "camera"
_LOGIN = {vol.Optional(CONF_USERNAME): str, vol.Optional(CONF_PASSWORD): selector({"text": {"type": "password"}})}


class Cameras:
    """Keeps the entry's parts equal to the engine's list. A part that a user deletes is a camera that the engine drops."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, bridge: "Bridge") -> None:
        self._hass, self._entry, self._bridge = hass, entry, bridge
        self._following = False

    def start(self) -> None:
        """Notice what users delete. (A listener to updates would clash with the flows' own reload.)"""
        self._entry.async_on_unload(async_dispatcher_connect(self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._changed))

    @property
    def adding(self) -> bool:
        """Whether a dialog adds a camera at this moment. The part is the dialog's to make, so nobody else does."""
        flows = self._hass.config_entries.subentries.async_progress_by_handler((self._entry.entry_id, CAMERA))
        return any(flow["step_id"] == "add" for flow in flows)

    @callback
    def follow(self) -> None:
        """The bridge's cameras are all there are. Those that are not in the entry's data are new; the others had a part."""
        entry, change, cameras = self._entry, self._hass.config_entries, self._bridge.all(CAMERA)
        self._following, parts = True, {part.unique_id: part for part in entry.subentries.values()}
        for camera in cameras:
            if part := parts.pop(camera.id, None):
                change.async_update_subentry(entry, part, title=camera.name)
            elif camera.id not in entry.data.get(CONF_CAMERAS, ()):
                data, named = MappingProxyType({CAMERA: camera.id}), {"title": camera.name, "unique_id": camera.id}
                change.async_add_subentry(entry, ConfigSubentry(data=data, subentry_type=CAMERA, **named))
        for part in parts.values():
            change.async_remove_subentry(entry, part.subentry_id)
        change.async_update_entry(entry, data={**entry.data, CONF_CAMERAS: [camera.id for camera in cameras]})
        self._following = False
        self._changed(ConfigEntryChange.UPDATED, entry)  # what users deleted while nobody could be told

    @callback
    def _changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry is self._entry and self._bridge.connected and not self._following:
            for camera in self._bridge.all(CAMERA):
                if self._bridge.subentry(camera) is None:
                    entry.async_create_background_task(self._hass, self._drop(camera.id), f"{DOMAIN} drop {camera.id}")

    async def _drop(self, camera_id: str) -> None:
        try:
            await self._bridge.call("camera/remove", camera=camera_id)
        except EngineError as err:
            level = logging.DEBUG if err.word in ("cannot_connect", "not_found") else logging.WARNING
            _LOGGER.log(level, "%s: camera %s was not removed: %s", self._entry.title, camera_id, err)


class CameraFlow(ConfigSubentryFlow):
    """Adds a camera, or gives it another zone or login. The login goes to the engine, and ends here with the dialog."""

    _task: asyncio.Task[None]  # what the engine does now
    _then = ""  # the step that comes after it
    _refusal: EngineError | None = None

    def __init__(self) -> None:
        self._camera: dict[str, Any] = {}  # the arguments of `camera/add`, as far as they are known
        self._told: dict[str, Any] = {}  # the engine's answers, by step

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """What is there?"""
        if self._get_entry().state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_connected")
        return await self._ask("discover", "device")

    async def async_step_device(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Which of it, or what else, and by which login?"""
        if user_input is not None:
            self._camera = {key: value for key, value in user_input.items() if value}
            return await self._ask("look", "channel")
        found = {it["address"]: f"{it['name']} ({it['address']})" for it in self._told.get("discover", ())}
        return self._form("device", {vol.Required(CONF_ADDRESS): choice(found, custom_value=True), **_LOGIN})

    async def async_step_channel(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Which of its inputs?"""
        (device,) = self._told["look"]
        free = {it["channel"]: it["name"] for it in device["channels"] if it[CAMERA] is None}
        if not free:
            return self.async_abort(reason="already_configured")
        if user_input is None and len(free) > 1:
            return self._form("channel", {vol.Required("channel"): choice(free)})
        self._camera["channel"] = user_input["channel"] if user_input else next(iter(free))
        return await self._ask("measure", "zone")

    async def async_step_zone(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """What does it deliver, and what does it watch?"""
        if user_input is not None:
            self._camera |= user_input
            return await self._ask("add", "done")
        (device,) = self._told["measure"]
        (channel,) = device["channels"]
        fields = {vol.Required(CONF_NAME): str, vol.Required(CONF_ZONE): await self._zones()}
        streams = "\n".join(f"- {_delivers(stream)}" for stream in channel["streams"])
        return self._form("zone", fields, {CONF_NAME: channel["name"] or device["name"]}, streams=streams)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Another zone, or another login."""
        part, entry = self._get_reconfigure_subentry(), self._get_entry()
        loaded = entry.state is ConfigEntryState.LOADED
        camera = self._bridge.things.get(f"{CAMERA}_{part.unique_id}") if loaded else None
        if camera is None:
            return self.async_abort(reason="not_connected")
        if user_input is None:
            return self._form("reconfigure", {vol.Required(CONF_ZONE): await self._zones(), **_LOGIN}, camera.state)
        known = {key: camera.state.get(key) for key in (CONF_ADDRESS, "channel", CONF_NAME)}
        self._camera = {key: value for key, value in {**known, **user_input}.items() if value}
        return await self._ask("add", "done")

    async def async_step_done(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """The engine has it."""
        (camera,), parts = self._told["add"], self._get_entry().subentries.values()
        if "measure" not in self._told:
            return self.async_abort(reason="reconfigure_successful")
        if camera["id"] in [part.unique_id for part in parts]:
            return self.async_abort(reason="already_configured")
        return self.async_create_entry(title=camera["name"], data={CAMERA: camera["id"]}, unique_id=camera["id"])

    @property
    def _bridge(self) -> Any:
        return self._get_entry().runtime_data

    async def _zones(self) -> Any:
        """A zone's kind is what decides whether anybody is recognised there, so it is shown beside the name."""
        words = await async_get_translations(self.hass, self.hass.config.language, "selector", [DOMAIN])
        kind = f"component.{DOMAIN}.selector.zone_kind.options.{{kind}}"
        zones = self._bridge.all("zone")
        return choice({it.id: f"{it.name} ({words.get(kind.format_map(it.state), '')})" for it in zones})

    def _form(self, step: str, fields: dict[Any, Any], known: Any = None, **names: str) -> SubentryFlowResult:
        schema = self.add_suggested_values_to_schema(vol.Schema(fields), known or self._camera)
        refused = {"base": "not_connected" if isinstance(self._refusal, CannotConnectError) else "refused"}
        errors, names["reason"] = refused if self._refusal else None, str(self._refusal)
        return self.async_show_form(step_id=step, data_schema=schema, errors=errors, description_placeholders=names)

    async def _ask(self, step: str, then: str) -> SubentryFlowResult:
        """Have the engine do what takes it seconds. If it refuses, back to the first form, with its words."""
        self._step, self._then, self._refusal = step, then, None
        work = self._call("camera/add", **asker()) if step == "add" else self._call("camera/discover")
        # Not begun at once, because a form does not lead to what is done already.
        self._task = self.hass.async_create_task(work, eager_start=False)
        return await self._busy()

    async def _busy(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        if self._task.done():
            return self.async_show_progress_done(next_step_id=self._then)
        return self.async_show_progress(step_id=self._step, progress_action=self._step, progress_task=self._task)

    async_step_discover = async_step_look = async_step_measure = async_step_add = _busy

    async def _call(self, command: str, **by: str) -> None:
        try:
            self._told[self._step] = await self._bridge.call(command, **self._camera, **by)
        except EngineError as err:
            # A login is tried once: whoever wants it tried again enters it again.
            login = (CONF_USERNAME, CONF_PASSWORD)
            self._camera = {key: value for key, value in self._camera.items() if key not in login}
            self._refusal, self._then = err, "reconfigure" if self.source == "reconfigure" else "device"


def asker() -> dict[str, str]:
    """Which user a dialog is shown to, as commands take it."""
    return {"by": request["hass_user"].id} if (request := current_request.get()) else {}


def choice(names: dict[str, str], **more: Any) -> Any:
    """One of these values, each shown by its name."""
    options = [{"value": value, "label": label or value} for value, label in names.items()]
    return selector({"select": {"options": options, **more}})


def _delivers(stream: dict[str, Any]) -> str:
    if "reason" in stream:
        return f"{stream['name']}: {stream['reason']}"
    return f"{stream['name']}: {stream['codec']}, {stream['width']} × {stream['height']}, {stream['fps']:.0f} fps"
