"""Every scenario file, replayed as the command line does, comes to what the file itself expects.

The files are documentation; `docs/attribution.md` explains the rules with them.
"""

from __future__ import annotations

import re
from itertools import combinations, zip_longest
from pathlib import Path
from typing import Any

import pytest
import yaml

from nvr_bridge.visits.explain import output
from nvr_bridge.visits.replay import replay
from nvr_bridge.visits.risks import RISKS
from nvr_bridge.visits.scenario import load

FOLDER = Path(__file__).parent / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))
ROOT = Path(__file__).parent.parent.parent

RULES = (
    "staff",
    "undetermined",
    "channel_protected",
    "natural_protected",
    "referral_valid",
    "late_referral",
    "natural",
)
# Rules that can apply to one visit, in their order: of `natural_protected` and `referral_valid` at most one does.
PAIRS = {
    f"{first}_before_{then}"
    for first, then in combinations(RULES[:-1], 2)
    if (first, then) != ("natural_protected", "referral_valid")
} | {f"review_before_{rule}" for rule in RULES[:-1]}
# A valid referral that is not intercepted wins; so these have none, and nobody who wins.
_WITHOUT_WINNER = {
    ("natural_protected", "repeated_referral"),
    *((rule, risk) for rule in ("late_referral", "natural") for risk in ("intercepted", "competing_referrals")),
    *((rule, "repeated_referral") for rule in ("late_referral", "natural")),
    ("natural", "late_referral"),  # that is the rule of this name
}
ON_VISITS = tuple(risk for risk in RISKS if risk != "co_signers_differ")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_scenario_comes_to_what_it_expects(file: Path) -> None:
    expected, found = _expected(file), _found(file)
    for part in ("visits", "signings"):
        wanted = expected.get(part, [])
        assert [_as_expected(row) for row in found[part]] == [
            _filled(said, row) for said, row in zip_longest(wanted, found[part], fillvalue={})
        ], part
        for row, said in zip(found[part], wanted, strict=True):
            if "returning" in said:
                assert row["returning"] == int(said["returning"]), row["start"]
    if "daily" in expected:
        assert [{key: str(value) for key, value in day.items()} for day in found["daily"]] == expected["daily"]
    for row in found["visits"]:
        assert row["needs_review"] == (row["attribution"] == "undetermined" or bool(row["risks"]))
        assert row["reviewed"] == (row["rule"] == "review")


def test_every_rule_every_risk_and_every_pair_of_rules_has_its_file() -> None:
    names = {file.stem for file in FILES}
    wanted = {f"rule_{rule}" for rule in (*RULES, "review")} | {f"risk_{risk}" for risk in RISKS} | PAIRS
    assert wanted - names == set()


def test_every_rule_meets_every_risk_that_it_can() -> None:
    met = {(row["rule"], risk) for row in _rows("visits") for risk in row["risks"]}
    possible = {
        (rule, risk)
        for rule in (*RULES[1:], "review")
        for risk in ON_VISITS
        if (risk != "evidence_changed" or rule == "review") and (rule, risk) not in _WITHOUT_WINNER
    }
    assert met == possible


def test_every_two_risks_meet() -> None:
    together = [set(row["risks"]) for row in _rows("visits")]
    missing = {
        pair
        for pair in combinations(ON_VISITS, 2)
        if pair != ("contact_changed", "unregistered_visit")  # who gives a contact is registered
        and not any(set(pair) <= risks for risks in together)
    }
    assert missing == set()
    signed = [set(row["risks"]) for row in _rows("signings")]
    assert {risk for risk in RISKS if any({risk, "co_signers_differ"} <= risks for risks in signed)} == set(RISKS)


def test_every_scenario_says_in_a_sentence_what_it_shows() -> None:
    assert [file.stem for file in FILES if not load(file).title.endswith((".", "?"))] == []


def test_the_guide_tells_of_every_scenario_and_of_no_other() -> None:
    guide = (ROOT / "docs" / "attribution.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+)\.yaml`", guide)) == {file.stem for file in FILES}


# --- helpers ------------------------------------------------------------------------------------------------------


def _expected(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["expect"]  # noqa: S506
    return found


def _found(file: Path) -> dict[str, Any]:
    scenario = load(file)
    return output(replay(scenario.events, scenario.settings), scenario.settings)


def _rows(part: str) -> list[dict[str, Any]]:
    return [row for file in FILES for row in _expected(file).get(part, [])]


def _as_expected(row: dict[str, Any]) -> dict[str, Any]:
    keys = ("id",) if "id" in row else ("person", "start")
    return {key: row[key] for key in (*keys, "attribution", "partner", "rule", "risks")} | (
        {"start": row["start"][:19].removesuffix(":00")} if "start" in row else {}
    )


def _filled(said: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """An expectation with what it left out: no partner, and the name of a person who is only known by a number."""
    return {"partner": None} | ({"person": row["person"]} if "person" in row else {}) | _without_counts(said)


def _without_counts(said: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if key != "returning"}
