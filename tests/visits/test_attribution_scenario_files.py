"""What is wrong in a scenario file is told with its line, the field and the remedy; what is right is read as it was written."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from nvr_bridge.errors import InvalidError, NotFoundError
from nvr_bridge.visits.evidence import CheckIn, Referral, Review, SightingEvidence, Signing
from nvr_bridge.visits.scenario import load, read

AT = 'at: "2026-03-02T09:00"'


def one(body: str, settings: str = "timezone: Asia/Shanghai") -> str:
    return f"settings: {{{settings}}}\nevents:\n  - {{{AT}, {body}}}\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1: events: missing; a scenario begins with `events:`"),
        ("- a\n- b\n", "line 1: scenario: must hold named fields"),
        ("settings: {}\n", "line 1: events: must be a list"),
        ("events: {}\n", "line 1: events: must be a list"),
        ("events: []\nevent: []\n", "line 2: event: no such field; did you mean events"),
        ("events: [\n", "line 2: not YAML"),
        ("events: []\n---\nevents: []\n", "line 2: a second document begins here"),
        ("events: &all []\n", "line 1: anchors and aliases"),
        ("events:\n  - {at: x, at: y}\n", "line 2: at: given twice"),
        ("events:\n  - {[a]: x}\n", "line 2: a name must be a word"),
        ("events: [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]\n", "line 1: nested more than 12 deep"),
        (
            "settings: {lead_time: soon}\nevents: []\n",
            "line 1: settings.lead_time: soon is no duration; write it as 90s",
        ),
        ("settings: {lead_time: 30}\nevents: []\n", "line 1: settings.lead_time: 30 is no duration"),
        ("settings: {winner: last}\nevents: []\n", "settings.winner: last is none of first_declared, undetermined"),
        ("settings: {close_of_day: 8pm}\nevents: []\n", "settings.close_of_day: 8pm is no time of day"),
        ("settings: {timezone: Shanghai}\nevents: []\n", "settings.timezone: Shanghai is no time zone"),
        (
            "settings:\n  match: {score: high}\nevents: []\n",
            "line 2: settings.match.score: high is no number from -1 to 1",
        ),
        ("settings: {leadtime: 30m}\nevents: []\n", "settings.leadtime: no such field; did you mean lead_time"),
        ("events:\n  - pass\n", "line 2: event: must hold `at` and one kind"),
        ("events:\n  - {pass: {visitor: v1}}\n", "line 2: event.at: missing; give it"),
        (one(""), "line 3: event: holds nothing besides `at`; give exactly one of sighting, pass"),
        (one("pass: {visitor: v1}, staff: {visitor: v1}"), "line 3: event: holds pass, staff besides `at`"),
        (one("scan: {visitor: v1}"), "line 3: event: holds scan besides `at`; give exactly one of"),
        (one("pass: v1"), "line 3: pass: must hold named fields, such as {visitor: v1}"),
        (one("pass: {}"), "line 3: pass.visitor: missing; give it"),
        (one("pass: {visitor: ''}"), "line 3: pass.visitor: empty; give it, or leave the field out"),
        (one("pass: {visitor: [v1]}"), "line 3: pass.visitor: must be one word"),
        (one("pass: {visitor: v1, zone: lane}"), "line 3: pass.zone: no such field; known here: visitor"),
        (one("sighting: {visitor: v1, score: 0.6}"), "line 3: sighting.margin: missing; give it"),
        (one("sighting: {visitor: v1, score: nan, margin: 0}"), "sighting.score: nan is no number"),
        (one("sighting: {visitor: v1, score: 0.6, margin: 0, clock_error: -2s}"), "clock_error: -2s is no duration"),
        (one("check_in: {visitor: v1}"), "line 3: check_in.contact: missing"),
        (one('check_in: {contact: "138****0001"}'), "check_in.contact: masked; only a referral may be"),
        (one('check_in: {contact: "13800"}'), "check_in.contact: neither a telephone number nor one with its four"),
        (one('referral: {id: r1, partner: a, contact: "138***0001"}'), "referral.contact: neither a telephone number"),
        (one('referral: {id: r1, contact: "13800000001"}'), "line 3: referral.partner: missing"),
        (one('referral: {id: r1, partner: a, contact: "13800000001", expected: noon}'), "expected: noon is no time"),
        (one("withdraw: {referral: r1}"), "line 3: withdraw.referral: there is no referral r1; name one of this file"),
        (one("signing: {id: s1}"), "line 3: signing.visitor: missing; give it, or a document or contact"),
        (one("signing: {id: s1, visitor: v1, co_signers: [v1]}"), "signing.co_signers: v1 is the one who signs"),
        (one("signing: {id: s1, visitor: v1, co_signers: v2}"), "signing.co_signers: must be a list, such as [v1, v2]"),
        (one('staff: {visitor: v1, until: "2026-03-01T09:00"}'), "staff.until: not after `at`"),
        (one("split: {visitors: [v1]}"), "split.visitors: needs 2 or more different entries"),
        (one("merge: {visitors: [v1, v1]}"), "merge.visitors: needs 2 or more different entries"),
        (one("merge: {visitors: [v1, [v2]]}"), "merge.visitors: every entry must be one word"),
        (one("settings: {timezone: UTC}"), "line 3: settings.timezone: no such field; known here: lead_time, validity"),
        (one("settings: {lead_time: soon}"), "line 3: settings.lead_time: soon is no duration"),
        (one("settings: {lead_time: 1m}, pass: {visitor: v1}"), "line 3: settings: give `at` and `settings` alone"),
        (
            one("settings: {lead_time: 1m}") + '  - {at: "2026-03-01T09:00", settings: {lead_time: 2m}}\n',
            "line 4: settings: before the change above it; give changes in the order of time",
        ),
        (
            one('review: {visitor: v1, visit_at: "2026-03-02T09:00", attribution: ours}'),
            "review.attribution: ours is none of",
        ),
        (one('review: {visitor: v1, visit_at: "2026-03-02T09:00", attribution: channel}'), "review.partner: missing"),
        (
            one('review: {visitor: v1, visit_at: "2026-03-02T09:00", attribution: natural, partner: acme}'),
            "review.partner: given, but the verdict is natural",
        ),
    ],
)
def test_a_mistake_is_told_with_line_field_and_remedy(text: str, complaint: str) -> None:
    with pytest.raises(InvalidError) as err:
        read(text)
    assert complaint in str(err.value)
    assert str(err.value).startswith("line ")
    assert "\n" not in str(err.value)


@pytest.mark.parametrize(
    ("at", "complaint"),
    [
        ("2026-03-02", "is no time; write it as 2026-03-02T09:00"),
        ("2026-03-02T25:00", "is no time"),
        ("2026-02-30T09:00", "is no time"),
        ("20260302T0900", "is no time"),
        ("2026-03-29T02:30", "does not exist in Europe/Berlin"),
        ("2026-10-25T02:30", "exists twice in Europe/Berlin: the clocks go back; add its offset, +02:00 or +01:00"),
    ],
)
def test_a_time_that_is_none_or_two_is_refused(at: str, complaint: str) -> None:
    with pytest.raises(InvalidError, match=r"^line 3: event\.at: ") as err:
        read(f'settings: {{timezone: Europe/Berlin}}\nevents:\n  - {{at: "{at}", pass: {{visitor: v1}}}}\n')
    assert complaint in str(err.value)


@pytest.mark.parametrize(
    ("at", "utc"),
    [
        ("2026-03-02T09:00", "2026-03-02T08:00"),
        ("2026-03-02 09:00:30", "2026-03-02T08:00:30"),
        ("2026-03-29T03:30", "2026-03-29T01:30"),
        ("2026-10-25T02:30+02:00", "2026-10-25T00:30"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30"),
        ("2026-03-02T09:00Z", "2026-03-02T09:00"),
    ],
)
def test_a_time_is_local_unless_it_has_an_offset(at: str, utc: str) -> None:
    event = read(f"settings: {{timezone: Europe/Berlin}}\nevents:\n  - {{at: {at}, pass: {{visitor: v1}}}}\n").events[0]
    assert datetime.fromtimestamp(event.at, UTC) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_scalars_are_text_so_that_numbers_stay_names() -> None:
    text = one("signing: {id: 007, visitor: 12, document: 1e3, contact: 13800000001, co_signers: [no, 0x10]}")
    event = read(text).events[0]
    assert isinstance(event, Signing)
    assert (event.signing, event.visitor, event.co_signers) == ("007", "12", ("no", "0x10"))


def test_settings_are_read_and_the_rest_keep_their_defaults() -> None:
    text = (
        "settings: {lead_time: 1h30m, protection: 7d, visit_gap: 90s, close_of_day: '9:05', match: {score: 0.5}, "
        "clock_error: 500ms, winner: undetermined}\nevents: []\n"
    )
    settings = read(text).settings
    assert (settings.lead_time, settings.protection, settings.visit_gap) == (5400, 7 * 86400, 90)
    assert (settings.close_of_day, settings.clock_error, settings.winner) == (time(9, 5), 0.5, "undetermined")
    assert (settings.match_score, settings.match_margin) == (0.5, 0.05)
    assert (settings.validity, settings.natural_protection) == (3 * 86400, 72 * 3600)


def test_nothing_is_written_as_null_or_left_out() -> None:
    body = 'review: {visitor: v1, visit_at: "2026-03-02T09:00", attribution: natural, partner: null, reason: }'
    event = read(one(body)).events[0]
    assert isinstance(event, Review)
    assert (event.partner, event.reason) == (None, "")
    seen = read(one("sighting: {visitor: v1, score: 0.6, margin: 0.1, clock_error: ~}")).events[0]
    assert isinstance(seen, SightingEvidence)
    assert seen.clock_error is None


def test_one_number_in_many_spellings_is_one_contact() -> None:
    spellings = (
        "13800000001",
        "138-0000-0001",
        "+86 138 0000 0001",
        "１３８０００００００１",
    )
    events = [read(one(f'check_in: {{contact: "{number}"}}')).events[0] for number in spellings]
    assert len({event.contact for event in events if isinstance(event, CheckIn)}) == 1
    masked = read(one('referral: {id: r1, partner: a, contact: "138****0001"}')).events[0]
    assert isinstance(masked, Referral)
    assert isinstance(events[0], CheckIn)
    assert masked.contact.fits(events[0].contact)


def test_a_number_in_error_is_not_repeated() -> None:
    with pytest.raises(InvalidError) as err:
        read(one('check_in: {contact: "138 0000 000x"}'))
    assert "0000" not in str(err.value).split("; write")[0]


def test_each_referral_and_signing_has_a_name_of_its_own() -> None:
    twice = 'referral: {id: r1, partner: a, contact: "13800000001"}'
    with pytest.raises(InvalidError, match=r"line 4: referral.id: r1 is taken"):
        read(f"{one(twice)}  - {{{AT}, {twice}}}\n")
    signed = "signing: {id: s1, visitor: v1}"
    with pytest.raises(InvalidError, match=r"line 4: signing.id: s1 is taken"):
        read(f"{one(signed)}  - {{{AT}, {signed}}}\n")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"nowhere.yaml: No such file or directory; give a scenario file"):
        load(tmp_path / "nowhere.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"events: [\xff]")
    with pytest.raises(InvalidError, match="not UTF-8"):
        load(tmp_path / "bytes.yaml")
    (tmp_path / "wrong.yaml").write_text("events: 1\n", encoding="utf-8")
    with pytest.raises(InvalidError, match=r"^wrong.yaml: line 1: events: must be a list"):
        load(tmp_path / "wrong.yaml")
