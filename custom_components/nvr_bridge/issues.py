"""What a person has to do, as repair issues that go away when it is done. Most of it the engine says, and when."""

from collections.abc import Iterable
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import CONF_SIGN, CONF_ZONES, DOMAIN, PROBLEMS
from .errors import CannotConnectError, EngineError, IncompatibleError
from .wire import Thing


class Issues:
    """One entry's issues."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        self._hass, self._entry = hass, entry
        self._told: set[str] = set()  # in what the engine said last

    def versions(self, error: EngineError | None) -> None:
        """Whether the two sides speak a common version. Only one error says that they do not, and None that they do."""
        if error is None or isinstance(error, IncompatibleError):
            self._set("versions", error.word if error else None, version=str(error))

    def unreachable(self, error: EngineError | None) -> None:
        """Whether nobody answers, also when asked again: without the hub's reports nobody is recognised anywhere."""
        self._set("unreachable", "unreachable" if isinstance(error, CannotConnectError) else None)

    def look(self, things: Iterable[Thing]) -> None:
        """These have the problems that the engine says of them, and no others any more."""
        bound = self._entry.options.get(CONF_ZONES, {})
        before, self._told = self._told, set()
        for thing in things:
            for problem in thing.state.get("problems", ()):
                key = problem["key"]
                if key == "sign_unknown" and CONF_SIGN in bound.get(thing.id, {}):
                    continue  # only until the report that is on its way arrives
                self._told.add(issue := f"{thing.topic}_{key}")
                names = {**problem["names"], "name": thing.name, "problem": key}
                self._set(issue, key if key in PROBLEMS else "problem", **names)
        for issue in before - self._told:
            self._set(issue, None)

    def clear(self) -> None:
        """The entry is not loaded any more."""
        for domain, issue_id in list(ir.async_get(self._hass).issues):
            if domain == DOMAIN and issue_id.endswith(self._entry.entry_id):
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)

    def _set(self, issue: str, key: str | None, **names: str) -> None:
        issue_id, names["engine"] = f"{issue}_{self._entry.entry_id}", self._entry.title
        if key is None:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
            return
        text: dict[str, Any] = {"translation_key": key, "translation_placeholders": names}
        severity = ir.IssueSeverity.WARNING
        ir.async_create_issue(self._hass, DOMAIN, issue_id, is_fixable=False, severity=severity, **text)
