"""A mistake in `bridge.yaml` or in a command is one line that names the field, the problem and the remedy."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from nvr_bridge.arguments import COMMAND_SCHEMAS, validate
from nvr_bridge.config import load_config
from nvr_bridge.errors import InvalidError
from nvr_bridge.models import ZoneKind
from nvr_bridge.protocol import ALLOWED, Command
from nvr_bridge.values import duration
from nvr_bridge.visits.evidence import Settings

SITE = "name: Site\nzones:\n  hall: {name: Hall, kind: observe}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "bridge.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_are_safe(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, SITE))
    assert config.profile == "no_biometrics"
    assert config.host == "127.0.0.1"
    assert config.interfaces == ()
    assert config.data_dir == tmp_path / "data"
    assert config.visit_gap == 1800
    assert config.zones["hall"].kind is ZoneKind.OBSERVE
    assert set(config.notices) == {"en", "zh-Hans"}


def test_the_rules_of_attribution_have_the_sites_gap_and_time_zone(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, SITE + "visit_gap: 10m\ntimezone: Asia/Shanghai\n"))
    zone = ZoneInfo("Asia/Shanghai")
    assert config.rules == Settings(visit_gap=600.0, timezone=zone, clock_error=2.0)
    text = SITE + 'attribution: {lead_time: 1h, winner: undetermined, close_of_day: "19:30", match: {score: 0.5}}\n'
    rules = load_config(write(tmp_path, text)).rules
    assert (rules.lead_time, rules.winner, rules.close_of_day) == (3600.0, "undetermined", time(19, 30))
    assert (rules.match_score, rules.match_margin) == (0.5, 0.05)
    unquoted = load_config(write(tmp_path, SITE + "attribution: {close_of_day: 19:30}\n"))
    assert unquoted.rules.close_of_day == time(19, 30)


def test_another_notice_has_another_hash(tmp_path: Path) -> None:
    one = load_config(write(tmp_path, SITE + "notices: {en: Welcome}\n"))
    same = load_config(write(tmp_path, SITE + "notices:\n  en: Welcome\n"))
    other = load_config(write(tmp_path, SITE + "notices: {en: Welcome!}\n"))
    assert one.notice_hash == same.notice_hash != other.notice_hash


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("zone: 1\n" + SITE, "zone: unknown key; known here: .*zones"),
        (SITE + "listen: {prt: 1}\n", "listen.prt: unknown key; known here: host, port"),
        (
            "name: x\nzones:\n  hall: {name: Hall, knd: observe}\n",
            "zones.hall.knd: unknown key; known here: kind, name",
        ),
        (
            "name: x\nzones:\n  hall: {name: Hall, kind: spy}\n",
            "zones.hall.kind: 'spy' is not known; choose one of observe",
        ),
        ("name: x\nzones: {}\n", "zones: must name at least one"),
        ("name: x\n", "zones: is missing; add it"),
        (SITE + "visit_gap: 30\n", "visit_gap: 30 is not a duration; write a number and s, m, h or d"),
        (SITE + "visit_gap: 9d\n", "visit_gap: '9d' is out of range; it may be from 1s to 1d"),
        (SITE + "timezone: Mars/Base\n", "timezone: 'Mars/Base' is not a time zone"),
        (SITE + "profile: covert\n", "profile: 'covert' is not known"),
        (SITE + "attribution: {validity: 0s}\n", "attribution.validity: '0s' is out of range"),
        (SITE + "attribution: {close_of_day: late}\n", "attribution.close_of_day: 'late' is not a time of day"),
        (
            SITE + "attribution: {winner: best}\n",
            "attribution.winner: 'best' is not known; choose one of first_declared",
        ),
        (SITE + "attribution: {match: {scor: 1}}\n", "attribution.match.scor: unknown key; known here: margin, score"),
        (SITE + "min_face: 10\n", "min_face: 10 is not a number from 30 to 400"),
        (SITE + "listen: {port: 0}\n", "listen.port: 0 is not a whole number from 1 to 65535"),
        ("[", "not valid YAML"),
    ],
)
def test_a_mistake_is_one_line_with_its_field(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InvalidError, match=says) as caught:
        load_config(write(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))


def test_a_missing_file_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="--config"):
        load_config(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("1.5m", 90), ("72h", 259200), ("3d", 259200), ("10 s", 10)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


def test_every_command_has_a_schema_and_a_list_of_roles() -> None:
    assert set(COMMAND_SCHEMAS) == set(Command) == set(ALLOWED)


GRANT = {"zone": "desk", "notice_hash": "a" * 64, "purpose": "p", "language": "en", "expires_in_days": 30}


@pytest.mark.parametrize(
    ("command", "arguments", "says"),
    [
        (Command.SIGN, {"zone": "a", "on": 1, "notice_hash": "a" * 64}, "zone/sign: on: "),
        (Command.SIGN, {"zone": "a", "on": True, "notice_hash": "xyz"}, "notice_hash: must be a sha256"),
        (Command.ACT, {}, "zone/act: zone: is missing"),
        (Command.ACT, {"zone": "a", "who": "me"}, "who: unknown key; known here: zone"),
        (
            Command.CONSENT_GRANT,
            GRANT | {"expires_at": "2030-01-01T00:00:00Z"},
            "exactly one of expires_at and expires_in",
        ),
        (Command.CONSENT_GRANT, {k: v for k, v in GRANT.items() if k != "expires_in_days"}, "exactly one of"),
        (Command.VISIT_LIST, {"since": "2026-01-01T00:00:00"}, "since: .* has no offset from UTC"),
        (Command.CAMERA_ADD, {"address": "a", "zone": "b", "username": "c"}, "give username and password together"),
        (Command.CAMERA_DISCOVER, {"username": "c", "password": "d"}, "are one device's; give its address"),
        (Command.CAMERA_DISCOVER, {"channel": "1"}, "are one device's; give its address"),
        (Command.PAIR_CREATE, {"role": "admin"}, "role: 'admin' is not known; choose one of hub"),
    ],
)
def test_a_wrong_argument_is_named(command: Command, arguments: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidError, match=says):
        validate(command, arguments)


def test_arguments_come_back_checked_and_completed() -> None:
    checked = validate(Command.VISIT_LIST, {"since": "2026-03-02T09:00:00+08:00"})
    assert checked == {"since": 1772413200.0, "limit": 1000}
    assert validate(Command.CONSENT_GRANT, GRANT)["guardian"] is False
