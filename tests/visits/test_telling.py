"""What is told of a verdict, when it is another one, and what opens a decided case again."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from nvr_bridge.models import CaseState, ReviewAct
from nvr_bridge.visits.evidence import Settings
from nvr_bridge.visits.review import Done, Move, Pending, Standing
from nvr_bridge.visits.telling import Case, by_now, event_data, needs_person, to_reopen, to_sign, told, version

RULES = Settings(close_of_day=time(20, 0), timezone=ZoneInfo("UTC"))
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0


def case(attribution: str = "natural", partner: str | None = None, *risks: str) -> Case:
    review = attribution == "undetermined" or bool(risks)
    rule = "referral_valid" if partner else attribution
    answer = {"attribution": attribution, "partner": partner, "rule": rule}
    return {**answer, "risks": [*risks], "needs_review": review, "earlier": 0}


@pytest.mark.parametrize(
    ("started", "now", "shown"),
    [
        (NOON, NOON + 8 * HOUR - 1, False),
        (NOON, NOON + 8 * HOUR, True),
        (NOON + 8 * HOUR, NOON + 9 * HOUR, False),  # whoever comes at the close belongs to the next one
        (NOON + 8 * HOUR, NOON + 32 * HOUR, True),
    ],
)
def test_that_nobody_registered_is_shown_from_the_close_on(started: float, now: float, shown: bool) -> None:
    found = by_now(case("natural", None, "unregistered_visit"), (), started, now, RULES)
    assert (found["risks"], found["needs_review"]) == (["unregistered_visit"] if shown else [], shown)


def test_a_co_signers_other_standing_is_a_risk_of_the_visit() -> None:
    signed = [case("undetermined", None, "late_referral", "co_signers_differ")]
    found = by_now(case("natural", None, "evidence_changed"), signed, NOON, NOON, RULES)
    assert found["risks"] == ["co_signers_differ", "evidence_changed"]


@pytest.mark.parametrize(
    "other",
    [
        case("channel", "acme"),
        case("channel", "best", "late_referral"),
        case("natural", None, "late_referral"),
        {**case("channel", "best"), "rule": "channel_protected"},
    ],
)
def test_another_answer_rule_or_risk_is_another_version(other: Case) -> None:
    assert version(other) != version(case("channel", "best"))


def test_neither_the_order_of_risks_nor_the_count_of_visits_is() -> None:
    one = case("natural", None, "late_referral", "contact_changed")
    other = {**case("natural", None, "contact_changed", "late_referral"), "earlier": 7}
    assert version(one) == version(other)


@pytest.mark.parametrize("state", list(CaseState))
def test_who_must_look_at_a_case(state: CaseState) -> None:
    decided = state in {CaseState.CONFIRMED, CaseState.CHANGED, CaseState.CLOSED}
    assert needs_person(case("undetermined"), state) is not decided
    assert needs_person(case("natural", None, "late_referral"), state) is not decided
    assert needs_person(case(), state) is (not decided and state is not CaseState.PROPOSED)


def test_the_event_is_flat_and_names_nobody() -> None:
    data = event_data(
        "K7QF-2M9D", told(case("channel", "acme", "late_referral", "contact_changed"), CaseState.PROPOSED), None
    )
    assert data["risks"] == "late_referral, contact_changed"
    assert not any(isinstance(value, list | dict) for value in data.values())
    assert set(data) == {
        *("case", "attribution", "partner", "rule", "risks"),
        *("needs_review", "returning", "state", "version", "new_answer", "new_risks"),
    }


@pytest.mark.parametrize(
    ("before", "now", "news"),
    [
        (None, case("natural"), (True, "")),
        (None, case("natural", None, "contact_changed"), (True, "contact_changed")),
        (case("natural"), case("natural"), (False, "")),
        (case("natural"), case("channel", "acme"), (True, "")),
        (case("channel", "acme"), case("channel", "best"), (True, "")),
        (case("natural", None, "late_referral"), case("natural"), (False, "")),
        (case("natural", None, "late_referral"), case("natural", None, "late_referral"), (False, "")),
        (
            case("natural", None, "late_referral"),
            case("natural", None, "late_referral", "intercepted"),
            (False, "intercepted"),
        ),
    ],
)
def test_the_event_says_what_is_new(before: Case | None, now: Case, news: tuple[bool, str]) -> None:
    was = told(before, CaseState.PROPOSED) if before else None
    data = event_data("K7QF-2M9D", told(now, CaseState.CONFIRMED), was)
    assert (data["new_answer"], data["new_risks"]) == news


SIGNED = Done(Move(ReviewAct.SIGN), CaseState.CLOSED)


@pytest.mark.parametrize(
    ("history", "signings", "expected"),
    [
        ([], [], False),
        ([], [case()], True),
        ([], [case("undetermined", None, "co_signers_differ")], False),
        ([SIGNED], [case()], False),
        ([SIGNED, Done(Move(ReviewAct.REOPEN), CaseState.PROPOSED)], [case()], False),
        ([SIGNED], [case(), case()], True),
    ],
)
def test_a_case_is_closed_once_for_each_contract(history: list[Done], signings: list[Case], expected: bool) -> None:
    assert to_sign(history, signings) is expected


CHANGED = case("natural", None, "evidence_changed")


@pytest.mark.parametrize(
    ("state", "at_signing", "now", "expected"),
    [
        (CaseState.CONFIRMED, None, CHANGED, True),
        (CaseState.CHANGED, None, CHANGED, True),
        (CaseState.CONFIRMED, None, case("natural", None, "unregistered_visit"), False),
        (CaseState.PROPOSED, None, CHANGED, False),
        (CaseState.SENT_BACK, None, CHANGED, False),
        (CaseState.APPEALED, None, CHANGED, False),
        (CaseState.CLOSED, case(), case(), False),
        (CaseState.CLOSED, case(), CHANGED, True),
        (CaseState.CLOSED, CHANGED, CHANGED, False),
        (CaseState.CLOSED, CHANGED, case(), False),
        (CaseState.CLOSED, case(), case("channel", "acme"), True),
        (CaseState.CLOSED, case("channel", "best"), case("channel", "acme"), True),
        (CaseState.CONFIRMED, None, {**CHANGED, "evidence_erased": True}, False),
    ],
)
def test_what_opens_a_decided_case_again(state: CaseState, at_signing: Case | None, now: Case, expected: bool) -> None:
    assert to_reopen(Standing(state), at_signing, now) is expected
    waiting = Standing(CaseState.AWAITING_SECOND, Pending(("staff", None), None, state))
    assert to_reopen(waiting, at_signing, now) is expected
