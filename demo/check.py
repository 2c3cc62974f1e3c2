"""Compares what the hub and the engine said with the story. Pure: everything it needs is in `Evidence`.

What is expected comes from `site.yaml` alone: its walks, its steps and its events.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

from demo.evidence import SHOWN_AS, VISIT_KINDS, Evidence, Tally, moment, showings
from demo.record import Change
from demo.timeline import Expected, Site, Walk
from demo.verdicts import check_verdicts

SLACK = 1.5  # seconds by which a track may outlast its walk: it ends 1 s after the face was last found
SETTLE = 2.5  # seconds within which a zone must follow its sign, the way there and back included


def check(site: Site, evidence: Evidence) -> dict[str, Any]:
    """The answer of `script/demo --check`, ready for JSON."""
    tally = Tally()
    _check_site(evidence, tally)
    _check_walks(site, evidence, tally)
    _check_embeddings(site, evidence, tally)
    _check_events(site, evidence, tally)
    _check_log(site, evidence, tally)
    check_verdicts(site, evidence, tally)
    _check_signs(site, evidence, tally)
    _check_states(site, evidence, tally)
    _check_forgotten(site, evidence, tally)
    latency = sorted(_frame_to_hub(evidence))
    tally.expect(bool(latency), "frame to hub: no event to measure")
    shown = showings(evidence.changes, VISIT_KINDS)
    returning = sum(change.attributes["event_type"] == "returning_visit" for change in shown)
    return {
        "cameras_discovered": evidence.discovered,
        "channels": evidence.channels,
        "frames_decoded": sum(camera["decoded"] for camera in evidence.camera_states),
        "frames_analysed": sum(camera["analysed"] for camera in evidence.camera_states),
        "tracks": evidence.status["tracks"],
        "permits": evidence.status["permits"],
        "embeddings": evidence.status["embeddings"],
        "embeddings_without_permit": evidence.status["embeddings_without_permit"],
        "visits": returning + sum(change.attributes["event_type"] == "first_visit" for change in shown),
        "returning_visits": returning,
        "verdicts": dict(Counter(visit["attribution"] for visit in evidence.visits)),
        "hub_entities": len(evidence.entities.all()),
        "hub_events": len(shown),
        "expected": tally.expected,
        "wrong": len(tally.problems),
        "frame_to_hub_ms": {"p50": _quantile(latency, 0.5), "p95": _quantile(latency, 0.95)},
        "problems": tally.problems,
    }


# --- what is expected ---------------------------------------------------------------------------------------------


def _check_site(evidence: Evidence, tally: Tally) -> None:
    found, there = evidence.discovered, evidence.devices
    tally.expect(found == there, f"discovery: found {found} devices of {there}")
    there = len(evidence.cameras)
    tally.expect(evidence.channels == there, f"discovery: found {evidence.channels} channels of {there}")
    for name, camera_id in evidence.cameras.items():
        state = next((camera for camera in evidence.camera_states if camera["id"] == camera_id), {"state": "missing"})
        tally.expect(state["state"] == "online", f"camera {name}: {state['state']} {state.get('reason') or ''}")
    unpermitted = evidence.status["embeddings_without_permit"]
    tally.expect(unpermitted == 0, f"{unpermitted} embeddings without a permit")
    for problem in evidence.played.problems:
        tally.expect(held=False, problem=f"step {problem}")


def _check_walks(site: Site, evidence: Evidence, tally: Tally) -> None:
    """Everybody was seen once, and what the sighting says of them is what the story says."""
    seen: dict[Walk | None, list[dict[str, Any]]] = defaultdict(list)
    for sighting in evidence.sightings:
        seen[_walk_of(site, sighting, evidence)].append(sighting)
    for sighting in seen.pop(None, []):
        tally.expect(held=False, problem=f"somebody at {sighting['started_at']} who is not in the story: {sighting}")
    for walk in site.walks:
        label = f"{walk.person} at {walk.camera}, {walk.at:g} s"
        together = [other for other in site.at(walk.camera) if (other.at, other.until) == (walk.at, walk.until)]
        here = [sighting for other in together for sighting in seen[other]]
        tally.expect(len(here) == len(together), f"{label}: {len(here)} sightings of {len(together)} people")
        said = [sighting["reason"] or sighting["who"] for sighting in here]
        tally.expect(walk.expect in said, f"{label}: {', '.join(said) or 'nobody was seen'} instead of {walk.expect}")
        known = {sighting["alias"] for sighting in here if sighting["who"] == "known"}
        right = {evidence.played.aliases.get(walk.person)} if walk.expect == "known" else set()
        tally.expect(known == right, f"{label}: recognised as {known or 'nobody'} instead of {right or 'nobody'}")


def _walk_of(site: Site, sighting: dict[str, Any], evidence: Evidence) -> Walk | None:
    """The walk in which most of the sighting lies; of two people side by side, either."""
    began = evidence.played.began
    start, end = moment(sighting["started_at"]) - began, moment(sighting["at"]) - began
    walks = [walk for walk in site.walks if evidence.cameras[walk.camera] == sighting["camera"]]
    best = max(walks, key=lambda walk: min(end, walk.until) - max(start, walk.at), default=None)
    return best if best and min(end, best.until) - max(start, best.at) > 0 else None


def _check_embeddings(site: Site, evidence: Evidence, tally: Tally) -> None:
    """Embeddings were made only while a walk that may be embedded was in view."""
    began = evidence.played.began
    allowed = [
        (walk.at, walk.until + SLACK) for walk in site.walks if walk.expect in ("known", "no_match", "ambiguous")
    ]
    for before, after in zip(evidence.samples, evidence.samples[1:], strict=False):
        if after.embeddings > before.embeddings:
            span = (before.at - began, after.at - began)
            held = any(span[1] >= start and span[0] <= end for start, end in allowed)
            count = after.embeddings - before.embeddings
            tally.expect(held, f"{count} embeddings at {span[0]:.1f} s, where nobody may be embedded")


def _check_events(site: Site, evidence: Evidence, tally: Tally) -> None:
    """The hub was told each event of the story, once and in time, and nothing else."""
    left = showings(evidence.changes, VISIT_KINDS)
    for event in site.events:
        found = next((change for change in left if _is(event, change, evidence)), None)
        label = f"{event.kind} of {event.person} in {event.zone} between {event.after:g} and {event.before:g} s"
        tally.expect(found is not None, f"hub: no {label}")
        if found is not None:
            left.remove(found)
    for change in left:
        at = moment(change.attributes["occurred_at"]) - evidence.played.began
        what = (
            f"{change.attributes['event_type']} of {change.attributes.get('alias')} ({change.entity_id}) at {at:.1f} s"
        )
        tally.expect(held=False, problem=f"hub: {what} is not in the story")


def _is(event: Expected, change: Change, evidence: Evidence) -> bool:
    at = moment(change.attributes["occurred_at"]) - evidence.played.began
    return (
        change.entity_id == evidence.entities.zone(event.zone, "visit")
        and change.attributes["event_type"] == event.kind
        and change.attributes["alias"] == evidence.played.aliases.get(event.person)
        and event.after <= at <= event.before
    )


def _check_log(site: Site, evidence: Evidence, tally: Tally) -> None:
    """The hub showed exactly the engine's log, each event once and in the log's order."""
    logged = [event["sequence"] for event in evidence.events if event["zone"] in site.zones]
    shown = [change.attributes["sequence"] for change in showings(evidence.changes, SHOWN_AS.values())]
    missing = sorted(set(logged) - set(shown))
    tally.expect(not missing, f"hub: events {missing} of the engine's log are missing")
    doubled = sorted(sequence for sequence, times in Counter(shown).items() if times > 1)
    tally.expect(not doubled, f"hub: events {doubled} were told twice")
    tally.expect(shown == sorted(shown), f"hub: events came out of order: {shown}")


def _check_signs(site: Site, evidence: Evidence, tally: Tally) -> None:
    """A zone's recognition follows its sign."""
    for step in site.steps:
        if step.do != "sign" or step.zone is None:
            continue
        entity, at = evidence.entities.zone(step.zone, "recognition_armed"), evidence.played.began + step.at
        wanted = "on" if step.lit else "off"
        held = any(
            change.entity_id == entity and change.state == wanted and at - 0.1 <= change.at <= at + SETTLE
            for change in evidence.changes
        )
        tally.expect(held, f"hub: {step.zone} is not {wanted} within {SETTLE:g} s of its sign at {step.at:g} s")


def _check_states(site: Site, evidence: Evidence, tally: Tally) -> None:
    """At the end every entity is there, and the counts are the story's."""
    for entity in evidence.entities.all():
        state = evidence.states.get(entity, {}).get("state", "missing")
        tally.expect(state not in ("missing", "unavailable"), f"hub: {entity} is {state} at the end")
    for zone in site.zones:
        begun = Counter(event.kind.value for event in site.events if event.zone == zone)
        counts = {
            "people_today": sum(site.cameras[walk.camera].zone == zone for walk in site.walks),
            "visits_today": begun["first_visit"] + begun["returning_visit"],
            "returning_today": begun["returning_visit"],
            "people_present": 0,
        }
        for key, count in counts.items():
            state = evidence.states.get(evidence.entities.zone(zone, key), {}).get("state")
            tally.expect(state == str(count), f"hub: {key} of {zone} is {state} instead of {count}")


def _check_forgotten(site: Site, evidence: Evidence, tally: Tally) -> None:
    """The alias of who withdrew is in no state any more."""
    gone = {step.person for step in site.steps if step.do == "withdraw"}
    for person in sorted(filter(None, gone)):
        alias = evidence.played.aliases.get(person)
        showing = [entity for entity, state in evidence.states.items() if alias and alias in str(state)]
        tally.expect(alias is not None and not showing, f"hub: {person} withdrew, and is still named by {showing}")


def _frame_to_hub(evidence: Evidence) -> list[float]:
    """Milliseconds from the receipt of an event's deciding frame to the hub's state change."""
    frames = {event["sequence"]: event["data"].get("frame_at") for event in evidence.events}
    return [
        (change.at - frame) * 1000
        for change in showings(evidence.changes, VISIT_KINDS)
        if (frame := frames.get(change.attributes["sequence"])) and not change.attributes.get("replayed")
    ]


def _quantile(values: list[float], share: float) -> float | None:
    """The smallest value that `share` of all are not above."""
    if not values:
        return None
    return round(values[max(0, math.ceil(share * len(values)) - 1)], 1)
