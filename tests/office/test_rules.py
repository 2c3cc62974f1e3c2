"""The attribution settings in force: set while the engine runs, kept with who changed them, and never rewriting a verdict."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from keeper_site import DAY, SITE, START, Kept, kept_site

from nvr_bridge.errors import ConflictError, InvalidError
from nvr_bridge.messages import Setting
from nvr_bridge.office.rules import KEYS, SiteRules
from nvr_bridge.office.settings import SiteSettings
from nvr_bridge.visits.rulebook import Rulebook
from nvr_bridge.visits.unjudged import Unjudged

NUMBER = "13800000001"


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    """An empty site under the profile `cn`."""
    async with kept_site(tmp_path) as opened:
        yield opened


def desk(kept: Kept, unjudged: Unjudged | None = None) -> SiteSettings:
    return SiteSettings(kept.keeper, kept.rules, kept.site.visits, unjudged or Unjudged())


def found(settings: list[Setting], key: str) -> Setting:
    (one,) = [setting for setting in settings if setting["key"] == key]
    return one


async def set_to(kept: Kept, key: str, value: float | str | None, **more: str) -> Setting:
    """What holds after somebody set it."""
    return found(await desk(kept).set({"key": key, "value": value, **more}, "token"), key)


def held(kept: Kept) -> list[tuple[float, str, float | str]]:
    """Every change: on which day, of what, to what."""
    rows = [(change.at, change.key, change.new) for change in kept.rules._changes if change.old is not None]
    return [((at - START) / DAY, key, new) for at, key, new in rows]


async def test_each_is_listed_in_the_unit_that_people_use(kept: Kept) -> None:
    listed = {one["key"]: one for one in desk(kept).listed() if one["key"].startswith("attribution_")}
    assert [(key, one["value"], one.get("unit")) for key, one in listed.items()] == [
        ("attribution_lead_time", 30.0, "min"),
        ("attribution_validity", 3.0, "d"),
        ("attribution_protection", 30.0, "d"),
        ("attribution_natural_protection", 72.0, "h"),
        ("attribution_visit_gap", 30.0, "min"),
        ("attribution_winner", "first_declared", None),
    ]
    assert {one["source"] for one in listed.values()} == {"bridge.yaml"}
    assert listed["attribution_winner"]["options"] == ["first_declared", "undetermined"]


async def test_what_is_set_holds_over_a_restart_until_it_is_taken_back(tmp_path: Path) -> None:
    async with kept_site(tmp_path) as kept:
        kept.on_day(1)
        assert (await set_to(kept, "attribution_lead_time", 10.0))["value"] == 10.0
        assert (await set_to(kept, "attribution_protection", "240h"))["value"] == 10.0
        assert (await set_to(kept, "attribution_winner", "undetermined"))["value"] == "undetermined"
        assert kept.rules.book().now.lead_time == 600.0
    async with kept_site(tmp_path) as kept:
        kept.on_day(2)
        again = found(desk(kept).listed(), "attribution_lead_time")
        assert (again["value"], again["default"], again["source"]) == (10.0, 30.0, "set")
        assert {type(getattr(kept.rules.book().now, key)) for key in ("lead_time", "protection", "visit_gap")} == {
            float
        }
        assert (await set_to(kept, "attribution_lead_time", None))["source"] == "bridge.yaml"
        book = kept.rules.book()
        assert [book.at(START + day * DAY).lead_time for day in (0, 1, 1.5, 2, 3)] == [1800, 1800, 600, 600, 1800]
        assert held(kept) == [
            (1, "lead_time", 600.0),
            (1, "protection", 10 * DAY),
            (1, "winner", "undetermined"),
            (2, "lead_time", 1800.0),
        ]


async def test_what_bridge_yaml_says_later_holds_from_the_next_start_on(tmp_path: Path) -> None:
    async with kept_site(tmp_path) as kept:
        kept.on_day(1)
        await set_to(kept, "attribution_validity", 2.0)
    written = SITE + "attribution: {lead_time: 5m, validity: 1d}\nvisit_gap: 10m\n"
    async with kept_site(tmp_path, written, begins=3) as kept:
        book = kept.rules.book()
        assert (book.at(START + 2 * DAY).lead_time, book.at(START + 4 * DAY).lead_time) == (1800, 300)
        assert (book.at(START + 2 * DAY).visit_gap, book.at(START + 4 * DAY).visit_gap) == (1800, 600)
        assert book.now.validity == 2 * DAY  # somebody set it
        assert held(kept)[1:] == [(3, "lead_time", 300.0), (3, "visit_gap", 600.0)]
        assert (await set_to(kept, "attribution_validity", None))["value"] == 1.0
    async with kept_site(tmp_path, written, begins=4) as kept:
        assert len(held(kept)) == 4  # an equal file is no change


async def test_a_long_history_is_read_in_one_go(kept: Kept) -> None:
    made = []
    for changes in (3, 30):
        for _ in range(changes):
            kept.clock[0] += 1.0
            before = found(desk(kept).listed(), "attribution_lead_time")["value"]
            await set_to(kept, "attribution_lead_time", 30.0 - before)
            assert found(desk(kept).listed(), "attribution_lead_time")["value"] == 30.0 - before
        again = SiteRules(kept.config, kept.rules._policy, kept.site.db, kept.site.ledger, lambda: kept.now)
        with counted(Rulebook.__init__) as calls:
            await again.load()
        made.append(len(calls))
        assert again.book() == kept.rules.book()
        assert [again.source(key) for key in KEYS] == [kept.rules.source(key) for key in KEYS]
    assert made[0] == made[1]


@contextmanager
def counted(function: Any) -> Iterator[list[str]]:
    """Each call of a function in this thread."""
    calls: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is function.__code__:
            calls.append(event)

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)


async def test_a_clock_before_the_last_change_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with kept_site(tmp_path) as kept:
        kept.on_day(9)
        await set_to(kept, "attribution_lead_time", 10.0)
        kept.on_day(8)
        with pytest.raises(ConflictError, match=r"attribution_lead_time: the clock shows .*; set the clock right"):
            await set_to(kept, "attribution_lead_time", 20.0)
    async with kept_site(tmp_path, SITE + "attribution: {validity: 1d}\n", begins=8) as kept:
        assert "set it right and restart: until then validity hold" in caplog.text
        assert kept.rules.book().now.validity == 3 * DAY


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("lead_time", -1.0, r"-1 min is out of range; it may be from 0 to 43200"),
        ("lead_time", "soon", r"'soon' is no duration; write a number of min, or a number and s, m, h or d"),
        ("visit_gap", "30s", r"0.5 min is out of range; it may be from 1 to 1440"),
        ("winner", "last", r"'last' is not known; choose one of first_declared, undetermined"),
        ("winner", 3.0, r"3.0 is not known; choose one of"),
        ("protection", 2000.0, r"a visit can decide for 2006 days, and profile cn lets it be kept for 1095; shorten"),
    ],
)
async def test_what_may_not_be_is_refused_by_its_key_with_the_remedy(
    kept: Kept, key: str, value: float | str, words: str
) -> None:
    before = desk(kept).listed()
    with pytest.raises(InvalidError, match=rf"^attribution_{key}: {words}"):
        await set_to(kept, f"attribution_{key}", value)
    assert desk(kept).listed() == before
    assert held(kept) == []


async def test_protection_is_no_longer_than_bridge_yaml_lets_visits_be_kept(tmp_path: Path) -> None:
    async with kept_site(tmp_path, SITE + "retention: {visits: 40}\n") as kept:
        assert (await set_to(kept, "attribution_protection", 34.0))["value"] == 34.0
        with pytest.raises(
            InvalidError, match=r"^attribution_protection: retention\.visits: 40 days are fewer than the 41"
        ):
            await set_to(kept, "attribution_protection", 35.0)
    with pytest.raises(
        InvalidError, match=r"^retention\.visits: 39 days are fewer than the 40 for which it can decide"
    ):
        async with kept_site(tmp_path, SITE + "retention: {visits: 39}\n"):
            pass


async def test_visits_stay_as_long_as_what_was_decided_under_longer_rules_can_be_asked_about(kept: Kept) -> None:
    def least() -> float:
        return found(desk(kept).listed(), "retention_visits")["min"]

    kept.on_day(100)
    await set_to(kept, "attribution_protection", 2.0)
    assert least() == 36
    with pytest.raises(InvalidError, match="fewer than the 36"):
        await set_to(kept, "retention_visits", 20.0)
    kept.on_day(136)
    assert least() == 36
    kept.on_day(136.1)
    assert least() == 8
    assert (await set_to(kept, "retention_visits", 20.0))["value"] == 20.0


async def test_each_change_is_an_act_and_is_listed_with_who(kept: Kept) -> None:
    kept.on_day(1)
    await set_to(kept, "attribution_lead_time", 10.0, by="user 7")
    await set_to(kept, "attribution_lead_time", 10.0, by="user 8")  # which is no change
    acts = [each.data for each in await kept.site.ledger.since(0) if each.act == "setting_changed"]
    assert acts == [
        {
            "setting": "attribution_lead_time",
            "old": 1800.0,
            "new": 600.0,
            "source": "set",
            "token": "token",
            "user": "user 7",
        }
    ]
    newest: dict[str, Any] = desk(kept).history()[0]
    assert newest == {
        "at": "2026-09-22T14:13:20+00:00",
        "key": "attribution_lead_time",
        "old": 1800.0,
        "new": 600.0,
        "source": "set",
        "token_id": "token",
        "user": "user 7",
    }
    began = {row["key"]: (row["at"], row["new"]) for row in desk(kept).history() if row["old"] is None}
    assert began["attribution_winner"] == (None, "first_declared")
    assert len(began) == 6


async def test_an_older_visit_keeps_its_verdict_and_a_younger_one_has_the_new(kept: Kept) -> None:
    await kept.site.partners.add("acme", "Acme", START)
    who = await kept.pass_for()
    await kept.refer("acme", NUMBER, 1)
    first = await kept.visit(who, 1.5, number=NUMBER)
    back = await kept.visit(who, 10)
    before = await kept.verdicts()
    kept.on_day(11)
    await set_to(kept, "attribution_protection", 2.0)
    assert await kept.verdicts() == before
    after = await kept.visit(who, 12)
    rules = {visit: case["rule"] for visit, case in (await kept.verdicts()).items()}
    assert [rules[one.visit_id] for one in (first, back, after)] == ["referral_valid", "channel_protected", "natural"]


async def test_who_came_while_it_was_written_is_looked_at_again(kept: Kept) -> None:
    who = await kept.pass_for()
    visit = await kept.visit(who, 2)
    older = await kept.visit(await kept.pass_for(), 0.5)
    unjudged = Unjudged()
    kept.on_day(1)
    await desk(kept, unjudged).set({"key": "attribution_lead_time", "value": 10.0}, "token")
    assert unjudged.take(now=True).visits == {visit.visit_id}
    assert older.visit_id != visit.visit_id
