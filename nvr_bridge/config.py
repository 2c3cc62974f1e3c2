"""What a person may write: `bridge.yaml`, and the arguments of every command.

Each is checked by a voluptuous schema; a mistake becomes one `InvalidError` line that names the field and the remedy.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import voluptuous as vol
import yaml

from .errors import InvalidError
from .models import Zone, ZoneKind
from .notices import DEFAULT_NOTICES
from .protocol import DEFAULT_PORT, SIGN_TTL, Command, Role

PROFILES = ("demo", "cn", "eu", "us_il", "no_biometrics")
MODELS_DIR = "~/.cache/nvr-bridge/models"
PHOTO_LIMIT = 8_000_000  # characters of base64, about 6 MB of JPEG


@dataclass(frozen=True, slots=True)
class Config:
    """A site's settings, checked. Durations are seconds, sizes pixels."""

    name: str
    data_dir: Path
    host: str
    port: int
    interfaces: tuple[str, ...]  # IPv4 addresses or interface names that discovery may use; none: no discovery
    announce: bool
    profile: str
    timezone: ZoneInfo
    visit_gap: float
    sign_ttl: float
    min_face: float
    pack: str
    models_dir: Path
    analysis_fps: float
    zones: dict[str, Zone]
    notices: dict[str, str]  # language → the text that the sign shows

    @property
    def notice_hash(self) -> str:
        """sha256 of the notice in all its languages, hexadecimal: another text is another notice."""
        canonical = json.dumps(self.notices, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def load_config(path: Path) -> Config:
    """Read and check `bridge.yaml`. Raises `InvalidError` with one line per call, nothing half-read."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidError(f"{path}: no such file; name the site's bridge.yaml with --config") from None
    except (OSError, UnicodeDecodeError) as err:
        raise InvalidError(f"{path}: cannot be read: {err}") from err
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as err:
        raise InvalidError(f"{path}: not valid YAML: {' '.join(str(err).split())}") from err
    try:
        return _build(_SITE(raw if raw is not None else {}), path.resolve().parent)
    except vol.Invalid as err:
        raise InvalidError(f"{path}: {_explain(err, _SITE)}") from err


def validate(command: Command, arguments: dict[str, Any]) -> dict[str, Any]:
    """Check a command's arguments (its message without `id` and `type`) and fill in defaults."""
    schema = COMMAND_SCHEMAS[command]
    try:
        checked: dict[str, Any] = schema(arguments)
    except vol.Invalid as err:
        raise InvalidError(f"{command}: {_explain(err, schema)}") from err
    return checked


# --- the values that fields take ----------------------------------------------------------------------------------

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration(value: Any) -> float:
    """`30s`, `30m`, `72h`, `3d` → seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", str(value).strip())
    if not match:
        raise vol.Invalid(f"{value!r} is not a duration; write a number and s, m, h or d, such as 30m")
    return float(match[1]) * _UNITS[match[2]]


def moment(value: Any) -> float:
    """ISO 8601 with an offset → seconds since the epoch."""
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        raise vol.Invalid(f"{value!r} is not a time; write ISO 8601, such as 2026-03-02T09:00:00+08:00") from None
    if parsed.tzinfo is None:
        raise vol.Invalid(f"{value!r} has no offset from UTC; end it with one, such as +08:00 or Z")
    return parsed.timestamp()


def _text(limit: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise vol.Invalid("must be a text that is not empty")
        if len(value) > limit:
            raise vol.Invalid(f"is {len(value)} characters long; at most {limit} are allowed")
        return value.strip()

    return check


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", value):
        raise vol.Invalid(f"{value!r} is not an identifier; use small letters, digits, - and _")
    return value


def _number(low: float, high: float) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise vol.Invalid(f"{value!r} is not a number from {low:g} to {high:g}")
        return float(value)

    return check


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise vol.Invalid(f"{value!r} is not a whole number from {low} to {high}")
        return value

    return check


def _between(low: str, high: str) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        seconds = duration(value)
        if not duration(low) <= seconds <= duration(high):
            raise vol.Invalid(f"{value!r} is out of range; it may be from {low} to {high}")
        return seconds

    return check


def _timezone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError):
        raise vol.Invalid(f"{value!r} is not a time zone; write an IANA name, such as Asia/Shanghai") from None


def _interface(value: Any) -> str:
    text = str(value)
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        if re.fullmatch(r"[A-Za-z0-9_.:-]{1,15}", text):
            return text
        raise vol.Invalid(f"{value!r} is neither an IPv4 address nor an interface name") from None


def _one_of(*choices: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in choices:
            raise vol.Invalid(f"{value!r} is not known; choose one of {', '.join(choices)}")
        return str(value)

    return check


def _not_empty(value: dict[Any, Any]) -> dict[Any, Any]:
    if not value:
        raise vol.Invalid("must name at least one")
    return value


# --- bridge.yaml --------------------------------------------------------------------------------------------------

_SITE = vol.Schema(
    {
        vol.Required("name"): _text(80),
        vol.Optional("data_dir", default="data"): _text(4096),
        vol.Optional("listen", default=dict): {
            vol.Optional("host", default="127.0.0.1"): _text(253),
            vol.Optional("port", default=DEFAULT_PORT): _whole(1, 65535),
        },
        vol.Optional("discovery", default=dict): {vol.Optional("interfaces", default=list): [_interface]},
        vol.Optional("announce", default=False): bool,
        vol.Optional("profile", default="no_biometrics"): _one_of(*PROFILES),
        vol.Optional("timezone", default="UTC"): _timezone,
        vol.Optional("visit_gap", default="30m"): _between("1s", "1d"),
        vol.Optional("sign_ttl", default=f"{SIGN_TTL:g}s"): _between("1s", "60s"),
        vol.Optional("min_face", default=40): _number(30, 400),
        vol.Optional("analysis_fps", default=5): _number(1, 30),
        vol.Optional("models", default=dict): {
            vol.Optional("pack", default="default"): _identifier,
            vol.Optional("dir", default=MODELS_DIR): _text(4096),
        },
        vol.Required("zones"): vol.All(
            {
                _identifier: {
                    vol.Required("name"): _text(80),
                    vol.Required("kind"): _one_of(*ZoneKind),
                }
            },
            _not_empty,
        ),
        vol.Optional("notices", default=DEFAULT_NOTICES): vol.All({_text(35): _text(20_000)}, _not_empty),
    }
)


def _build(site: dict[str, Any], folder: Path) -> Config:
    zones = {key: Zone(key, zone["name"], ZoneKind(zone["kind"])) for key, zone in site["zones"].items()}
    return Config(
        name=site["name"],
        data_dir=folder / Path(site["data_dir"]).expanduser(),
        host=site["listen"]["host"],
        port=site["listen"]["port"],
        interfaces=tuple(site["discovery"]["interfaces"]),
        announce=site["announce"],
        profile=site["profile"],
        timezone=site["timezone"],
        visit_gap=site["visit_gap"],
        sign_ttl=site["sign_ttl"],
        min_face=site["min_face"],
        pack=site["models"]["pack"],
        models_dir=folder / Path(site["models"]["dir"]).expanduser(),
        analysis_fps=site["analysis_fps"],
        zones=zones,
        notices=site["notices"],
    )


# --- commands -----------------------------------------------------------------------------------------------------


def _grant(value: dict[str, Any]) -> dict[str, Any]:
    if ("expires_at" in value) == ("expires_in_days" in value):
        raise vol.Invalid("give exactly one of expires_at and expires_in_days")
    return value


_HASH = vol.All(str, vol.Match(r"^[0-9a-f]{64}$", msg="must be a sha256 in hexadecimal, as the zone's state shows it"))
_PHOTO = vol.All(str, vol.Length(min=1, max=PHOTO_LIMIT, msg=f"must be base64 of at most {PHOTO_LIMIT} characters"))

COMMAND_SCHEMAS: dict[Command, vol.Schema] = {
    Command.STATUS: vol.Schema({}),
    Command.SUBSCRIBE: vol.Schema({vol.Optional("since"): vol.Any(None, _whole(0, 2**53))}),
    Command.SIGN: vol.Schema(
        {vol.Required("zone"): _identifier, vol.Required("on"): bool, vol.Required("notice_hash"): _HASH}
    ),
    Command.ACT: vol.Schema({vol.Required("zone"): _identifier}),
    Command.CONSENT_GRANT: vol.Schema(
        vol.All(
            {
                vol.Required("zone"): _identifier,
                vol.Required("notice_hash"): _HASH,
                vol.Required("purpose"): _text(200),
                vol.Required("language"): _text(35),
                vol.Optional("expires_in_days"): _number(0.0001, 3650),
                vol.Optional("expires_at"): moment,
                vol.Optional("guardian", default=False): bool,
                vol.Optional("photo"): _PHOTO,
            },
            _grant,
        )
    ),
    Command.CONSENT_WITHDRAW: vol.Schema({vol.Required("alias"): _text(80)}),
    Command.CONSENT_LIST: vol.Schema({}),
    Command.VISIT_LIST: vol.Schema(
        {
            vol.Optional("since"): moment,
            vol.Optional("until"): moment,
            vol.Optional("zone"): _identifier,
            vol.Optional("limit", default=1000): _whole(1, 10_000),
        }
    ),
    Command.SIGHTING_LIST: vol.Schema(
        {
            vol.Optional("since"): moment,
            vol.Optional("zone"): _identifier,
            vol.Optional("limit", default=1000): _whole(1, 10_000),
        }
    ),
    Command.CAMERA_LIST: vol.Schema({}),
    Command.CAMERA_DISCOVER: vol.Schema({vol.Optional("address"): _text(253), vol.Optional("interface"): _interface}),
    Command.CAMERA_ADD: vol.Schema(
        {
            vol.Required("address"): _text(253),
            vol.Required("zone"): _identifier,
            vol.Optional("channel"): _text(128),
            vol.Optional("name"): _text(80),
            vol.Inclusive("username", "login", msg="give username and password together"): _text(64),
            vol.Inclusive("password", "login", msg="give username and password together"): str,
        }
    ),
    Command.CAMERA_REMOVE: vol.Schema({vol.Required("camera"): _text(64)}),
    Command.PAIR_CREATE: vol.Schema(
        {
            vol.Optional("role", default=Role.HUB.value): _one_of(Role.HUB, Role.REVIEWER, Role.KIOSK, Role.VIEWER),
            vol.Optional("name"): _text(80),
        }
    ),
    Command.TOKEN_LIST: vol.Schema({}),
    Command.TOKEN_REVOKE: vol.Schema({vol.Required("token_id"): _text(64)}),
    Command.ASSESSMENT_ACKNOWLEDGE: vol.Schema(
        {vol.Required("by"): _text(80), vol.Required("ground"): _text(500), vol.Optional("expires_at"): moment}
    ),
}


def _explain(err: vol.Invalid, schema: vol.Schema) -> str:
    """One line: where, what, and what is allowed there."""
    first = err.errors[0] if isinstance(err, vol.MultipleInvalid) else err
    where = ".".join(str(part) for part in first.path) or "the whole"
    message = first.error_message
    if message == "extra keys not allowed":
        known = _keys_at(schema.schema, list(first.path[:-1]))
        return f"{where}: unknown key; known here: {', '.join(known)}" if known else f"{where}: unknown key; remove it"
    if message == "required key not provided":
        return f"{where}: is missing; add it"
    return f"{where}: {message}"


def _keys_at(schema: Any, path: list[Any]) -> list[str]:
    """The keys that a mapping schema knows at `path`."""
    if isinstance(schema, vol.All):
        schema = schema.validators[0]
    if not isinstance(schema, dict):
        return []
    if not path:
        return sorted(str(key) for key in schema if isinstance(key, str | vol.Marker))
    for key, inner in schema.items():
        if callable(key) and not isinstance(key, vol.Marker):
            return _keys_at(inner, path[1:])
        if str(key) == str(path[0]):
            return _keys_at(inner, path[1:])
    return []
