"""A site's settings, `bridge.yaml`: a mistake becomes one `InvalidError` line that names the field and the remedy."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import voluptuous as vol
import yaml

from .errors import InvalidError
from .models import RetentionClass, Zone, ZoneKind
from .notices import DEFAULT_NOTICES, DEFAULT_PURPOSES
from .protocol import DEFAULT_PORT, DEFAULT_TLS_PORT, SIGN_TTL
from .values import (
    RETENTION_DAYS,
    between,
    clock,
    explain,
    identifier,
    interface,
    not_empty,
    number,
    one_of,
    text,
    timezone,
    web_address,
    whole,
)
from .visits.evidence import Settings

PROFILES = ("demo", "cn", "eu", "us_il", "no_biometrics")
# What a site may make stricter than its profile has it; the profile says how far.
POLICY_LIMITS = ("guardian_under", "consent_days", "subjects_warning", "assessment_days", "assessment_kept_days")
WINNERS = ("first_declared", "undetermined")  # among valid referrals of several partners
MODELS_DIR = "~/.cache/nvr-bridge/models"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A certificate and its private key, PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Terms:
    """What the tablet's page says that a visitor agrees to, beside the notice."""

    who: str  # whoever answers for the data
    why: dict[str, str]  # by language
    days: float  # for how long, within the profile's limit

    def purpose(self, language: str) -> str:
        """Why, in this language or else in the first that there is."""
        return self.why.get(language) or next(iter(self.why.values()))


@dataclass(frozen=True, slots=True)
class Config:
    """A site's settings, checked. Durations are seconds, sizes pixels."""

    name: str
    data_dir: Path
    host: str
    port: int
    tls_port: int | None  # where HTTPS is spoken beside it, if it is
    tls: TlsFiles | None  # None: with a certificate of our own
    interfaces: tuple[str, ...]  # IPv4 addresses or interface names that discovery may use; none: no discovery
    announce: bool
    public_url: str | None  # under which people outside reach this engine's pages
    profile: str
    timezone: ZoneInfo
    visit_gap: float
    sign_ttl: float
    approach_gap: float  # for so long nobody was in view, before somebody counts as approaching
    min_face: float
    pack: str
    models_dir: Path
    liveness: bool  # whether the pack's unproven advice is shown to who agrees
    analysis_fps: float
    zones: dict[str, Zone]
    notices: dict[str, str]  # language → the text that the sign shows
    consent: Terms
    rules: Settings  # of attribution
    policy: dict[str, float]  # limits of the profile that the site makes stricter
    key_backup: Path | None  # a file that the engine keeps as the newest state of its keys
    retention: dict[RetentionClass, float]  # days, where the site does not take the profile's
    second_person: bool  # whether a review that moves money needs another one

    @property
    def notice_hash(self) -> str:
        """sha256 of the notice in all its languages, hexadecimal: another text is another notice."""
        canonical = json.dumps(self.notices, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def load_config(path: Path) -> Config:
    """Read and check `bridge.yaml`. Raises `InvalidError` with one line per call, nothing half-read."""
    try:
        written = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidError(f"{path}: no such file; name the site's bridge.yaml with --config") from None
    except (OSError, UnicodeDecodeError) as err:
        raise InvalidError(f"{path}: cannot be read: {err}") from err
    try:
        raw = yaml.safe_load(written)
    except yaml.YAMLError as err:
        raise InvalidError(f"{path}: not valid YAML: {' '.join(str(err).split())}") from err
    try:
        return _build(_SITE(raw if raw is not None else {}), path.resolve().parent)
    except vol.Invalid as err:
        raise InvalidError(f"{path}: {explain(err, _SITE)}") from err


# --- bridge.yaml --------------------------------------------------------------------------------------------------

_RULES = {
    vol.Optional("lead_time", default="30m"): between("0s", "30d"),
    vol.Optional("validity", default="3d"): between("1m", "365d"),
    vol.Optional("protection", default="30d"): between("0s", "3650d"),
    vol.Optional("natural_protection", default="72h"): between("0s", "3650d"),
    vol.Optional("winner", default=WINNERS[0]): one_of(*WINNERS),
    vol.Optional("close_of_day", default="20:00"): clock,
    vol.Optional("match", default=dict): {
        vol.Optional("score", default=0.45): number(-1, 1),
        vol.Optional("margin", default=0.05): number(0, 2),
    },
    vol.Optional("clock_error", default="2s"): between("0s", "1h"),
    vol.Optional("second_person", default=False): bool,
}
_SITE = vol.Schema(
    {
        vol.Required("name"): text(80),
        vol.Optional("data_dir", default="data"): text(4096),
        vol.Optional("listen", default=dict): {
            vol.Optional("host", default="127.0.0.1"): text(253),
            vol.Optional("port", default=DEFAULT_PORT): whole(1, 65535),
            vol.Optional("tls"): {
                vol.Optional("port", default=DEFAULT_TLS_PORT): whole(1, 65535),
                vol.Inclusive("certificate", "files", msg="give certificate and key together"): text(4096),
                vol.Inclusive("key", "files", msg="give certificate and key together"): text(4096),
            },
        },
        vol.Optional("discovery", default=dict): {vol.Optional("interfaces", default=list): [interface]},
        vol.Optional("announce", default=False): bool,
        vol.Optional("public_url"): web_address,
        vol.Optional("profile", default="no_biometrics"): one_of(*PROFILES),
        vol.Optional("policy", default=dict): {vol.Optional(name): number(0, 1e9) for name in POLICY_LIMITS},
        vol.Optional("retention", default=dict): {
            vol.Optional(kind.value): number(0, RETENTION_DAYS) for kind in RetentionClass
        },
        vol.Optional("key_backup"): text(4096),
        vol.Optional("timezone", default="UTC"): timezone,
        vol.Optional("visit_gap", default="30m"): between("1s", "1d"),
        vol.Optional("sign_ttl", default=f"{SIGN_TTL:g}s"): between("1s", "60s"),
        vol.Optional("approach_gap", default="30s"): between("1s", "1h"),
        vol.Optional("min_face", default=40): number(30, 400),
        vol.Optional("analysis_fps", default=5): number(1, 30),
        vol.Optional("models", default=dict): {
            vol.Optional("pack", default="default"): identifier,
            vol.Optional("dir", default=MODELS_DIR): text(4096),
            vol.Optional("liveness", default=False): bool,
        },
        vol.Required("zones"): vol.All(
            {
                identifier: {
                    vol.Required("name"): text(80),
                    vol.Required("kind"): one_of(*ZoneKind),
                }
            },
            not_empty,
        ),
        vol.Optional("attribution", default=dict): _RULES,
        vol.Optional("consent", default=dict): {
            vol.Optional("who"): text(200),
            vol.Optional("why", default=DEFAULT_PURPOSES): vol.All({text(35): text(200)}, not_empty),
            vol.Optional("days", default=30): number(1, 3650),
        },
        vol.Optional("notices", default=DEFAULT_NOTICES): vol.All({text(35): text(20_000)}, not_empty),
    }
)


def _build(site: dict[str, Any], folder: Path) -> Config:
    zones = {key: Zone(key, zone["name"], ZoneKind(zone["kind"])) for key, zone in site["zones"].items()}
    return Config(
        name=site["name"],
        data_dir=folder / Path(site["data_dir"]).expanduser(),
        host=site["listen"]["host"],
        port=site["listen"]["port"],
        tls_port=site["listen"].get("tls", {}).get("port"),
        tls=_tls(site["listen"].get("tls", {}), folder),
        interfaces=tuple(site["discovery"]["interfaces"]),
        announce=site["announce"],
        public_url=site.get("public_url"),
        profile=site["profile"],
        timezone=site["timezone"],
        visit_gap=site["visit_gap"],
        sign_ttl=site["sign_ttl"],
        approach_gap=site["approach_gap"],
        min_face=site["min_face"],
        pack=site["models"]["pack"],
        models_dir=folder / Path(site["models"]["dir"]).expanduser(),
        liveness=site["models"]["liveness"],
        analysis_fps=site["analysis_fps"],
        zones=zones,
        notices=site["notices"],
        consent=Terms(site["consent"].get("who", site["name"]), site["consent"]["why"], site["consent"]["days"]),
        rules=_rules(site),
        policy=site["policy"],
        key_backup=folder / Path(site["key_backup"]).expanduser() if "key_backup" in site else None,
        retention={RetentionClass(kind): days for kind, days in site["retention"].items()},
        second_person=site["attribution"]["second_person"],
    )


def _tls(tls: dict[str, Any], folder: Path) -> TlsFiles | None:
    if "certificate" not in tls:
        return None
    return TlsFiles(*(folder / Path(tls[name]).expanduser() for name in ("certificate", "key")))


def _rules(site: dict[str, Any]) -> Settings:
    rules = {key: value for key, value in site["attribution"].items() if key not in {"match", "second_person"}}
    match = site["attribution"]["match"]
    return Settings(
        **rules,
        visit_gap=site["visit_gap"],
        timezone=site["timezone"],
        match_score=match["score"],
        match_margin=match["margin"],
    )
