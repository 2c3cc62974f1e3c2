"""The check of the demo: a day that went as the story says has nothing wrong, and each way of going wrong is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from demo.check import check
from demo.evidence import Evidence
from demo.hub_setup import Entities
from demo.record import Change, Sample
from demo.steps import Played
from demo.timeline import Expected, ExpectedVerdict, Site, load

BEGAN = 1_800_000_000.0
LATE = 0.05  # seconds from the deciding frame to the hub


@pytest.fixture(scope="module")
def site() -> Site:
    return load()


@pytest.fixture
def day(site: Site) -> Evidence:
    """What is found when all goes as the story says."""
    cameras = {key: f"id-{key}" for key in site.cameras}
    keys = ("visit", "people_today", "people_present", "visits_today", "returning_today", "recognition_armed")
    unique = {f"e_zone_{zone}_{key}": f"sensor.{zone}_{key}" for zone in site.zones for key in keys}
    entities = Entities("e", unique | {"e_cases_waiting": "sensor.cases_waiting"})
    aliases = {
        step.person: f"alias {step.person}" for step in site.steps if step.do in {"consent", "pass"} and step.person
    }
    return Evidence(
        played=Played(BEGAN, aliases),
        devices=3,
        discovered=3,
        channels=len(cameras),
        cameras=cameras,
        entities=entities,
        status={"tracks": len(site.walks), "permits": 9, "embeddings": 20, "embeddings_without_permit": 0},
        camera_states=[{"id": key, "state": "online", "decoded": 1500, "analysed": 400} for key in cameras.values()],
        events=[_logged(number, event) for number, event in enumerate(site.events, 1)]
        + [_given(number, _zone_of(site, verdict)) for number, verdict in _numbered(site)],
        sightings=[_sighting(number, site, aliases) for number in range(len(site.walks))],
        visits=[_visit(verdict, aliases) for verdict in site.verdicts],
        samples=[Sample(BEGAN, 0, 0), Sample(BEGAN + 7, 3, 1), Sample(BEGAN + 12, 3, 1)],
        changes=[
            _shown(number, event, _visit_of(site, number), entities, aliases)
            for number, event in enumerate(site.events, 1)
        ]
        + [
            change
            for number, verdict in _numbered(site)
            for change in _said(number, verdict, entities.zone(_zone_of(site, verdict), "visit"), aliases)
        ]
        + [
            Change(
                entities.zone(step.zone, "recognition_armed"), "on" if step.lit else "off", {}, BEGAN + step.at + 0.3
            )
            for step in site.steps
            if step.do == "sign" and step.zone
        ],
        states={name: {"state": _state(site, name)} for name in entities.all()},
    )


def test_a_day_as_in_the_story_has_nothing_wrong(site: Site, day: Evidence) -> None:
    answer = check(site, day)
    assert answer["problems"] == []
    assert answer["wrong"] == 0
    assert answer["expected"] > len(site.walks) * 3 + len(site.events)
    assert answer["visits"] == sum(event.kind != "visit_ended" for event in site.events)
    assert answer["returning_visits"] == sum(event.kind == "returning_visit" for event in site.events)
    assert answer["hub_events"] == len(site.events)
    assert answer["verdicts"] == {"natural": 4, "channel": 4}
    assert answer["frame_to_hub_ms"] == {"p50": 50.0, "p95": 50.0}


def _embedded_where_nobody_may_be(day: Evidence) -> Evidence:
    return replace(day, samples=[*day.samples, Sample(BEGAN + 60.0, 3, 1), Sample(BEGAN + 60.25, 4, 1)])


def _unavailable(day: Evidence) -> Evidence:
    return replace(day, states=day.states | {"sensor.lane_visit": {"state": "unavailable"}})


def _still_named(day: Evidence) -> Evidence:
    named = {"state": "2026-03-02T09:00:00+00:00", "attributes": {"alias": "alias mei"}}
    return replace(day, states=day.states | {"sensor.lane_visit": named})


def _recognised_at_the_entrance(day: Evidence) -> Evidence:
    sightings = [dict(sighting) for sighting in day.sightings]
    seen = next(sighting for sighting in sightings if sighting["camera"] == "id-entrance")
    seen |= {"who": "known", "reason": None, "alias": "alias mei"}
    return replace(day, sightings=sightings)


def _shown_twice(day: Evidence) -> Evidence:
    again = replace(day.changes[0], state="2027-01-15T08:00:59.000+00:00", at=day.changes[0].at + 1)
    return replace(day, changes=[*day.changes, again])


def _taken_for_another(day: Evidence) -> Evidence:
    first = day.changes[0]
    return replace(
        day, changes=[replace(first, attributes=first.attributes | {"alias": "alias rosa"}), *day.changes[1:]]
    )


def _with_verdict(day: Evidence, visit: str, **other: Any) -> Evidence:
    assert any(row["visit"] == visit for row in day.visits)
    return replace(day, visits=[row | other if row["visit"] == visit else row for row in day.visits])


def _shows(change: Change, visit: str, event_type: str) -> bool:
    return (change.attributes.get("visit"), change.attributes.get("event_type")) == (visit, event_type)


def _with_shown(day: Evidence, visit: str, **other: Any) -> Evidence:
    """The verdict is shown otherwise."""
    return replace(
        day,
        changes=[
            replace(change, attributes=change.attributes | other) if _shows(change, visit, "attribution") else change
            for change in day.changes
        ],
    )


def _without(day: Evidence, visit: str, event_type: str) -> Evidence:
    """Something of the verdict is not shown."""
    return replace(day, changes=[change for change in day.changes if not _shows(change, visit, event_type)])


def _shown_anew(day: Evidence, visit: str, event_type: str, **other: Any) -> Evidence:
    """The hub is told more of the visit than the story has."""
    one = next(change for change in day.changes if _shows(change, visit, "attribution"))
    attributes = one.attributes | {"event_type": event_type, "sequence": 99} | other
    logged = {"sequence": 99, "kind": "verdict", "zone": "desk", "data": {}}
    return replace(day, changes=[*day.changes, replace(one, attributes=attributes)], events=[*day.events, logged])


WRONG: dict[str, tuple[Callable[[Evidence], Evidence], str]] = {
    "a camera was not discovered": (lambda day: replace(day, discovered=2), "discovery: found 2 devices of 3"),
    "a channel was not discovered": (lambda day: replace(day, channels=3), "discovery: found 3 channels of 4"),
    "a camera is down": (
        lambda day: replace(day, camera_states=[day.camera_states[0] | {"state": "offline"}, *day.camera_states[1:]]),
        "offline",
    ),
    "an embedding without a permit": (
        lambda day: replace(day, status=day.status | {"embeddings_without_permit": 1}),
        "1 embeddings without a permit",
    ),
    "an embedding of nobody who may be": (_embedded_where_nobody_may_be, "where nobody may be embedded"),
    "a step failed": (lambda day: replace(day, played=replace(day.played, problems=["9 s: it failed"])), "step 9 s"),
    "somebody was not seen": (lambda day: replace(day, sightings=day.sightings[1:]), "0 sightings of 1 people"),
    "recognised where nobody is": (_recognised_at_the_entrance, "recognised as"),
    "an event is missing in the hub": (lambda day: replace(day, changes=day.changes[1:]), "are missing"),
    "an event was told twice": (_shown_twice, "were told twice"),
    "a visit is somebody else's": (_taken_for_another, "is not in the story"),
    "the sign was not followed": (
        lambda day: replace(day, changes=[change for change in day.changes if change.state != "off"]),
        "is not off within",
    ),
    "an entity is gone": (_unavailable, "is unavailable at the end"),
    "somebody who withdrew is still named": (_still_named, "is still named by"),
    "a visit has no verdict": (lambda day: _with_verdict(day, "rosa-1", attribution=None), "visit 1 of rosa came to"),
    "a visit is another partner's": (lambda day: _with_verdict(day, "rosa-2", partner="harbor"), "visit 2 of rosa"),
    "another rule decided": (lambda day: _with_verdict(day, "pia-2", rule="referral_valid"), "visit 2 of pia"),
    "a risk is not told": (lambda day: _with_verdict(day, "lin-2", risks=["intercepted"]), "visit 2 of lin"),
    "a return is taken for a first visit": (lambda day: _with_verdict(day, "lin-2", earlier=0), "visit 2 of lin"),
    "a verdict outlives its evidence unmarked": (
        lambda day: _with_verdict(day, "mei-2", evidence_erased=False),
        "visit 2 of mei",
    ),
    "a verdict is missing in the hub": (
        lambda day: _without(day, "pia-1", "attribution"),
        "visit 1 of pia was shown last as None",
    ),
    "the hub names another partner": (
        lambda day: _with_shown(day, "rosa-1", partner="harbor"),
        "visit 1 of rosa was shown last as",
    ),
    "the hub shows a risk that there is not": (
        lambda day: _with_shown(day, "lin-1", risks=["late_referral"]),
        "visit 1 of lin was shown last as",
    ),
    "the hub takes a return for a first visit": (
        lambda day: _with_shown(day, "rosa-2", returning=0),
        "visit 2 of rosa was shown last as",
    ),
    "the hub asks nobody to review": (
        lambda day: _with_shown(day, "mei-1", needs_review=False),
        "visit 1 of mei was shown last as",
    ),
    "the hub shows a verdict as somebody else's": (
        lambda day: _with_shown(day, "lin-1", alias="alias rosa"),
        "visit 1 of lin was shown last as",
    ),
    "what was confirmed is not": (
        lambda day: _with_shown(day, "pia-1", state="proposed"),
        "visit 1 of pia was shown last as",
    ),
    "the hub's last word holds no more": (
        lambda day: _shown_anew(day, "rosa-2", "attribution", attribution="natural", partner=None, rule="natural"),
        "visit 2 of rosa was shown last as",
    ),
    "that a visit is a partner's is missing in the hub": (
        lambda day: _without(day, "rosa-1", "channel_visit"),
        "visit 1 of rosa became that of []",
    ),
    "a natural visit became a partner's for a while": (
        lambda day: _shown_anew(day, "lin-1", "channel_visit", partner="acme"),
        "visit 1 of lin became that of ['acme']",
    ),
    "a new risk is missing in the hub": (
        lambda day: _without(day, "mei-1", "risk_raised"),
        "visit 1 of mei raised []",
    ),
    "a risk was raised that there is not": (
        lambda day: _shown_anew(day, "rosa-1", "risk_raised", risks=["intercepted"]),
        "visit 1 of rosa raised [['intercepted']]",
    ),
    "too few cases wait": (
        lambda day: replace(day, states=day.states | {"sensor.cases_waiting": {"state": "2"}}),
        "2 cases wait, of the story 3",
    ),
    "a visit is lost": (lambda day: replace(day, visits=day.visits[1:]), "has 7 visits, the story 8"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_went_wrong_is_said(site: Site, day: Evidence, what: str) -> None:
    change, said = WRONG[what]
    answer = check(site, change(day))
    assert answer["wrong"] == len(answer["problems"]) > 0
    assert any(said in problem for problem in answer["problems"])


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(BEGAN + seconds, UTC).isoformat(timespec="milliseconds")


def _at(event: Expected) -> float:
    return (event.after + event.before) / 2


def _logged(number: int, event: Expected) -> dict[str, Any]:
    frame = {} if event.kind == "visit_ended" else {"frame_at": BEGAN + _at(event)}
    return {"sequence": number, "kind": event.kind.value, "zone": event.zone, "data": frame}


def _visit_of(site: Site, number: int) -> int:
    """Which of the person's visits an event tells of."""
    person, so_far = site.events[number - 1].person, site.events[:number]
    return sum(event.person == person and event.kind != "visit_ended" for event in so_far)


def _shown(number: int, event: Expected, visit: int, entities: Entities, aliases: dict[str, str]) -> Change:
    attributes = {
        "event_type": event.kind.value,
        "sequence": number,
        "occurred_at": _moment(_at(event)),
        "replayed": False,
        "alias": aliases[event.person],
        "visit": f"{event.person}-{visit}",
    }
    return Change(entities.zone(event.zone, "visit"), _moment(_at(event) + LATE), attributes, BEGAN + _at(event) + LATE)


def _numbered(site: Site) -> Iterator[tuple[int, ExpectedVerdict]]:
    """The verdicts, each with the number of its event."""
    return enumerate(site.verdicts, len(site.events) + 1)


def _zone_of(site: Site, verdict: ExpectedVerdict) -> str:
    """Where the visit began."""
    begun = [event.zone for event in site.events if event.person == verdict.person and event.kind != "visit_ended"]
    return begun[verdict.visit - 1]


def _given(number: int, zone: str) -> dict[str, Any]:
    return {"sequence": number, "kind": "verdict", "zone": zone, "data": {}}


def _said(number: int, verdict: ExpectedVerdict, entity: str, aliases: dict[str, str]) -> Iterator[Change]:
    """What the hub shows of a verdict: what is new in it, and then the whole."""
    attributes = {
        "sequence": number,
        "occurred_at": _moment(90),
        "replayed": False,
        "alias": aliases[verdict.person],
        "visit": f"{verdict.person}-{verdict.visit}",
        "attribution": verdict.attribution,
        "partner": verdict.partner,
        "rule": verdict.rule,
        "risks": list(verdict.risks),
        "needs_review": bool(verdict.risks),
        "returning": verdict.visit - 1,
        "state": verdict.state,
    }
    types = {"channel_visit": verdict.attribution == "channel", "risk_raised": verdict.risks, "attribution": True}
    for event_type in (event_type for event_type, is_new in types.items() if is_new):
        yield Change(entity, _moment(90 + LATE), {"event_type": event_type} | attributes, BEGAN + 90 + LATE)


def _visit(verdict: ExpectedVerdict, aliases: dict[str, str]) -> dict[str, Any]:
    """A row of the engine's list; mei withdrew."""
    erased = verdict.person == "mei"
    return {
        "visit": f"{verdict.person}-{verdict.visit}",
        "alias": None if erased else aliases[verdict.person],
        "earlier": verdict.visit - 1,
        "attribution": verdict.attribution,
        "partner": verdict.partner,
        "rule": verdict.rule,
        "risks": list(verdict.risks),
        "evidence_erased": erased,
    }


def _sighting(number: int, site: Site, aliases: dict[str, str]) -> dict[str, Any]:
    walk = site.walks[number]
    known = walk.expect == "known"
    return {
        "camera": f"id-{walk.camera}",
        "track": number,
        "started_at": _moment(walk.at + 0.8),
        "at": _moment(walk.until - 0.8),
        "who": "known" if known else "unknown",
        "reason": None if known else walk.expect,
        "alias": aliases[walk.person] if known else None,
    }


def _state(site: Site, entity: str) -> str:
    if entity == "sensor.cases_waiting":
        return str(sum(bool(verdict.risks) for verdict in site.verdicts))
    zone, _, key = entity.removeprefix("sensor.").partition("_")
    kinds = [event.kind.value for event in site.events if event.zone == zone]
    counts = {
        "people_today": sum(site.cameras[walk.camera].zone == zone for walk in site.walks),
        "people_present": 0,
        "visits_today": kinds.count("first_visit") + kinds.count("returning_visit"),
        "returning_today": kinds.count("returning_visit"),
    }
    return str(counts.get(key, "on"))
