"""Compares the verdicts that the engine gave, and those that the hub showed, with the story's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demo.evidence import VISIT_KINDS, Evidence, Tally, showings
from demo.record import Change
from demo.timeline import ExpectedVerdict, Site


def check_verdicts(site: Site, evidence: Evidence, tally: Tally) -> None:
    """Every visit came to what the story says, and the hub showed that last."""
    listed = {visit["visit"]: visit for visit in evidence.visits}
    tally.expect(len(listed) == len(site.verdicts), f"engine: has {len(listed)} visits, the story {len(site.verdicts)}")
    erased = {step.person for step in site.steps if step.do == "withdraw"}
    for verdict in site.verdicts:
        visit_id, label = _visit_of(verdict, evidence), f"visit {verdict.visit} of {verdict.person}"
        wanted: dict[str, Any] = {
            "attribution": verdict.attribution,
            "partner": verdict.partner,
            "rule": verdict.rule,
            "risks": [*verdict.risks],
        }
        is_listed = {"earlier": verdict.visit - 1, "evidence_erased": verdict.person in erased}
        _compare(tally, f"engine: {label} came to", listed.get(visit_id), wanted | is_listed)
        is_shown = {
            "alias": evidence.played.aliases.get(verdict.person),
            "returning": verdict.visit - 1,
            "state": verdict.state,
            "needs_review": _is_open(verdict),
        }
        shown = _showings(evidence, "attribution", visit_id)
        _compare(tally, f"hub: {label} was shown last as", shown[-1].attributes if shown else None, wanted | is_shown)
        _check_news(verdict, label, visit_id, evidence, tally)
    waiting, there = (
        sum(map(_is_open, site.verdicts)),
        evidence.states.get(evidence.entities.engine("cases_waiting"), {}),
    )
    tally.expect(there.get("state") == str(waiting), f"hub: {there.get('state')} cases wait, of the story {waiting}")


# --- helpers ------------------------------------------------------------------------------------------------------


def _check_news(verdict: ExpectedVerdict, label: str, visit_id: str, evidence: Evidence, tally: Tally) -> None:
    """That a visit became a partner's, or has a risk, was shown once, and of no other visit."""
    partners = [change.attributes.get("partner") for change in _showings(evidence, "channel_visit", visit_id)]
    wanted = [verdict.partner] if verdict.attribution == "channel" else []
    tally.expect(partners == wanted, f"hub: {label} became that of {partners} instead of {wanted}")
    risks = [change.attributes.get("risks") for change in _showings(evidence, "risk_raised", visit_id)]
    raised = [[*verdict.risks]] if verdict.risks else []
    tally.expect(risks == raised, f"hub: {label} raised {risks} instead of {raised}")


def _compare(tally: Tally, label: str, found: dict[str, Any] | None, wanted: dict[str, Any]) -> None:
    said = {key: found.get(key) for key in wanted} if found else None
    tally.expect(said == wanted, f"{label} {said} instead of {wanted}")


def _is_open(verdict: ExpectedVerdict) -> bool:
    """Whether somebody still has to look at it."""
    return verdict.state == "proposed" and (verdict.attribution == "undetermined" or bool(verdict.risks))


def _showings(evidence: Evidence, event_type: str, visit_id: str) -> Sequence[Change]:
    changes = showings(evidence.changes, (event_type,))
    return [change for change in changes if change.attributes.get("visit") == visit_id]


def _visit_of(verdict: ExpectedVerdict, evidence: Evidence) -> str:
    """The engine's id of the visit, as the hub was told it; empty if it was not."""
    alias = evidence.played.aliases.get(verdict.person)
    told = [change.attributes for change in showings(evidence.changes, VISIT_KINDS)]
    begun = [one["visit"] for one in told if alias and one["alias"] == alias and one["event_type"] != "visit_ended"]
    return begun[verdict.visit - 1] if len(begun) >= verdict.visit else ""
