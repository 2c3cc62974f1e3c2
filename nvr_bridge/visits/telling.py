"""What people and programs are told of a visit's verdict, and when it is another one than they were told. Pure.

A verdict (`Case`) is what the rules make of the evidence as it is; what is told of it depends on the time of day and on
how far people are with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from ..models import CaseState, ReviewAct
from .evidence import Rules
from .review import Done, Standing, may_reopen
from .risks import RISKS
from .timeline import next_close

type Case = dict[str, Any]  # a verdict, JSON-able: `casebook.case`
type Told = dict[str, Any]  # what is kept of it as told, JSON-able

_AT_CLOSE = "unregistered_visit"  # somebody may still come to the desk until the day closes
_DIFFER = "co_signers_differ"


def by_now(case: Case, signings: Sequence[Case], started_at: float, now: float, rules: Rules) -> Case:
    """The verdict of a visit as it is shown at `now`.

    What is told only when the day of its start has closed is left out; that a co-signer of a contract signed on it stands
    otherwise is one more risk.
    """
    risks = {*case["risks"]} | {_DIFFER for signing in signings if _DIFFER in signing["risks"]}
    if now < next_close(started_at, rules):
        risks.discard(_AT_CLOSE)
    return {
        **case,
        "risks": [risk for risk in RISKS if risk in risks],
        "needs_review": case["attribution"] == "undetermined" or bool(risks),
    }


def version(case: Case) -> str:
    """Names what a reviewer saw: another answer, rule or risk has another name."""
    seen = [case["attribution"], case["partner"], case["rule"], sorted(case["risks"])]
    return hashlib.sha256(json.dumps(seen, separators=(",", ":")).encode()).hexdigest()[:8]


def needs_person(case: Case, state: CaseState) -> bool:
    """Whether somebody must look at a case: not again at what was decided, and at all that was put in question."""
    if state is CaseState.PROPOSED:
        return bool(case["needs_review"])
    return Standing(state).open


def told(case: Case, state: CaseState) -> Told:
    """What is told of a verdict."""
    return {
        "attribution": case["attribution"],
        "partner": case["partner"],
        "rule": case["rule"],
        "risks": [*case["risks"]],
        "needs_review": needs_person(case, state),
        "returning": case["earlier"],
        "state": state.value,
        "version": version(case),
    }


def event_data(case_id: str, what: Told, before: Told | None) -> dict[str, str | int | float | bool | None]:
    """What the event of a verdict carries, `before` being what was told last: no list, and nothing that says who it is."""
    known = before or {"risks": ()}
    return {
        "case": case_id,
        **what,
        "risks": ", ".join(what["risks"]),
        "new_answer": any(what[key] != known.get(key) for key in ("attribution", "partner")),
        "new_risks": ", ".join(risk for risk in what["risks"] if risk not in known["risks"]),
    }


def to_sign(history: Sequence[Done], signings: Sequence[Case]) -> bool:
    """Whether a contract was signed that the case has not been closed by.

    One whose co-signers stand otherwise closes nothing: a person has to look at it.
    """
    closed = sum(done.move.act is ReviewAct.SIGN for done in history)
    return len([one for one in signings if one["attribution"] != "undetermined"]) > closed


def to_reopen(now: Standing, at_signing: Case | None, case: Case) -> bool:
    """Whether what the evidence says by now opens a decided case again; `at_signing` is the verdict that closed it."""
    if not may_reopen(now) or case.get("evidence_erased"):
        return False
    state = now.pending.back_to if now.pending else now.state
    if state is not CaseState.CLOSED:
        return "evidence_changed" in case["risks"]
    if at_signing is None:
        return False
    same = all(case[key] == at_signing[key] for key in ("attribution", "partner"))
    return not same or not set(case["risks"]) <= set(at_signing["risks"])
