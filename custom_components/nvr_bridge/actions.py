"""The actions that automations and people may run. Their data is recorded, so a reason is one of a few words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import voluptuous as vol
from homeassistant.core import Context, HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr

from .bridge import Bridge
from .const import DOMAIN
from .errors import asked

_KEPT = "templates sightings visits referrals images events"
_WORD = vol.All(cv.string, vol.Strip, vol.Length(min=1, max=80))
_KINDS: dict[str, Any] = {  # of the fields that are no words
    "agree": cv.boolean,
    "attribution": vol.In(["natural", "channel", "staff", "undetermined"]),
    "date": vol.All(cv.date, date.isoformat),
    "needs_review": cv.boolean,
    "reason": vol.In(["evidence_reviewed", "wrong_person", "partner_agreed", "visitor_stated", "other"]),
    **dict.fromkeys(_KEPT.split(), vol.All(vol.Coerce(float), vol.Range(0, 36500))),
}
_ON_WIRE = {"date": "day", "version": "seen"}  # the engine's words for these fields
_BY = ("case/", "engine/")  # the engine notes which of the hub's users gave these
# What an answer may have of what the engine says. Nothing gets into it only because a newer engine says more.
_TOLD = frozenset(
    f"case state version alias zone started_at ended_at earlier returning attribution partner rule risks needs_review "
    f"evidence_erased withdrawn day hour natural channel staff undetermined unregistered reviewed profile classes class "
    f"days source default least most removed due visitors {_KEPT}".split()
)


@dataclass(frozen=True)
class Action:
    """A command of the engine's, as an action for administrators and automations."""

    command: str
    needs: str = ""  # fields
    takes: str = ""  # fields that may be left out
    also: Mapping[str, Any] = field(default_factory=dict)  # what the command is given besides
    lists: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by what each is given besides: answers
    responds: SupportsResponse = SupportsResponse.OPTIONAL

    @property
    def fields(self) -> dict[vol.Marker, Any]:
        """For a schema."""
        takes = {vol.Optional(key): _KINDS.get(key, _WORD) for key in f"{self.takes} config_entry_id".split()}
        return takes | {vol.Required(key): _KINDS.get(key, _WORD) for key in self.needs.split()}


_COUNTS = {f"{by}s": {"by": by} for by in ("day", "partner", "zone", "hour")}
ACTIONS = {
    "check_in": Action("pass/scan", "zone code"),
    "withdraw_consent": Action("consent/withdraw", "alias"),
    "list_cases": Action("case/list", "", "date needs_review", lists={"cases": {}}, responds=SupportsResponse.ONLY),
    "confirm_case": Action("case/confirm", "case version"),
    "change_case": Action("case/change", "case attribution reason", "partner version"),
    "send_back_case": Action("case/send_back", "case reason"),
    "second_case": Action("case/second", "case agree", "version"),
    "daily_report": Action("report/visits", "", "date", lists=_COUNTS, responds=SupportsResponse.ONLY),
    "set_retention": Action("retention/set", "", _KEPT),
    "purge": Action("retention/purge"),
    "disarm": Action("engine/disarm", "", "zone", {"on": False}, responds=SupportsResponse.NONE),
    "rearm": Action("engine/disarm", "", "zone", {"on": True}, responds=SupportsResponse.NONE),
}


def register(hass: HomeAssistant) -> None:
    """Make the actions known."""
    for name, action in ACTIONS.items():
        run, schema = partial(_run, hass, action), vol.Schema(action.fields)
        hass.services.async_register(DOMAIN, name, run, schema=schema, supports_response=action.responds)


async def _run(hass: HomeAssistant, action: Action, call: ServiceCall) -> ServiceResponse:
    by, bridge = await who(hass, call.context), _engine(hass, call.data.get("config_entry_id"))
    given = {_ON_WIRE.get(key, key): value for key, value in call.data.items() if key != "config_entry_id"}
    if "zone" in given:
        given["zone"] = _zone_id(hass, bridge, given["zone"])
    given |= action.also
    given |= by if action.command.startswith(_BY) else {}
    with asked():
        if not action.lists:
            result = await bridge.call(action.command, **given)
            return _told(result) if call.return_response else None
        return {name: _told(await bridge.call(action.command, **given, **more)) for name, more in action.lists.items()}


async def who(hass: HomeAssistant, context: Context) -> dict[str, str]:
    """Which administrator acts, by the hub's own id. Automations act for nobody, and may."""
    if context.user_id is None:
        return {}
    user = await hass.auth.async_get_user(context.user_id)
    if user is None or not user.is_admin:
        raise Unauthorized(context=context)
    return {"by": user.id}


def _engine(hass: HomeAssistant, entry_id: str | None) -> Bridge:
    """The engine that is meant. Two engines may know the same alias, so with two of them it must be said."""
    loaded = hass.config_entries.async_loaded_entries(DOMAIN)
    meant: list[Bridge] = [entry.runtime_data for entry in loaded if entry_id in (None, entry.entry_id)]
    if len(meant) != 1:
        key = "which_engine" if meant else "not_connected"
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key=key)
    return meant[0]


def _zone_id(hass: HomeAssistant, bridge: Bridge, zone: str) -> str:
    """A zone by its device, as people choose it, or by its id, as cases name it."""
    device, prefix = dr.async_get(hass).async_get(zone), bridge.identifier("zone_")
    return next((name.removeprefix(prefix) for _, name in device.identifiers), zone) if device else zone


def _told(said: Any) -> Any:
    if isinstance(said, list):
        return [_told(row) for row in said]
    return {key: _told(value) for key, value in said.items() if key in _TOLD} if isinstance(said, dict) else said
