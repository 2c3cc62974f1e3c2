"""What decisions make of partners' referrals, and what a partner is told while there is none."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nvr_bridge.models import Outcome
from nvr_bridge.store.claims import StoredClaim
from nvr_bridge.store.referrals import StoredReferral
from nvr_bridge.visits.claims import APPEALABLE, DECIDED, claimed, undecided, weightiest
from nvr_bridge.visits.replay import replay
from nvr_bridge.visits.scenario import read

DAY = 86400.0
GIVEN, NOT_GIVEN, LATE = Outcome.GIVEN, Outcome.NOT_GIVEN, Outcome.DECLARED_LATE

ACME = '{at: "2026-03-02T09:00", referral: {id: a1, partner: acme, contact: "13800000001"}}'
BEST = '{at: "2026-03-02T09:10", referral: {id: b1, partner: best, contact: "138****0001"}}'
LATER = '{at: "2026-03-02T11:00", referral: {id: late, partner: best, contact: "13800000001"}}'
COMES = '{at: "2026-03-02T10:00", check_in: {visitor: v1, contact: "13800000001"}}'


def decided(*events: str, answer: tuple[str, str | None], visit: int = 0) -> dict[str, Any]:
    """What a decision on one visit of a story makes of its referrals."""
    scenario = read("events:\n" + "".join(f"  - {event}\n" for event in events))
    return claimed(replay(scenario.events, scenario.settings).visits[visit], *answer)


def test_who_got_the_visit_and_who_did_not() -> None:
    assert decided(ACME, BEST, LATER, COMES, answer=("channel", "acme")) == {"a1": GIVEN, "b1": NOT_GIVEN, "late": LATE}
    assert decided(ACME, BEST, COMES, answer=("natural", None)) == {"a1": NOT_GIVEN, "b1": NOT_GIVEN}
    assert decided(COMES, answer=("natural", None)) == {}


def test_a_late_referral_was_late_unless_a_reviewer_gave_it_the_visit() -> None:
    assert decided(LATER, COMES, answer=("natural", None)) == {"late": LATE}
    assert decided(LATER, COMES, answer=("channel", "best")) == {"late": GIVEN}


def test_a_visit_that_is_still_open_says_nothing() -> None:
    assert decided(ACME, BEST, COMES, answer=("undetermined", None)) == {}


def test_what_lapsed_or_was_taken_back_before_the_visit_is_not_told_of_it() -> None:
    old = ACME.replace("03-02", "02-02")
    back = '{at: "2026-03-02T09:30", withdraw: {referral: a1}}'
    assert decided(old, COMES, answer=("natural", None)) == {}
    assert decided(ACME, back, COMES, answer=("natural", None)) == {}


def test_two_referrals_of_the_partner_that_got_the_visit_both_did() -> None:
    twice = ACME.replace("a1", "a2").replace("13800000001", "138****0001")
    assert decided(ACME, twice, BEST, COMES, answer=("channel", "acme")) == {
        "a1": GIVEN,
        "a2": GIVEN,
        "b1": NOT_GIVEN,
    }


def test_a_reviewer_may_give_a_visit_to_what_had_lapsed_but_not_to_what_was_taken_back() -> None:
    old = ACME.replace("03-02", "02-02")
    older = ACME.replace("03-02", "01-02").replace("a1", "a0")
    back = '{at: "2026-02-03T09:30", withdraw: {referral: a1}}'
    assert decided(older, old, COMES, answer=("channel", "acme")) == {"a1": GIVEN}
    assert decided(older, old, back, COMES, answer=("channel", "acme")) == {"a0": GIVEN}
    assert decided(COMES, answer=("channel", "acme")) == {}


def test_a_protected_return_gives_nothing_to_the_referral_that_began_the_protection() -> None:
    back_again = COMES.replace("03-02", "03-20")
    assert decided(ACME, COMES, back_again, answer=("channel", "acme"), visit=1) == {}
    rival = BEST.replace("03-02", "03-20").replace("b1", "b2")
    later = COMES.replace("03-02", "03-20")
    assert decided(ACME, COMES, rival, later, answer=("channel", "acme"), visit=1) == {"b2": NOT_GIVEN}


@pytest.mark.parametrize(
    ("withdrawn", "now", "outcome"),
    [
        (None, 3 * DAY, Outcome.OPEN),
        (None, 3 * DAY + 1, Outcome.LAPSED),
        (5.0, 6.0, Outcome.WITHDRAWN),
        (5.0, 9 * DAY, Outcome.WITHDRAWN),
    ],
)
def test_without_a_decision_a_partner_is_told_what_it_knows(
    withdrawn: float | None, now: float, outcome: Outcome
) -> None:
    referral = StoredReferral("r1", "acme", None, None, "m", 0.0, 0.0, None, withdrawn)
    assert undecided(referral, 3 * DAY, now) is outcome


def test_of_several_visits_the_one_that_was_given_counts_and_of_these_the_first() -> None:
    late = StoredClaim("r1", "c1", LATE, date(2026, 3, 1), 0.0, None)
    second = replace(late, case_id="c2", outcome=GIVEN, day=date(2026, 3, 9))
    first = replace(second, case_id="c3", day=date(2026, 3, 2))
    lost = replace(late, case_id="c4", outcome=NOT_GIVEN)
    assert weightiest([]) is None
    assert weightiest([late, lost]) == lost
    assert weightiest([late, second, lost, first]) == first


def test_the_guide_lists_the_outcomes() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "attribution.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (the referral itself|a person's decision) \|$", guide, re.MULTILINE)
    assert rows == [
        (outcome.value, "a person's decision" if outcome in DECIDED else "the referral itself") for outcome in Outcome
    ]


def test_every_outcome_is_decided_or_follows_from_the_referral() -> None:
    assert set(DECIDED) | {Outcome.OPEN, Outcome.LAPSED, Outcome.WITHDRAWN} == set(Outcome)
    assert set(DECIDED) > APPEALABLE
