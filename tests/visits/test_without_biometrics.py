"""The same story gives the same verdicts whether people are recognised, show a pass, or get a new one every time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from live_desk import Live, live_desk
from told_store import ANSWER, RULES, at

type Come = Callable[[Live, str, str], Awaitable[str]]  # who, and their number → the visit
type Verdict = tuple[str, str | None, str, list[str], int]

PEOPLE = ("nat", "ann", "lou", "cay", "ret", "dec")
NUMBERS = {name: f"138000000{index:02}" for index, name in enumerate(PEOPLE)}
OTHER_NUMBER = "13900000000"
DECLINED = "dec"

# A partner's claim, or who comes: day, time, whom, partner.
STORY: tuple[tuple[int, str, str, str | None], ...] = (
    (0, "9:00", "ann", "acme"),
    (0, "9:10", "nat", None),  # a natural first visit
    (0, "10:00", "ann", None),  # a channel visit with a valid referral
    (0, "11:00", "lou", None),  # a late referral
    (0, "11:10", "lou", "beta"),
    (0, "12:00", "cay", None),
    (1, "10:00", DECLINED, None),  # declined, and came with a pass
    (1, "11:00", DECLINED, "beta"),  # too late for that visit, and for the next
    (1, "15:00", DECLINED, None),
    (2, "12:00", "cay", None),  # a contact change
    (3, "9:00", "ret", "acme"),
    (3, "10:00", "ret", None),
    (9, "10:00", "ret", None),  # a return under protection
    (20, "10:00", "ret", None),
)
NATURAL: Verdict = ("natural", None, "natural", [], 0)
LATE: Verdict = ("natural", None, "late_referral", ["late_referral"], 0)
EXPECTED: dict[str, list[Verdict]] = {
    "nat": [NATURAL],
    "ann": [("channel", "acme", "referral_valid", [], 0)],
    "lou": [LATE],
    "cay": [NATURAL, ("natural", None, "natural", ["contact_changed"], 1)],
    "ret": [
        ("channel", "acme", "referral_valid", [], 0),
        ("channel", "acme", "channel_protected", [], 1),
        ("channel", "acme", "channel_protected", [], 2),
    ],
    DECLINED: [LATE, ("natural", None, "natural_protected", ["intercepted"], 1)],
}


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    """A site that opens in the morning."""
    async with live_desk(tmp_path, RULES, at("8:00")) as opened:
        yield opened


async def recognised(live: Live, name: str, number: str) -> str:
    """Somebody is recognised, and leaves a number; who declined shows a pass instead."""
    if name == DECLINED:
        return await with_a_pass(live, name, number)
    if name not in live.ids:
        await live.face_of(name)
    await live.seen(name)
    live.now += 60
    return await live.check_in(name, number)


async def with_a_pass(live: Live, name: str, number: str) -> str:
    """Somebody shows the one pass that they have, and leaves a number."""
    if name not in live.ids:
        await live.pass_for(name)
    await live.scan(name)
    live.now += 60
    return await live.check_in(name, number)


async def with_a_new_pass(live: Live, name: str, number: str) -> str:
    """Somebody gets a new pass every time, and leaves a number."""
    await live.pass_for(name)
    await live.scan(name)
    live.now += 60
    return await live.check_in(name, number)


async def with_a_number_alone(live: Live, _: str, number: str) -> str:
    """Somebody leaves a number, and nothing else."""
    return await live.check_in(None, number)


async def declined_at_first(live: Live, name: str, number: str) -> str:
    """Somebody comes with a pass first, and agrees to be recognised when they come again."""
    if name not in live.ids:
        return await with_a_pass(live, name, number)
    agreed = f"{name}, agreed"
    if agreed not in live.ids:
        await live.face_of(agreed)
    await live.seen(agreed)
    live.now += 60
    return await live.check_in(agreed, number)


async def played(live: Live, come: Come) -> dict[str, list[Verdict]]:
    """The story, in which everybody comes in this way → what each visit came to, by person."""
    visits: dict[str, list[str]] = defaultdict(list)
    for day, clock, name, partner in STORY:
        live.now = at(clock, day)
        await live.attendance.sweep()
        if partner is not None:
            await live.refer(partner, NUMBERS[name])
        else:
            changed = name == "cay" and visits[name]
            visits[name].append(await come(live, name, OTHER_NUMBER if changed else NUMBERS[name]))
    found = await live.verdicts()
    assert len(found) == sum(map(len, visits.values()))
    return {
        name: [(*(found[visit][key] for key in ANSWER), found[visit]["earlier"]) for visit in theirs]
        for name, theirs in visits.items()
    }


@pytest.mark.parametrize("come", [recognised, with_a_pass])
async def test_everybody_is_judged_alike_with_and_without_biometrics(live: Live, come: Come) -> None:
    assert await played(live, come) == EXPECTED


@pytest.mark.parametrize("come", [with_a_new_pass, with_a_number_alone, declined_at_first])
async def test_and_so_is_whoever_is_known_by_the_same_number_alone(live: Live, come: Come) -> None:
    found = await played(live, come)
    # Somebody with a new pass and a new number is somebody new.
    assert found == EXPECTED | {"cay": [NATURAL, NATURAL]}


async def test_a_partner_who_brings_somebody_first_keeps_them_whatever_they_agree_to_later(live: Live) -> None:
    live.now = at("9:00")
    await live.refer("acme", "138****0001")
    live.now = at("10:00")
    await live.pass_for("ann")
    first = await live.check_in("ann", "13800000001")
    live.now = at("10:00", 5)
    await live.refer("beta", "13800000001")
    live.now = at("12:00", 5)
    await live.face_of("ann, agreed")
    await live.seen("ann, agreed")
    second = await live.check_in("ann, agreed", "13800000001")
    live.now = at("12:00", 6)
    third = await live.seen("ann, agreed")
    found = await live.verdicts()
    assert [found[visit]["rule"] for visit in (first, second, third)] == [
        *("referral_valid", "channel_protected", "channel_protected")
    ]
    assert [found[visit]["partner"] for visit in (first, second, third)] == ["acme"] * 3
    assert found[second]["risks"] == ["competing_referrals"]
