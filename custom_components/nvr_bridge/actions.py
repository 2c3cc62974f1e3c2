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
_KINDS: dict[str, Any] = {  # of the fields that are no words
    "agree": cv.boolean,
    "attribution": vol.In(["natural", "channel", "staff", "undetermined"]),
    "date": vol.All(cv.date, date.isoformat),
    "needs_review": cv.boolean,
    "reason": vol.In(["evidence_reviewed", "wrong_person", "partner_agreed", "visitor_stated", "other"]),
    **dict.fromkeys(_KEPT.split(), vol.All(vol.Coerce(float), vol.Range(0, 36500))),
}
_WORD = vol.All(cv.string, vol.Strip, vol.Length(min=1, max=80))
_ON_WIRE = {"date": "day", "version": "seen"}  # the engine's words for these fields
# What an answer may have of what the engine says. Nothing gets into it only because a newer engine says more.
_TOLD = frozenset(
    f"case state version alias zone started_at ended_at earlier returning attribution partner rule risks needs_review "
    f"evidence_erased withdrawn day hour natural channel staff undetermined unregistered reviewed profile classes class "
    f"days source default least most removed due visitors recognition {_KEPT}".split()
)


@dataclass(frozen=True)
class Action:
    """A command of the engine's, as an action for administrators and automations."""

    command: str
    needs: str = ""  # fields
    takes: str = ""  # fields that may be left out
    also: Mapping[str, Any] = field(default_factory=dict)  # what the command is given besides
    lists: Mapping[str, dict[str, Any]] = field(default_factory=dict)  # the answer's, by what each is asked with

    @property
    def fields(self) -> dict[vol.Marker, Any]:
        """For a schema."""
        takes = {vol.Optional(key): _KINDS.get(key, _WORD) for key in f"{self.takes} config_entry_id".split()}
        return takes | {vol.Required(key): _KINDS.get(key, _WORD) for key in self.needs.split()}


_COUNTS = {f"{by}s": {"by": by} for by in ("day", "partner", "zone", "hour")}
ACTIONS = {
    "check_in": Action("pass/scan", "zone code"),
    "withdraw_consent": Action("consent/withdraw", "alias"),
    "list_cases": Action("case/list", "", "date needs_review", lists={"cases": {}}),
    "confirm_case": Action("case/confirm", "case version"),
    "change_case": Action("case/change", "case attribution reason", "partner version"),
    "send_back_case": Action("case/send_back", "case reason"),
    "second_case": Action("case/second", "case agree", "version"),
    "daily_report": Action("report/visits", "", "date", lists=_COUNTS),
    "set_retention": Action("retention/set", "", _KEPT),
    "purge": Action("retention/purge"),
    "disarm": Action("engine/recognition", "", "zone", {"on": False}),
    "rearm": Action("engine/recognition", "", "zone", {"on": True}),
}


def register(hass: HomeAssistant) -> None:
    """Make the actions known."""
    for name, action in ACTIONS.items():
        run, schema = partial(_run, hass, action), vol.Schema(action.fields)
        responds = SupportsResponse.ONLY if action.lists else SupportsResponse.OPTIONAL
        hass.services.async_register(DOMAIN, name, run, schema=schema, supports_response=responds)


async def _run(hass: HomeAssistant, action: Action, call: ServiceCall) -> ServiceResponse:
    by, bridge = await who(hass, call.context), _engine(hass, call.data.get("config_entry_id"))
    given = {_ON_WIRE.get(key, key): value for key, value in call.data.items() if key != "config_entry_id"}
    given = {**given, **by, **action.also}
    if "zone" in given:  # its device, as people choose it, or its id, as cases name it
        device, prefix = dr.async_get(hass).async_get(given["zone"]), bridge.identifier("zone_")
        names = [identifier[1] for identifier in device.identifiers if identifier[0] == DOMAIN] if device else []
        given["zone"] = names[0].removeprefix(prefix) if names else given["zone"]
    with asked():
        if action.lists:
            # A report's `by` is what it counts by, and names nobody.
            return {
                key: _told(await bridge.call(action.command, **(given | more))) for key, more in action.lists.items()
            }
        result = await bridge.call(action.command, **given)
    return _told(result) if call.return_response else None


async def who(hass: HomeAssistant, context: Context | None) -> dict[str, str]:
    """Which administrator acts, by the hub's own id. Automations act for nobody, and may."""
    if context is None or context.user_id is None:
        return {}
    if (user := await hass.auth.async_get_user(context.user_id)) and user.is_admin:
        return {"by": user.id}
    raise Unauthorized(context=context)


def _engine(hass: HomeAssistant, entry_id: str | None) -> Bridge:
    """The engine that is meant. Two engines may know the same alias, so with two of them it must be said."""
    loaded = hass.config_entries.async_loaded_entries(DOMAIN)
    meant: list[Bridge] = [entry.runtime_data for entry in loaded if entry_id in (None, entry.entry_id)]
    if len(meant) == 1:
        return meant[0]
    raise ServiceValidationError(
        translation_domain=DOMAIN, translation_key="which_engine" if meant else "not_connected"
    )


def _told(said: Any) -> Any:
    if isinstance(said, list):
        return [_told(row) for row in said]
    return {key: _told(value) for key, value in said.items() if key in _TOLD} if isinstance(said, dict) else said
