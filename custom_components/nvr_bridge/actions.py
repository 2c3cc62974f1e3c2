"""The actions that automations and people may run. Their data is recorded, so a reason is one of a few words."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import config_validation as cv

from .bridge import NvrBridgeConfigEntry
from .const import DOMAIN
from .errors import asked

_OF_CASES = ["case", "state", "version", "alias", "zone", "started_at", "ended_at", "earlier"]
_OF_CASES += ["attribution", "partner", "rule", "risks", "needs_review", "evidence_erased"]
_REASONS = ["evidence_reviewed", "wrong_person", "partner_agreed", "visitor_stated", "other"]
_ON_WIRE = {"date": "day", "version": "seen"}  # the engine's words for these fields
_WORD = vol.All(cv.string, vol.Strip, vol.Length(min=1, max=80))


def _case(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row.get(key) for key in _OF_CASES}


@dataclass(frozen=True, kw_only=True)
class Action:
    """A command of the engine's, as an action for administrators and automations."""

    command: str
    fields: dict[vol.Marker, Any]
    answer: Callable[[Any], dict[str, Any]]
    responds: SupportsResponse = SupportsResponse.OPTIONAL
    refusals: dict[str, str] = field(default_factory=dict)  # the engine's code → the text that tells it best


ACTIONS = {
    "withdraw_consent": Action(
        command="consent/withdraw",
        fields={vol.Required("alias"): _WORD},
        answer=lambda result: {"withdrawn": True},
        refusals={"not_found": "alias_not_found"},
    ),
    "list_cases": Action(
        command="case/list",
        fields={vol.Optional("date"): vol.All(cv.date, date.isoformat), vol.Optional("needs_review"): cv.boolean},
        answer=lambda rows: {"cases": [_case(row) for row in rows]},
        responds=SupportsResponse.ONLY,
    ),
    "confirm_case": Action(
        command="case/confirm",
        fields={vol.Required("case"): _WORD, vol.Required("version"): _WORD},
        answer=_case,
        refusals={"not_found": "case_not_found"},
    ),
    "change_case": Action(
        command="case/change",
        fields={
            vol.Required("case"): _WORD,
            vol.Required("attribution"): vol.In(["natural", "channel", "staff", "undetermined"]),
            vol.Optional("partner"): _WORD,
            vol.Required("reason"): vol.In(_REASONS),
            vol.Optional("version"): _WORD,
        },
        answer=_case,
    ),
}


def register(hass: HomeAssistant) -> None:
    """Make the actions known."""
    for name, action in ACTIONS.items():
        schema = vol.Schema({**action.fields, vol.Optional("config_entry_id"): cv.string})
        run, responds = partial(_run, hass, action), action.responds
        hass.services.async_register(DOMAIN, name, run, schema=schema, supports_response=responds)


async def _run(hass: HomeAssistant, action: Action, call: ServiceCall) -> ServiceResponse:
    await _require_admin(hass, call)
    entry = _engine(hass, call.data.get("config_entry_id"))
    arguments = {_ON_WIRE.get(key, key): value for key, value in call.data.items() if key != "config_entry_id"}
    if "case" in arguments and call.context.user_id:
        arguments["by"] = call.context.user_id  # who reviews it: the engine tells users apart by the hub's own id
    with asked(**action.refusals):
        result = await entry.runtime_data.call(action.command, **arguments)
    return action.answer(result) if call.return_response else None


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
