"""What a person has to do, as repair issues that go away when it is done."""

from collections.abc import Iterable
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import CONF_SIGN, CONF_ZONES, DOMAIN
from .errors import CannotConnectError, EngineError, IncompatibleError
from .wire import Thing

_EXPLAINED = {
    "assessment_missing",
    "assessment_expired",
    "sign_silent",
    "sign_off",
    "notice_changed",
    "settings_edited",
}


class Issues:
    """One entry's issues."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        self._hass = hass
        self._entry = entry

    def versions(self, error: EngineError | None) -> None:
        """Whether the two sides speak a common version. Only one error says that they do not, and None that they do."""
        if error is None or isinstance(error, IncompatibleError):
            self._set("versions", error.word if error else None, version=str(error))

    def unreachable(self, error: EngineError | None) -> None:
        """Whether nobody answers, also when asked again: without the hub's reports nobody is recognised anywhere."""
        self._set("unreachable", "unreachable" if isinstance(error, CannotConnectError) else None)

    def zones(self, zones: Iterable[Thing]) -> None:
        """Why these zones do not recognise where they should."""
        for zone in zones:
            self._set(
                f"interlock_{zone.id}", self._explain(zone), zone=zone.name, reasons=", ".join(zone.state["reasons"])
            )

    def clear(self) -> None:
        """The entry is unloaded or removed."""
        for domain, issue_id in list(ir.async_get(self._hass).issues):
            if domain == DOMAIN and issue_id.endswith(self._entry.entry_id):
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)

    def _explain(self, zone: Thing) -> str | None:
        reasons = zone.state.get("reasons", [])
        if zone.state.get("armed") or not reasons:
            return None
        bound = self._entry.options.get(CONF_ZONES, {}).get(zone.id, {}).get(CONF_SIGN)
        match reason := reasons[0]:
            case "observe_only":
                return None  # the zone is meant not to recognise: nothing is out of order
            case "policy":
                return "interlock_policy" if bound else None  # unless somebody meant it to
            case "sign_unknown":
                # With a sign bound, this only lasts until the report that is on its way arrives.
                return None if bound else "interlock_sign_unbound"
        return f"interlock_{reason}" if reason in _EXPLAINED else "interlock_other"

    def _set(self, issue: str, key: str | None, **placeholders: str) -> None:
        issue_id, placeholders["engine"] = f"{issue}_{self._entry.entry_id}", self._entry.title
        if key is None:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
            return
        text: dict[str, Any] = {"translation_key": key, "translation_placeholders": placeholders}
        severity = ir.IssueSeverity.WARNING
        ir.async_create_issue(self._hass, DOMAIN, issue_id, is_fixable=False, severity=severity, **text)
