"""What a person has to do, as repair issues that go away when it is done."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .const import CONF_SIGN, CONF_ZONES, DOMAIN
from .errors import CannotConnectError, EngineError, IncompatibleError
from .wire import Thing

_EXPLAINED = {"assessment_missing", "assessment_expired", "settings_edited"}
_EXPLAINED |= {"sign_silent", "sign_off", "notice_changed"}
_SOON = timedelta(days=30)  # until an assessment expires


class Issues:
    """One entry's issues."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        self._hass, self._entry = hass, entry
        self._found: dict[str, tuple[str, dict[str, str]]] = {}  # in what the engine said last

    def versions(self, error: EngineError | None) -> None:
        """Whether the two sides speak a common version. Only one error says that they do not, and None that they do."""
        if error is None or isinstance(error, IncompatibleError):
            self._set("versions", error.word if error else None, version=str(error))

    def unreachable(self, error: EngineError | None) -> None:
        """Whether nobody answers, also when asked again: without the hub's reports nobody is recognised anywhere."""
        self._set("unreachable", "unreachable" if isinstance(error, CannotConnectError) else None)

    def look(self, things: Iterable[Thing]) -> None:
        """What is out of order with these; nothing else is any more."""
        found = {issue: (key, names) for thing in things for issue, key, names in self._of(thing)}
        for issue in self._found.keys() - found.keys():
            self._set(issue, None)
        for issue, (key, names) in found.items():
            if self._found.get(issue) != (key, names):
                self._set(issue, key, **names)
        self._found = found

    def clear(self) -> None:
        """The entry is unloaded or removed."""
        for domain, issue_id in list(ir.async_get(self._hass).issues):
            if domain == DOMAIN and issue_id.endswith(self._entry.entry_id):
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)

    def _of(self, thing: Thing) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Each issue, the key of its text, and what the text names."""
        get = thing.state.get
        if thing.kind == "zone" and (key := self._explain(thing)):
            yield f"interlock_{thing.id}", key, {"zone": thing.name, "reasons": ", ".join(get("reasons", ()))}
        if thing.kind != "engine":
            return
        if overdue := get("watch.erasures_overdue"):
            yield "erasures_overdue", "erasures_overdue", {"number": str(overdue)}
        if get("watch.clock_doubted"):
            yield "clock_doubted", "clock_doubted", {}
        if (most := get("watch.subjects_warning")) and (subjects := get("subjects", 0)) > most:
            yield "many_subjects", "many_subjects", {"number": str(subjects), "most": str(most)}
        expires = dt_util.parse_datetime(get("watch.assessment_expires_at") or "")
        if expires and timedelta() < expires - dt_util.utcnow() < _SOON:
            yield "assessment_expires", "assessment_expires", {"date": dt_util.as_local(expires).date().isoformat()}

    def _explain(self, zone: Thing) -> str | None:
        """Why a zone does not recognise where it should."""
        reasons = zone.state.get("reasons", [])
        if zone.state.get("armed") or not reasons:
            return None
        bound = self._entry.options.get(CONF_ZONES, {}).get(zone.id, {}).get(CONF_SIGN)
        match reason := "disarmed" if "disarmed" in reasons else reasons[0]:
            case "observe_only" | "disarmed":
                return None  # the zone is meant not to recognise: nothing is out of order
            case "policy":
                return "interlock_policy" if bound else None  # unless somebody meant it to
            case "sign_unknown":
                # With a sign bound, this only lasts until the report that is on its way arrives.
                return None if bound else "interlock_sign_unbound"
        return f"interlock_{reason}" if reason in _EXPLAINED else "interlock_other"

    def _set(self, issue: str, key: str | None, **names: str) -> None:
        issue_id, names["engine"] = f"{issue}_{self._entry.entry_id}", self._entry.title
        if key is None:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
            return
        text: dict[str, Any] = {"translation_key": key, "translation_placeholders": names}
        severity = ir.IssueSeverity.WARNING
        ir.async_create_issue(self._hass, DOMAIN, issue_id, is_fixable=False, severity=severity, **text)
