"""An evening at the fake engine: what happened today, and one case of yesterday that waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fake_controls import because
from fake_engine import FakeEngine, camera, case

SITE_ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime.now(SITE_ZONE)
NOON = NOW.replace(hour=12, minute=0, second=0, microsecond=0)
R77, R79, R81 = "77ab" * 8, "79cd" * 8, "8f1c" * 8  # referrals
EARLIER = "2026-11-20T09:12:04.000+00:00"


def iso(moment: datetime) -> str:
    """As it goes over the wire."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def site_time(moment: datetime) -> str:
    """As explanations write it."""
    return moment.astimezone(SITE_ZONE).isoformat()


def _visit(case_id: str, minutes: float, **changes: Any) -> dict[str, Any]:
    start = NOON + timedelta(minutes=minutes)
    times = {"started_at": iso(start), "last_at": iso(start + timedelta(minutes=22)), "ended_at": None}
    return case(case_id, **times, **changes)


def _referral(name: str, partner: str, before: timedelta, start: datetime, state: str) -> dict[str, Any]:
    return {
        "id": name,
        "partner": partner,
        "declared": site_time(start - before),
        "tied_by": "contact",
        "state": state,
    }


def _moments(start: datetime, error: float) -> list[dict[str, Any]]:
    def one(seconds: float, kind: str, **changes: Any) -> dict[str, Any]:
        known = {"at": iso(start + timedelta(seconds=seconds)), "kind": kind, "certain": True, "score": None}
        return {**known, "error": error if kind == "sighting" else 0.0, **changes}

    return [
        one(0, "sighting", score=0.712),
        one(41, "sighting", score=0.433, certain=False),
        one(95, "check_in"),
        one(1290, "sighting", score=0.684),
    ]


def _explained(row: dict[str, Any], why: str, why_zh: str, **more: Any) -> dict[str, Any]:
    return {
        "why": why,
        "why_zh": why_zh,
        "inputs": {"start_error": 2.0, "presence": {"sighting": 3, "check_in": 1}, "referrals": [], **more},
        "links": [{"visitor": row["visit"], "by": ["contact", "template"]}],
        "uncertainty": [],
        "returning": {"visits": row["earlier"], "last": None},
    }


def fill(engine: FakeEngine) -> None:
    """Let the engine tell of it, and take what a reviewer says to it."""
    valid = _visit(
        "K7QF-2M9D", -35, attribution="channel", partner="acme", rule="referral_valid", visit="v1", earlier=1
    )
    late = _visit(
        "P3XW-8C4T", -90, rule="undetermined", attribution="undetermined", alias="slate heron 7",
        risks=["late_referral", "contact_changed"], needs_review=True, visit="v2",
    )  # fmt: skip
    natural = _visit("B5RN-6H2K", -150, alias="jade finch 18", visit="v3")
    older = _visit(
        "T9DM-4V7J", -1600, state="awaiting_second", attribution="natural", alias=None, needs_review=True, visit="v4"
    )
    engine.cases = {row["case"]: row for row in (valid, late, natural, older)}
    watch = {
        "subjects_warning": 1000,
        "oldest_template": EARLIER,
        "to_renew": 0,
        "reasons": ["sign_off"],
        "next_purge": iso(NOW + timedelta(minutes=40)),
        "assessment_expires_at": iso(NOW + timedelta(days=200)),
    }
    engine.engine |= {"armed": True, "subjects": 214, "cases_waiting": 2, "recognition": True, "profile": "cn"}
    lead_time = {"key": "attribution_lead_time", "value": 30, "unit": "min", "min": 0, "max": 1440, "step": 1}
    engine.engine["settings"] = [{**lead_time, "default": 30, "source": "bridge.yaml"}]
    engine.engine["watch"] = {**engine.engine["watch"], **watch}
    engine.zones["desk"] |= because()
    engine.zones["lane"] |= because("sign_off")
    engine.cameras["south"] |= {"name": "Lane west", "zone": "lane", "analysed_per_second": 4.8, "clock_offset": -1.4}
    engine.cameras["north"] |= {"name": "Entrance", "analysed_per_second": 5.0, "clock_offset": 0.3}
    engine.cameras["desk"] = camera("desk", "desk", name="Desk", analysed_per_second=5.1, clock_offset=0.0)
    gone: dict[str, Any] = {"state": "offline", "stream": None, "reason_code": "unreachable"}
    gone["reason"] = "192.0.2.9:80: no answer within 10 s; check the address and that the device is on"
    engine.cameras["door"] = camera("door", "entrance", name="Side door", **gone)
    engine.answers = {
        "case/list": lambda asked: [row for row in engine.cases.values() if "day" not in asked],
        "case/get": lambda asked: _case(engine.cases[asked["case"]]),
        "partner/list": [
            {"partner": "acme", "name": "Acme Homes", "added_at": EARLIER},
            {"partner": "harbour", "name": "Harbour Realty", "added_at": EARLIER},
        ],
        "referral/list": [_filed(R81, "acme", "Lin"), _filed(R77, "harbour", None)],
        "referral/add": lambda asked: {"referral": "90" * 16, "partner": asked["partner"]},
        "visit/check_in": {"visit": "v9"},
        "partner/link": {"url": "https://engine.example/partner#t0k3n", "token_id": "t9", "partner": "acme",
                         "name": "Acme Homes", "expires_at": "2027-11-22T00:00:00.000+00:00"},
        "partner/add": lambda asked: {"partner": asked["partner"], "name": asked["name"], "added_at": EARLIER},
        "report/visits": lambda asked: [_hour(asked["from"], hour) for hour in range(24)],
        "retention/get": {"profile": "cn", "classes": [
            {"class": "templates", "days": 180, "source": "profile", "default": 180, "least": 1, "most": 365},
            {"class": "sightings", "days": 90, "source": "set", "default": 180, "least": 1, "most": 365},
            {"class": "visits", "days": 730, "source": "bridge.yaml", "default": 730, "least": 1, "most": None},
        ]},
        "subject/get": lambda asked: {"site": "Riverside", "who": "Ada", "read_at": EARLIER, "alias": asked["alias"],
                                      "consents": [{"granted_at": EARLIER, "language": "en", "purpose": "visits"}],
                                      "visits": [{"started_at": EARLIER, "attribution": "natural"}],
                                      "acts": [{"number": 7, "act": "consent_granted", "at": EARLIER}]},
    }  # fmt: skip


def _case(row: dict[str, Any]) -> dict[str, Any]:
    start = datetime.fromisoformat(row["started_at"])
    found = {**row, "waiting": None, "history": [], "moments": _moments(start, 2.0)}
    explained = _explained(row, "No referral holds for this visit.", "本次到访没有有效的报备。")
    if row["visit"] == "v1":
        said = site_time(start - timedelta(hours=26))
        why = f"Referral {R81} of acme was declared {said}, in time; no earlier visit intercepts it."
        why_zh = f"渠道“acme”的报备“{R81}”于 {said} 提交，足够提前；此前没有自然到访影响该报备。"
        explained = _explained(row, why, why_zh)
        explained["inputs"]["referrals"] = [
            _referral(R81, "acme", timedelta(hours=26), start, "valid"),
            _referral(R77, "harbour", timedelta(minutes=12), start, "late"),
        ]
    if row["visit"] == "v2":
        why = "The verdict depends on what the evidence leaves open: whether a referral came in time."
        explained = _explained(row, why, "判定取决于证据未能确定的事项：报备是否足够提前。")
        explained["inputs"]["referrals"] = [
            _referral(R79, "harbour", timedelta(minutes=30, seconds=1.2), start, "valid")
        ]
        explained["uncertainty"] = [{"what": "lead_time", "referral": R79, "difference": 1.2, "error": 2.0}]
    if row["visit"] == "v4":
        found["waiting"] = {"attribution": "channel", "partner": "harbour"}
        found["history"] = [_step("change", "awaiting_second", "She named Lin of Harbour Realty.")]
    return {**found, "explanation": explained}


def _step(act: str, state: str, reason: str) -> dict[str, Any]:
    return {
        "at": EARLIER,
        "act": act,
        "state": state,
        "attribution": "channel",
        "partner": "harbour",
        "seen": {},
        "by": "Home Assistant",
        "token_id": "t1",
        "user": None,
        "referral": None,
        "reason": reason,
        "ledger": 12,
    }


def _filed(name: str, partner: str, broker: str | None) -> dict[str, Any]:
    return {
        "referral": name,
        "partner": partner,
        "broker": broker,
        "masked": False,
        "declared_at": EARLIER,
        "filed_at": EARLIER,
        "expected_at": None,
        "valid_until": "2026-11-25T09:12:04.000+00:00",
        "withdrawn_at": None,
    }


def _hour(day: str, hour: int) -> dict[str, Any]:
    busy = 9 <= hour <= 18
    counts = {
        "natural": (hour * 5 + 3) % 6,
        "channel": hour * 7 % 4,
        "staff": hour % 9 == 0,
        "undetermined": hour % 5 == 1,
    }
    counts = {key: int(count) if busy else 0 for key, count in counts.items()}
    total = sum(counts.values())
    return {
        "hour": f"{day}T{hour:02d}:00+08:00",
        "visits": total,
        **counts,
        "unregistered": 0,
        "returning": total // 3,
        "reviewed": total // 2,
    }
