"""What may happen to a case, and what it is then. Pure.

```
proposed ─ confirm ──▶ confirmed          appeal: from anywhere ──▶ appealed, and from there as from proposed
         ─ change ───▶ changed            sign:   from anywhere ──▶ closed
         ─ send_back ▶ sent_back          reopen: confirmed, changed or closed ──▶ proposed
         ─ change that moves money, where the site wants a second person ──▶ awaiting_second
                            awaiting_second ─ agree ──▶ changed;  ─ refuse ──▶ what it was before
```
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConflictError, InvalidError
from ..models import ATTRIBUTIONS, CaseState, ReviewAct

if TYPE_CHECKING:
    from ..store.cases import StoredReview

if TYPE_CHECKING:
    from ..store.cases import StoredReview

type Answer = tuple[str, str | None]  # attribution and partner: what money depends on


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who acts: a token, and for a hub's the user who pressed the button, by the hub's own opaque id."""

    token_id: str
    name: str
    user_id: str | None = None

    def is_another_than(self, other: Reviewer) -> bool:
        """Whether the two are two people: users of a hub are told apart by their ids, everybody else by token."""
        if self.user_id is not None and other.user_id is not None:
            return self.user_id != other.user_id
        return self.token_id != other.token_id


@dataclass(frozen=True, slots=True)
class Move:
    """Something that is to happen to a case."""

    act: ReviewAct
    by: Reviewer | None = None  # None: the engine itself
    answer: Answer | None = None  # what a change makes of it


@dataclass(frozen=True, slots=True)
class Done:
    """Something that happened to a case, and the state it had from there on."""

    move: Move
    state: CaseState


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that waits for a second person."""

    answer: Answer
    by: Reviewer | None
    back_to: CaseState  # if it is refused


@dataclass(frozen=True, slots=True)
class Standing:
    """A case as its history leaves it."""

    state: CaseState = CaseState.PROPOSED
    pending: Pending | None = None  # while it is `awaiting_second`

    @property
    def open(self) -> bool:
        """Whether a person still has to decide."""
        return self.state not in _DECIDED


def done(review: StoredReview) -> Done:
    """A review as the store keeps it, as a step of a case's history."""
    by = None if review.token_id is None else Reviewer(review.token_id, review.token_name or "", review.user_id)
    answer = None if review.attribution is None else (review.attribution, review.partner)
    return Done(Move(review.act, by, answer), review.state)


def standing(history: Iterable[Done]) -> Standing:
    """What a case is after its whole history, the oldest first."""
    now = Standing()
    for done in history:
        now = _after(now, done.move, done.state)
    return now


def moved(now: Standing, move: Move, verdict: Answer, *, second_person: bool) -> Standing:
    """What the case is once `move` happened; `verdict` is the one that stands.

    Raises `ConflictError` for what may not happen to it now, `InvalidError` for a change that cannot be.
    """
    _check_state(now, move.act)
    if move.act is ReviewAct.CONFIRM and verdict[0] == "undetermined":
        raise ConflictError("case: is undetermined, so there is nothing to confirm; change it, or send it back")
    if move.act is ReviewAct.CHANGE:
        _check_change(move.answer, verdict)
    if move.act in _BY_SECOND and not _is_second(now.pending, move.by):
        raise ConflictError("case: the change waits for a second person; whoever made it cannot decide on it")
    state = _NEXT[move.act]
    if move.act is ReviewAct.CHANGE and second_person and moves_money(move.answer, verdict):
        state = CaseState.AWAITING_SECOND
    elif now.pending is not None:
        state = now.pending.back_to if move.act is ReviewAct.REFUSE else _beside(move.act, state)
    return _after(now, move, state)


def may_reopen(now: Standing) -> bool:
    """Whether evidence that comes up now opens the case again."""
    return (now.pending.back_to if now.pending else now.state) in _DECIDED


def moves_money(answer: Answer | None, verdict: Answer) -> bool:
    """Whether a change gives the visit to another partner, or to one instead of none."""
    return answer is not None and answer[1] != verdict[1]


# --- helpers ------------------------------------------------------------------------------------------------------

_DECIDED = frozenset({CaseState.CONFIRMED, CaseState.CHANGED, CaseState.CLOSED})
_OPEN = frozenset({CaseState.PROPOSED, CaseState.SENT_BACK, CaseState.APPEALED})
_BY_SECOND = frozenset({ReviewAct.AGREE, ReviewAct.REFUSE})
_FROM: dict[ReviewAct, frozenset[CaseState]] = {
    ReviewAct.CONFIRM: _OPEN,
    ReviewAct.CHANGE: _OPEN | {CaseState.CONFIRMED, CaseState.CHANGED},
    ReviewAct.AGREE: frozenset({CaseState.AWAITING_SECOND}),
    ReviewAct.REFUSE: frozenset({CaseState.AWAITING_SECOND}),
    ReviewAct.SEND_BACK: _OPEN - {CaseState.SENT_BACK},
    ReviewAct.APPEAL: frozenset(CaseState),
    ReviewAct.SIGN: frozenset(CaseState),
    ReviewAct.REOPEN: _DECIDED | {CaseState.AWAITING_SECOND},
}
_NEXT: dict[ReviewAct, CaseState] = {
    ReviewAct.CONFIRM: CaseState.CONFIRMED,
    ReviewAct.CHANGE: CaseState.CHANGED,
    ReviewAct.AGREE: CaseState.CHANGED,
    ReviewAct.REFUSE: CaseState.PROPOSED,
    ReviewAct.SEND_BACK: CaseState.SENT_BACK,
    ReviewAct.APPEAL: CaseState.APPEALED,
    ReviewAct.SIGN: CaseState.CLOSED,
    ReviewAct.REOPEN: CaseState.PROPOSED,
}
_REMEDY: dict[CaseState, str] = {
    CaseState.PROPOSED: "nobody has decided it yet; confirm it, change it or send it back",
    CaseState.AWAITING_SECOND: "a change waits for a second person; agree to it or refuse it first",
    CaseState.CONFIRMED: "it is decided; if that was wrong, change it and say why",
    CaseState.CHANGED: "it is decided; if that was wrong, change it and say why",
    CaseState.SENT_BACK: "it was sent back already; confirm or change it once more is known",
    CaseState.APPEALED: "a partner appealed; confirm it, change it or send it back",
    CaseState.CLOSED: "a contract was signed on it; only an appeal or other evidence opens it again",
}


def _check_state(now: Standing, act: ReviewAct) -> None:
    if now.state not in _FROM[act]:
        word = act.value.replace("_", " ")
        raise ConflictError(f"case: is {now.state}, so nobody can {word} it: {_REMEDY[now.state]}")


def _check_change(answer: Answer | None, verdict: Answer) -> None:
    if answer is None or answer[0] not in ATTRIBUTIONS:
        raise InvalidError(f"attribution: is not known; choose one of {', '.join(ATTRIBUTIONS)}")
    if (answer[0] == "channel") != (answer[1] is not None):
        raise InvalidError("partner: is for channel alone, and channel needs one; give both or neither")
    if answer == verdict:
        raise InvalidError("attribution: is that already; confirm the case instead")


def _is_second(pending: Pending | None, by: Reviewer | None) -> bool:
    return pending is not None and by is not None and (pending.by is None or by.is_another_than(pending.by))


def _beside(act: ReviewAct, state: CaseState) -> CaseState:
    """While a change waits, an appeal, a signing or other evidence only moves what it goes back to."""
    return state if act in _BY_SECOND else CaseState.AWAITING_SECOND


def _after(now: Standing, move: Move, state: CaseState) -> Standing:
    if state is not CaseState.AWAITING_SECOND:
        return Standing(state)
    if now.pending is None:
        return Standing(state, Pending(move.answer or ("undetermined", None), move.by, now.state))
    return Standing(state, Pending(now.pending.answer, now.pending.by, _NEXT[move.act]))
