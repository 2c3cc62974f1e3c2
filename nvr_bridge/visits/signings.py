"""The verdict of a signed contract: that of the visit it falls in, unless a co-signer stands otherwise. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .attribution import Judged, Record, Verdict, standing
from .evidence import Evidence, Signing
from .identity import node_of
from .risks import Risk, in_order
from .ties import World
from .timeline import Moment, Stay, covering


@dataclass(frozen=True, slots=True)
class CoSigner:
    """What a co-signer's own visit at that moment is given, or would be."""

    visitor: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class JudgedSigning:
    """A signing, its verdict and every risk of the person's visits so far."""

    signing: Signing
    visit: Judged
    verdict: Verdict
    risks: tuple[Risk, ...]
    co_signers: tuple[CoSigner, ...]


def signings(events: Sequence[Evidence], world: World, records: Sequence[Record]) -> list[JudgedSigning]:
    """All signings among `events`, judged."""
    return [_signing(event, world, records) for event in events if isinstance(event, Signing)]


# --- helpers ------------------------------------------------------------------------------------------------------


def _signing(event: Signing, world: World, records: Sequence[Record]) -> JudgedSigning:
    person = world.people.of[node_of(event) or ""]
    index = covering(world.stays[person], event.at, world.rules)
    visits = records[person].visits
    visit = visits[index or 0]
    so_far = [one for one in visits[: (index or 0) + 1] if one.stay.certain or one.review is not None]
    risks = {risk for one in so_far for risk in one.facts.risks}
    co_signers = tuple(
        CoSigner(visitor, _stands(visitor, event.at, world, records)) for visitor in sorted(event.co_signers)
    )
    verdict = visit.verdict
    if any(one.verdict.answer != visit.verdict.answer for one in co_signers):
        verdict = Verdict("undetermined", "undetermined")
        risks.add("co_signers_differ")
    return JudgedSigning(event, visit, verdict, in_order(risks), co_signers)


def _stands(visitor: str, at: float, world: World, records: Sequence[Record]) -> Verdict:
    """The verdict of the visit that the co-signer is on; of one that began at that moment, if on none."""
    person = world.people.of[visitor]
    index = covering(world.stays[person], at, world.rules)
    if index is not None and (visit := records[person].visits[index]).stay.certain and visit.stay.start <= at:
        return visit.verdict
    moment = Moment(at, 0.0, visitor, "signing")
    return standing(person, Stay(at, 0.0, at, (moment,), certain=True), records[person], world).verdict
