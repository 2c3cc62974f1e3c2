"""The story: what the site file says is checked, and the real one makes sense."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from demo.stage import VISIT_GAP
from demo.timeline import SITE, ExpectedVerdict, Site, Step, Walk, load
from nvr_bridge.errors import InvalidError
from nvr_bridge.models import EventKind, ZoneKind
from nvr_bridge.values import duration
from nvr_bridge.visits.evidence import (
    CheckIn,
    Erased,
    Evidence,
    PassEvidence,
    Referral,
    Review,
    Settings,
    SightingEvidence,
    contact,
)
from nvr_bridge.visits.replay import replay

SHARES = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999]
NOON = 1_800_014_400.0  # the demo plays at noon
KEY = b"demo"


@pytest.fixture(scope="module")
def site() -> Site:
    return load()


def test_every_walk_shows_the_face_for_five_seconds_and_large_enough(site: Site) -> None:
    for walk in site.walks:
        moments = [walk.at + index / 15 for index in range(int(walk.seconds * 15))]
        places = [walk.placed(moment) for moment in moments]
        seen = [place for place in places if place is not None and 0.08 < place.x < 0.92]
        assert len(seen) / 15 >= 5, walk
        assert all(60 <= place.face <= 110 for place in seen), walk


def test_a_walker_comes_from_outside_the_picture_and_leaves_it(site: Site) -> None:
    for walk in site.walks:
        first, last = walk.placed(walk.at), walk.placed(walk.until - 1e-6)
        assert first is not None
        assert last is not None
        for place in (first, last):
            assert not -0.15 < place.x < 1.15, walk
        assert walk.placed(walk.at - 0.01) is None
        assert walk.placed(walk.until) is None


def test_walkers_move_no_faster_than_people_do(site: Site) -> None:
    for walk in site.walks:
        places = [walk.placed(walk.at + walk.seconds * share) for share in SHARES]
        for before, after, step in zip(places, places[1:], itertools.pairwise(SHARES), strict=False):
            assert before is not None
            assert after is not None
            seconds = (step[1] - step[0]) * walk.seconds
            metres = abs(after.x - before.x) * 640 / before.face * 0.15  # a face is about 0.15 m wide
            assert metres / seconds < 1.5, walk


def test_from_the_right_is_the_mirror_image(site: Site) -> None:
    left, right = (next(walk for walk in site.walks if walk.person == name) for name in ("tess", "june"))
    for share in SHARES:
        one, other = (walk.placed(walk.at + share * walk.seconds) for walk in (left, right))
        assert one is not None
        assert other is not None
        assert one.x + other.x == pytest.approx(1)
        assert one.face == other.face


def test_two_people_are_together_in_the_lobby_and_never_cover_each_other(site: Site) -> None:
    together = [site.present("lobby", second / 10) for second in range(int(site.length * 10))]
    pairs = [places for places in together if len(places) == 2]
    assert pairs
    for one, other in pairs:
        assert abs(one.x - other.x) * 640 > one.face + other.face


def test_nobody_is_at_the_desk_with_another_and_each_consent_meets_its_person_alone(site: Site) -> None:
    consents = [step for step in site.steps if step.do == "consent"]
    assert {step.person for step in consents} >= {"mei", "lin"}
    for step in consents:
        assert step.zone is not None
        assert site.zones[step.zone].kind is ZoneKind.CONSENT_POINT
        assert [place.walk.person for place in site.present("desk", step.at)] == [step.person]


def test_the_expected_sightings_follow_from_the_steps(site: Site) -> None:
    agreed: set[str] = set()
    lit = True
    steps = list(site.steps)
    for walk in sorted(site.walks, key=lambda walk: walk.until):
        acted = lit_then = False
        while steps and steps[0].at < walk.until:
            step = steps.pop(0)
            if step.do == "sign":
                lit = bool(step.lit)
            elif step.do in {"consent", "withdraw"}:
                assert step.person is not None
                (agreed.add if step.do == "consent" else agreed.discard)(step.person)
        for step in site.steps:
            if step.do == "act" and walk.at < step.at < walk.until and site.cameras[walk.camera].zone == step.zone:
                acted, lit_then = True, lit
        assert walk.expect == _expected(site, walk.camera, walk.person in agreed, acted, lit_then), walk


def _expected(site: Site, camera: str, agreed: bool, acted: bool, lit: bool) -> str:
    match site.zones[site.cameras[camera].zone].kind:
        case ZoneKind.OBSERVE:
            return "observed_only"
        case ZoneKind.CONSENT_POINT:
            return "known" if agreed else "no_act"
        case ZoneKind.OPT_IN_LANE if not acted:
            return "no_act"
    if not lit:
        return "not_armed"
    return "known" if agreed else "no_match"


def test_the_expected_events_follow_from_who_is_known_and_from_the_passes(site: Site) -> None:
    known = [(walk.person, site.cameras[walk.camera].zone, walk) for walk in site.walks if walk.expect == "known"]
    told = [(step.person, step.zone, _walk_of(site, step)) for step in site.steps if step.do in {"check_in", "scan"}]
    first = {walk: (person, zone) for person, zone, walk in known + told}
    visits = [(person, zone, walk) for walk, (person, zone) in sorted(first.items(), key=lambda one: one[0].at)]
    begun = [event for event in site.events if event.kind in {EventKind.FIRST_VISIT, EventKind.RETURNING_VISIT}]
    assert [(event.person, event.zone) for event in begun] == [(person, zone) for person, zone, _ in visits]
    visitors: set[str] = set()
    for event, (_, _, walk) in zip(begun, visits, strict=True):
        assert event.kind is (EventKind.RETURNING_VISIT if event.person in visitors else EventKind.FIRST_VISIT)
        assert walk.at < event.after < event.before <= walk.until + 1
        visitors.add(event.person)
    ended = [event for event in site.events if event.kind is EventKind.VISIT_ENDED]
    assert len(ended) == len(begun) - 1, "the last visit is still open when the story ends"


def test_whoever_leaves_a_number_or_shows_a_pass_is_in_view_there(site: Site) -> None:
    for step in site.steps:
        if step.do in {"check_in", "scan"}:
            assert site.cameras[_walk_of(site, step).camera].zone == step.zone


def test_every_visit_is_registered_so_that_no_verdict_waits_for_the_close_of_day(site: Site) -> None:
    registered = [_walk_of(site, step) for step in site.steps if step.do in {"check_in", "scan"}]
    assert len(registered) == len(set(registered)) == len(site.verdicts)


@pytest.mark.parametrize("error", ["site", 4.0])
def test_the_expected_verdicts_follow_from_the_rules_and_hang_on_no_clock(site: Site, error: str | float) -> None:
    clock_error = duration(site.attribution["clock_error"]) if error == "site" else float(error)
    settings = Settings(lead_time=duration(site.attribution["lead_time"]), visit_gap=VISIT_GAP, clock_error=clock_error)
    visits: dict[str, list[ExpectedVerdict]] = {}
    for visit in replay(_evidence(site), settings).visits:
        theirs = visits.setdefault(visit.name, [])
        verdict = visit.verdict
        theirs.append(
            ExpectedVerdict(
                visit.name,
                len(theirs) + 1,
                verdict.attribution,
                verdict.partner,
                verdict.rule,
                visit.facts.risks,
                "confirmed" if visit.review else "proposed",
            )
        )
        assert visit.returning == len(theirs) - 1
    assert sorted(site.verdicts, key=str) == sorted((one for theirs in visits.values() for one in theirs), key=str)


def test_the_story_shows_what_a_sales_manager_asks_about(site: Site) -> None:
    """A natural visit, a valid referral, a late one, a changed contact, a protected return, and somebody who declined."""
    rules = {verdict.rule for verdict in site.verdicts}
    assert rules >= {"natural", "referral_valid", "late_referral", "channel_protected"}
    assert {"late_referral", "contact_changed"} <= {risk for verdict in site.verdicts for risk in verdict.risks}
    (declined,) = {step.person for step in site.steps if step.do == "pass"}
    assert all(walk.expect in {"no_act", "observed_only"} for walk in site.walks if walk.person == declined)
    assert [verdict.attribution for verdict in site.verdicts if verdict.person == declined] == ["channel", "channel"]


def _walk_of(site: Site, step: Step) -> Walk:
    """The walk of a step's person in which it falls."""
    (walk,) = [walk for walk in site.walks if walk.person == step.person and walk.at < step.at < walk.until]
    return walk


def _evidence(site: Site) -> list[Evidence]:
    """What the engine will have been told when the story ends, in whatever order."""
    found: list[Evidence] = []
    for walk in site.walks:
        if walk.expect == "known":
            seconds = [walk.at + 0.8, (walk.at + walk.until) / 2, walk.until - 0.8]
            found += [SightingEvidence(NOON + at, walk.person, score=0.7, margin=0.3) for at in seconds]
    for number, step in enumerate(site.steps):
        at, person, given = NOON + step.at, step.person or "", step.contact or ""
        match step.do:
            case "check_in":
                found.append(CheckIn(at, contact(given, KEY), person))
            case "scan":
                found.append(PassEvidence(at, person))
            case "referral":
                found.append(Referral(at, f"r{number}", step.partner or "", contact(given, KEY)))
            case "withdraw":
                found.append(Erased(at, person))
            case "confirm":
                found.append(_confirmed(site, step, number))
    return found


def _confirmed(site: Site, step: Step, number: int) -> Review:
    """The person's newest visit stays what it is."""
    person = step.person or ""
    came = [one for one in site.steps[:number] if one.person == person and one.do in {"check_in", "scan"}]
    (verdict,) = [one for one in site.verdicts if (one.person, one.visit) == (person, len(came))]
    return Review(NOON + step.at, person, NOON + came[-1].at, verdict.attribution, verdict.partner)


def test_she_returns_with_another_photo(site: Site) -> None:
    first, second = site.people["mei"]
    assert first.photo != second.photo
    known = [walk.look for walk in site.walks if walk.person == "mei" and walk.expect == "known"]
    assert known == [0, 1]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("length: 97", "length: 90", "story's ends"),
        ("person: vera, path: through, from: right", "person: veronica, path: through", "veronica at 16 s: look 0"),
        (
            "person: mei, look: 1, path: through, expect: known",
            "person: mei, look: 2, path: stay, expect: known",
            "look",
        ),
        ("camera: lobby, person: vera", "camera: roof, person: vera", "camera roof"),
        (
            "{at: 56, seconds: 8, camera: desk, person: pia",
            "{at: 50, seconds: 8, camera: desk, person: pia",
            "two places",
        ),
        ("path: stay, from: right", "path: slide, from: right", "path slide"),
        ("do: withdraw, person: mei", "do: withdraw, persona: mei", "persona"),
        ("do: sign, zone: lane,", "do: sign, zone: lanes,", "zone lanes"),
        ("expect: not_armed", "expect: unarmed", "walks"),
        ("sub: hevc", "sub: vp9", "sub"),
        ("steps:", "steps: [", "site.yaml"),
        ("do: pass, person: pia", "do: pass", "pass at 58 s: person: is missing"),
        ("do: referral, partner: acme", "do: referral", "referral at 26 s: partner: is missing"),
        ("do: referral, partner: acme", "do: referral, partner: acne", "partner acne: there is none"),
        ("risks: [late_referral]", "risks: [late]", "risks"),
        ("state: confirmed", "state: sure", "state"),
    ],
)
def test_a_site_file_with_a_mistake_is_refused_in_words(tmp_path: Path, old: str, new: str, problem: str) -> None:
    text = SITE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "site.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidError, match=problem):
        load(file)
