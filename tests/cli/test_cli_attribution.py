"""`nvr-bridge attribution replay`: a scenario file in, every visit's verdict out, with no site and no engine."""

from __future__ import annotations

from pathlib import Path

from command import ROOT, Shell
from test_cli_alone import ENGINE_ONLY

SCENARIOS = ROOT / "tests" / "visits" / "scenarios"
STORY = """
settings: {timezone: Asia/Shanghai}
events:
  - {at: "2026-03-02T09:00", referral: {id: r1, partner: acme, contact: "138****0001"}}
  - {at: "2026-03-02T10:05", sighting: {zone: entrance, visitor: v1, score: 0.61, margin: 0.22}}
  - {at: "2026-03-02T10:06", check_in: {visitor: v1, contact: "13800000001", source: friend}}
  - {at: "2026-03-02T11:00", signing: {id: s1, visitor: v1, document: D-77}}
expect: {this: is not read}
"""


def story(folder: Path, more: str = "") -> str:
    path = folder / "story.yaml"
    path.write_text(STORY.replace("expect:", f"{more}expect:"), encoding="utf-8")
    return path.name


async def test_the_json_has_every_visit_signing_and_day(shell: Shell) -> None:
    found = (await shell("attribution", "replay", story(shell.folder), "--json")).json
    assert sorted(found) == ["daily", "rules_version", "signings", "visits"]
    first, second = found["visits"]
    explanation = first.pop("explanation")
    assert first == {
        "person": "v1",
        "start": "2026-03-02T10:05:00+08:00",
        "end": "2026-03-02T10:06:00+08:00",
        "attribution": "channel",
        "partner": "acme",
        "rule": "referral_valid",
        "returning": 0,
        "risks": [],
        "needs_review": False,
        "reviewed": False,
    }
    assert (
        explanation["inputs"]["referrals"][0] | {"id": "r1", "state": "valid"} == explanation["inputs"]["referrals"][0]
    )
    assert explanation["links"] == [{"visitor": "v1", "by": ["contact", "template"]}]
    assert "r1 of acme" in explanation["why"]
    assert "渠道“acme”的报备“r1”" in explanation["why_zh"]
    assert (second["rule"], second["returning"]) == ("channel_protected", 1)
    assert second["explanation"]["returning"]["last"]["start"] == first["start"]
    (signing,) = found["signings"]
    assert sorted(signing) == ["attribution", "explanation", "id", "partner", "risks", "rule"]
    assert found["daily"] == [{"date": "2026-03-02", "unregistered": 0, "natural": 0, "channel": 2, "undetermined": 0}]


async def test_for_people_it_is_the_verdict_and_why(shell: Shell) -> None:
    shown = (await shell("attribution", "replay", story(shell.folder))).out
    assert "2026-03-02 10:05  v1  channel acme  (referral_valid)" in shown
    assert "signing s1  channel acme  (channel_protected)" in shown
    assert "Referral r1 of acme was declared" in shown


async def test_every_scenario_can_be_replayed_for_people(shell: Shell) -> None:
    for file in sorted(SCENARIOS.glob("*.yaml")):
        ran = await shell("attribution", "replay", str(file))
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.count("\n") >= 3


async def test_a_mistake_in_the_file_is_one_line_that_says_where(shell: Shell) -> None:
    name = story(shell.folder, '  - {at: "2026-03-02T12:00", pass: {visitr: v1}}\n')
    complaint = (await shell("attribution", "replay", name, "--json")).complaint
    assert "story.yaml: line 8: pass.visitor: missing; give it" in complaint
    assert "nowhere.yaml" in (await shell("attribution", "replay", "nowhere.yaml")).complaint


async def test_a_review_of_no_visit_is_refused(shell: Shell) -> None:
    review = 'review: {visitor: v1, visit_at: "2026-03-05T10:05", attribution: natural, reason: wrong day}'
    name = story(shell.folder, f'  - {{at: "2026-03-06T12:00", {review}}}\n')
    complaint = (await shell("attribution", "replay", name)).complaint
    assert "story.yaml: line 8: review.visit_at: v1 was on no visit then" in complaint


async def test_it_works_where_the_engine_is_not_installed(shell: Shell) -> None:
    absent = f"import sys; sys.modules.update(dict.fromkeys({ENGINE_ONLY!r}))"
    ran = await shell.process("attribution", "replay", story(shell.folder), "--json", before=absent)
    assert len(ran.json["visits"]) == 2
