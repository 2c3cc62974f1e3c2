"""What holds of every story: order is nothing, strangers change nobody, and no doubt is settled in silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from attribution_stories import (
    BEGIN,
    DAY,
    HOUR,
    KEY,
    PARTNERS,
    SETTINGS,
    VISITORS,
    exact,
    rows,
    stories,
    times,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nvr_bridge.visits.attribution import Judged
from nvr_bridge.visits.evidence import (
    CheckIn,
    Contact,
    Erased,
    Evidence,
    PassEvidence,
    Referral,
    Review,
    SightingEvidence,
    Signing,
    contact,
)
from nvr_bridge.visits.explain import visit_row
from nvr_bridge.visits.replay import replay
from nvr_bridge.visits.rulebook import Rulebook
from nvr_bridge.visits.timeline import Moment

# Found once and for all: a run in continuous integration tries the same stories each time.
settings.register_profile("stories", max_examples=150, deadline=None, derandomize=True, database=None)
settings.load_profile("stories")
# The visit gap apart: how long one visit lasts may say who another visitor was.
CHANGES: tuple[dict[str, Any], ...] = (
    *({"lead_time": seconds} for seconds in (0.0, 600.0, HOUR)),
    *({"validity": seconds} for seconds in (HOUR, DAY / 2, 2 * DAY)),
    *({"protection": seconds} for seconds in (0.0, DAY, 4 * DAY)),
    *({"natural_protection": seconds} for seconds in (0.0, 3 * DAY)),
    {"winner": "undetermined"},
)
slow = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@slow
@given(stories(), st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(events: list[Evidence], random: Random) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    assert rows(shuffled) == rows(events)


@slow
@given(stories(), stories(longest=6), st.booleans())
def test_a_stranger_changes_nobody(events: list[Evidence], others: list[Evidence], first: bool) -> None:
    strangers = [_strange(event) for event in others]
    together = rows([*strangers, *events] if first else [*events, *strangers])
    alone = rows(events)
    theirs = rows(strangers)
    assert [visit for visit in together["visits"] if visit in alone["visits"]] == alone["visits"]
    assert len(together["visits"]) == len(alone["visits"]) + len(theirs["visits"])
    assert [one for one in together["signings"] if not one["id"].startswith("strange")] == alone["signings"]


@slow
@given(stories(), st.data())
def test_a_clean_verdict_stays_whatever_the_clocks_really_showed(events: list[Evidence], data: st.DataObject) -> None:
    book = _changed(data.draw(times), data.draw(st.lists(st.sampled_from(CHANGES), max_size=3)))
    wrongs = data.draw(
        st.lists(st.sampled_from((-1.0, -0.5, 0.0, 0.5, 1.0)), min_size=len(events), max_size=len(events))
    )
    really = [exact(event, wrong) for event, wrong in zip(events, wrongs, strict=True)]
    answers = {
        key: visit.verdict.answer for visit in replay(really, book).visits for key in _presences(visit.stay.moments)
    }
    for visit in replay(events, book).visits:
        if visit.verdict.attribution != "undetermined":
            for key in _presences(visit.stay.moments):
                assert answers[key] in {visit.verdict.answer, ("undetermined", None)}, key


@slow
@given(stories(), st.data())
def test_a_clean_verdict_stays_whoever_a_masked_contact_is(events: list[Evidence], data: st.DataObject) -> None:
    visits = replay(events, SETTINGS).visits
    told: list[Evidence] = []
    for event in events:
        if isinstance(event, Referral) and event.contact.full is None:
            fitting = _fitting(event, visits)
            told.append(replace(event, contact=data.draw(st.sampled_from(fitting))) if fitting else event)
        else:
            told.append(event)
    answers = {(visit.name, visit.stay.start): visit.verdict.answer for visit in replay(told, SETTINGS).visits}
    for visit in visits:
        if visit.verdict.attribution != "undetermined":
            assert answers[visit.name, visit.stay.start] in {visit.verdict.answer, ("undetermined", None)}


@slow
@given(stories())
def test_what_is_seen_below_the_bar_alone_is_never_clean_and_nobodys_earlier_visit(events: list[Evidence]) -> None:
    visits = replay(events, SETTINGS).visits
    for visit in visits:
        if not any(moment.certain for moment in visit.stay.moments):
            assert visit.verdict.attribution == "undetermined"
        before = [
            one for one in visits if one.name == visit.name and one.stay.start < visit.stay.start and one.stay.certain
        ]
        assert visit.returning == len(before)


@slow
@given(stories())
def test_every_presence_is_on_one_visit_and_every_visit_on_one_day(events: list[Evidence]) -> None:
    found = rows(events)
    present = [event for event in events if isinstance(event, SightingEvidence | PassEvidence | CheckIn | Signing)]
    moments = [moment for visit in replay(events, SETTINGS).visits for moment in visit.stay.moments]
    assert len(moments) == len(present)
    counted = sum(day["natural"] + day["channel"] + day["undetermined"] for day in found["daily"])
    assert counted == sum(visit["attribution"] != "staff" for visit in found["visits"])
    for visit in found["visits"]:
        assert visit["needs_review"] == (visit["attribution"] == "undetermined" or visit["risks"] != [])
        assert (visit["attribution"] == "channel") == (visit["partner"] is not None)


@slow
@given(
    st.lists(st.tuples(times, st.booleans()), min_size=1, max_size=6),
    st.lists(st.tuples(times, st.sampled_from(PARTNERS))),
)
def test_a_new_pass_every_time_gives_the_verdicts_that_one_pass_gives(
    visits: list[tuple[float, bool]], referrals: list[tuple[float, str]]
) -> None:
    number = contact("13800000001", KEY)
    claims: list[Evidence] = [
        Referral(at, f"r{index}", partner, number) for index, (at, partner) in enumerate(referrals)
    ]
    one_pass: list[Evidence] = list(claims)
    new_passes: list[Evidence] = list(claims)
    for index, at in enumerate(sorted({at for at, _ in visits})):
        for events, visitor in ((one_pass, "v1"), (new_passes, f"v{index + 1}")):
            events += [PassEvidence(at, visitor), CheckIn(at, number, visitor)]
    assert _verdicts(rows(new_passes)) == _verdicts(rows(one_pass))


@slow
@given(stories(), st.data())
def test_a_reviewed_verdict_is_never_changed_by_what_arrives_later(events: list[Evidence], data: st.DataObject) -> None:
    visits = [visit for visit in replay(events, SETTINGS).visits if visit.stay.moments[0].node in VISITORS]
    if not visits:
        return
    visit = data.draw(st.sampled_from(visits))
    review = Review(BEGIN + 9 * DAY, visit.stay.moments[0].node, visit.stay.start, "channel", "gamma")
    known = [*events, review]
    later = data.draw(stories(longest=4))
    more = [_renamed(event) for event in later]
    for arrived in (known, [*known, *more]):
        found = [one for one in replay(arrived, SETTINGS).visits if one.review is not None]
        assert [one.verdict.answer for one in found] == [("channel", "gamma")]
        assert arrived is not known or "evidence_changed" not in found[0].facts.risks


@slow
@given(stories(), times, st.lists(st.sampled_from(CHANGES), min_size=1, max_size=4))
def test_a_change_of_settings_changes_nothing_of_a_visit_that_began_before(
    events: list[Evidence], when: float, changes: list[dict[str, Any]]
) -> None:
    book = _changed(when, changes)
    before = replay(events, SETTINGS).visits
    after = {(one.name, one.stay.start): visit_row(one, book) for one in replay(events, book).visits}
    for visit in before:
        if visit.stay.start + visit.stay.error < when:
            assert after[visit.name, visit.stay.start] == visit_row(visit, SETTINGS)


@slow
@given(stories(), st.sampled_from(VISITORS))
def test_an_erasure_changes_no_verdict_that_was_settled(events: list[Evidence], visitor: str) -> None:
    before = rows(events)
    erased = rows([*events, Erased(BEGIN + 9 * DAY, visitor)])
    keys = ("person", "start", "attribution", "partner", "rule", "risks", "returning")
    assert [[visit[key] for key in keys] for visit in erased["visits"]] == [
        [visit[key] for key in keys] for visit in before["visits"]
    ]
    assert erased["daily"] == before["daily"]


# --- helpers ------------------------------------------------------------------------------------------------------


def _changed(when: float, changes: Sequence[dict[str, Any]]) -> Rulebook:
    """The settings, changed at one moment."""
    book = Rulebook(SETTINGS)
    for change in changes:
        book = book.with_change(when, replace(book.now, **change))
    return book


def _strange(event: Evidence) -> Evidence:
    """The same event, of somebody who has nothing in common with the others."""
    changes: dict[str, object] = {}
    for field in ("visitor", "document", "referral", "signing"):
        if (value := getattr(event, field, None)) is not None:
            changes[field] = f"strange-{value}"
    for field in ("visitors", "co_signers"):
        if hasattr(event, field):
            changes[field] = tuple(f"strange-{value}" for value in getattr(event, field))
    if (number := getattr(event, "contact", None)) is not None:
        full = None if number.full is None else f"strange-{number.full}"
        changes["contact"] = replace(number, mask=f"strange-{number.mask}", full=full)
    return replace(event, **changes)  # type: ignore[arg-type]


def _renamed(event: Evidence) -> Evidence:
    """The same event with a name of its own, as a second one of a story may have the name of a first."""
    if isinstance(event, Referral):
        return replace(event, referral=f"later-{event.referral}")
    return replace(event, signing=f"later-{event.signing}") if isinstance(event, Signing) else event


def _presences(moments: Sequence[Moment]) -> list[object]:
    """What certain presences are known by: a sighting by its score, for its time may be corrected."""
    return [(one.node, one.kind, one.at if one.score is None else one.score) for one in moments if one.certain]


def _fitting(referral: Referral, visits: Sequence[Judged]) -> list[Contact]:
    """Numbers that a masked referral may mean: of those who visited while it was valid, and gave one such number only."""
    there = {
        visit.name
        for visit in visits
        if referral.at - visit.stay.error <= visit.stay.start <= referral.at + SETTINGS.validity + visit.stay.error
    }
    fitting: dict[str, set[Contact]] = {}
    for visit in visits:
        if visit.name in there:
            given = {one for one in visit.stay.contacts if one.mask == referral.contact.mask}
            fitting[visit.name] = fitting.get(visit.name, set()) | given
    if any(len(given) > 1 for given in fitting.values()):
        return []
    return sorted({one for given in fitting.values() for one in given}, key=lambda one: one.full or "")


def _verdicts(found: dict[str, object]) -> list[object]:
    visits = found["visits"]
    assert isinstance(visits, list)
    keys = ("start", "end", "attribution", "partner", "rule", "returning", "risks", "needs_review")
    return [[visit[key] for key in keys] for visit in visits]
