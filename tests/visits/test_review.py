"""What may happen to a case: every act in every state, and two people where money moves."""

from __future__ import annotations

import pytest

from nvr_bridge.errors import ConflictError, InvalidError
from nvr_bridge.models import CaseState, ReviewAct
from nvr_bridge.visits.review import Answer, Done, Move, Pending, Reviewer, Standing, may_reopen, moved, standing

NATURAL: Answer = ("natural", None)
CHANNEL: Answer = ("channel", "acme")
ANN, BEN = Reviewer("t1", "Ann"), Reviewer("t2", "Ben")
P, A, F, C, S, L, X = (
    *(CaseState.PROPOSED, CaseState.AWAITING_SECOND, CaseState.CONFIRMED, CaseState.CHANGED),
    *(CaseState.SENT_BACK, CaseState.APPEALED, CaseState.CLOSED),
)
# What a case is after each act, by what it was before; what is not here is refused. A waiting change was made when the
# case was `proposed`, and the row of `A` is written as (what it is, what it would go back to).
TABLE: dict[ReviewAct, dict[CaseState, CaseState]] = {
    ReviewAct.CONFIRM: {P: F, S: F, L: F},
    ReviewAct.CHANGE: {P: C, S: C, L: C, F: C, C: C},
    ReviewAct.AGREE: {A: C},
    ReviewAct.REFUSE: {A: P},
    ReviewAct.SEND_BACK: {P: S, L: S},
    ReviewAct.APPEAL: {P: L, A: A, F: L, C: L, S: L, L: L, X: L},
    ReviewAct.SIGN: {P: X, A: A, F: X, C: X, S: X, L: X, X: X},
    ReviewAct.REOPEN: {A: A, F: P, C: P, X: P},
}
EVERY = [(act, state) for act in ReviewAct for state in CaseState]


def waiting(back_to: CaseState = P) -> Standing:
    """A case of which a change waits."""
    return Standing(A, Pending(CHANNEL, ANN, back_to))


def at(state: CaseState) -> Standing:
    """A case in this state."""
    return waiting() if state is A else Standing(state)


@pytest.mark.parametrize(("act", "state"), EVERY)
def test_every_act_in_every_state(act: ReviewAct, state: CaseState) -> None:
    move = Move(act, BEN, CHANNEL if act is ReviewAct.CHANGE else None)
    expected = TABLE[act].get(state)
    if expected is None:
        with pytest.raises(ConflictError, match=f"^case: is {state}, so nobody can .*: .*; "):
            moved(at(state), move, NATURAL, second_person=False)
    else:
        assert moved(at(state), move, NATURAL, second_person=False).state is expected


@pytest.mark.parametrize("state", [P, S, L])
def test_what_is_undetermined_cannot_be_confirmed(state: CaseState) -> None:
    with pytest.raises(ConflictError, match="nothing to confirm; change it, or send it back"):
        moved(at(state), Move(ReviewAct.CONFIRM, ANN), ("undetermined", None), second_person=False)


@pytest.mark.parametrize(
    ("verdict", "answer", "waits"),
    [
        (NATURAL, CHANNEL, True),
        (CHANNEL, NATURAL, True),
        (CHANNEL, ("channel", "best"), True),
        (CHANNEL, ("undetermined", None), True),
        (("undetermined", None), CHANNEL, True),
        (("undetermined", None), NATURAL, False),
        (NATURAL, ("staff", None), False),
    ],
)
@pytest.mark.parametrize("second_person", [True, False])
def test_a_change_that_moves_money_waits_where_the_site_says_so(
    verdict: Answer, answer: Answer, waits: bool, second_person: bool
) -> None:
    now = moved(Standing(), Move(ReviewAct.CHANGE, ANN, answer), verdict, second_person=second_person)
    assert now.state is (A if waits and second_person else C)
    assert (now.pending == Pending(answer, ANN, P)) is (waits and second_person)
    assert now.open is (waits and second_person)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "attribution: is not known"),
        (("mine", None), "attribution: is not known"),
        (("channel", None), "partner: is for channel alone"),
        (("natural", "acme"), "partner: is for channel alone"),
        (NATURAL, "attribution: is that already"),
    ],
)
def test_a_change_that_cannot_be_is_refused(answer: Answer | None, words: str) -> None:
    with pytest.raises(InvalidError, match=words):
        moved(Standing(), Move(ReviewAct.CHANGE, ANN, answer), NATURAL, second_person=False)


@pytest.mark.parametrize(
    ("one", "other", "two"),
    [
        (ANN, BEN, True),
        (ANN, Reviewer("t1", "Ann again"), False),
        (Reviewer("hub", "Hub", "u1"), Reviewer("hub", "Hub", "u2"), True),
        (Reviewer("hub", "Hub", "u1"), Reviewer("hub", "Hub", "u1"), False),
        (Reviewer("hub", "Hub", "u1"), Reviewer("old hub", "Hub", "u1"), False),
        (Reviewer("hub", "Hub", "u1"), Reviewer("hub", "Hub"), False),
        (Reviewer("hub", "Hub", "u1"), ANN, True),
    ],
)
@pytest.mark.parametrize("act", [ReviewAct.AGREE, ReviewAct.REFUSE])
def test_the_second_person_is_another_one(act: ReviewAct, one: Reviewer, other: Reviewer, two: bool) -> None:
    pending = Standing(A, Pending(CHANNEL, one, F))
    if two:
        expected = Standing(C if act is ReviewAct.AGREE else F)
        assert moved(pending, Move(act, other), NATURAL, second_person=True) == expected
    else:
        with pytest.raises(ConflictError, match="waits for a second person"):
            moved(pending, Move(act, other), NATURAL, second_person=True)


@pytest.mark.parametrize(("act", "back_to"), [(ReviewAct.APPEAL, L), (ReviewAct.SIGN, X), (ReviewAct.REOPEN, P)])
def test_what_comes_up_while_a_change_waits_is_what_a_refusal_goes_back_to(act: ReviewAct, back_to: CaseState) -> None:
    now = moved(waiting(F), Move(act), NATURAL, second_person=True)
    assert now == waiting(back_to)
    assert moved(now, Move(ReviewAct.REFUSE, BEN), NATURAL, second_person=True) == Standing(back_to)


@pytest.mark.parametrize("state", list(CaseState))
def test_only_what_was_decided_can_be_opened_again(state: CaseState) -> None:
    assert may_reopen(at(state)) is (state in {F, C, X})
    assert may_reopen(waiting(state)) is (state in {F, C, X})


def test_a_history_says_what_a_case_is() -> None:
    steps = [
        Move(ReviewAct.CONFIRM, ANN),
        Move(ReviewAct.REOPEN),
        Move(ReviewAct.CHANGE, ANN, CHANNEL),
        Move(ReviewAct.APPEAL, Reviewer("p1", "Acme")),
        Move(ReviewAct.AGREE, BEN),
        Move(ReviewAct.SIGN),
    ]
    now, history = Standing(), []
    for step in steps:
        now = moved(now, step, NATURAL, second_person=True)
        history.append(Done(step, now.state))
        assert standing(history) == now
    assert [done.state for done in history] == [F, P, A, A, C, X]
