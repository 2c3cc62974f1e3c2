"""What goes through the running engine's parts gets the verdicts that a scenario file with the same events gets."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from attribution_stories import HOUR, NUMBERS, PARTNERS, SETTINGS, VISITORS, pairs, times
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_desk import Live, live_desk

from nvr_bridge.errors import AskError
from nvr_bridge.visits.casebook import Case, case, signing_case
from nvr_bridge.visits.identity import node_of
from nvr_bridge.visits.replay import Replay, replay
from nvr_bridge.visits.scenario import Scenario, read

HEAD = """
settings: {validity: 1d, protection: 2d, natural_protection: 1d, close_of_day: "20:00", timezone: Asia/Shanghai, clock_error: 2s}
events:
"""
KINDS = (
    "seen",
    "scan",
    "check_in",
    "check_in",
    "alone",
    "refer",
    "refer",
    "sign",
    "sign_alone",
    "staff",
    "split",
    "merge",
    "review",
    "review",
)
live_settings = settings(
    max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck]
)


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens at the site at a moment; each kind uses what it needs."""

    at: float
    kind: str
    who: tuple[str, str]
    number: str
    partner: str
    masked: bool
    before: float  # by how much a claim was declared earlier than it is filed
    document: str | None
    together: bool
    score: float
    until: float | None
    change: tuple[str, float | str | None] = ("lead_time", None)


CHANGES: tuple[tuple[str, float | str | None], ...] = (
    *(("lead_time", seconds) for seconds in (0.0, 0.25 * HOUR, HOUR, 20 * HOUR, None)),
    *(("validity", seconds) for seconds in (0.5 * HOUR, 12 * HOUR, 48 * HOUR, None)),
    *(("protection", seconds) for seconds in (0.0, HOUR, 24 * HOUR, 96 * HOUR, None)),
    *(("natural_protection", seconds) for seconds in (0.0, HOUR, 72 * HOUR)),
    *(("visit_gap", seconds) for seconds in (300.0, 0.4 * HOUR, HOUR, 3 * HOUR, None)),
    *(("winner", word) for word in ("undetermined", "first_declared")),
)
acts = st.builds(
    Act,
    at=times,
    kind=st.sampled_from(KINDS),
    who=pairs,
    number=st.sampled_from((NUMBERS[0], NUMBERS[0], *NUMBERS)),
    partner=st.sampled_from(PARTNERS),
    masked=st.booleans(),
    before=st.sampled_from((0.0, 0.0, 0.5 * HOUR, HOUR, 20 * HOUR)),
    document=st.sampled_from((None, "D-1", "D-2")),
    together=st.booleans(),
    score=st.sampled_from((0.6, 0.6, 0.6, 0.4)),
    until=st.sampled_from((None, 26 * HOUR)),
)


class Told:
    """A story that is told to the engine, and written down as a scenario's events at the same time."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.lines: list[str] = []
        self.changes: list[str] = []  # of settings, as lines of the file
        self.visits: dict[str, list[int]] = {}  # the engine's → the lines of its presence
        self.signings: dict[str, str] = {}  # the engine's → the scenario's
        self.firsts: dict[str, tuple[str | None, float]] = {}  # whom the first presence of a visit names, and when

    @property
    def text(self) -> str:
        """The scenario file."""
        return HEAD + "".join(f"  - {line}\n" for line in (*self.lines, *self.changes))

    async def tell(self, act: Act) -> None:
        """What is refused does not happen, in the file neither."""
        self.live.now = act.at
        await self.live.attendance.sweep()
        with suppress(AskError):
            match act.kind:
                case "refer":
                    await self._refer(act)
                case "sign" | "sign_alone":
                    await self._sign(act)
                case "staff" | "split" | "merge":
                    await self._say(act)
                case "review":
                    await self._review(act)
                case "change":
                    await self._change(act)
                case _:
                    await self._come(act)

    async def _come(self, act: Act) -> None:
        name = act.who[0]
        match act.kind:
            case "seen":
                visit = await self.live.seen(name, act.score)
                self._present(visit, name, act.at, f"sighting: {{visitor: {name}, score: {act.score}, margin: 0.2}}")
            case "scan":
                self._present(await self.live.scan(name), name, act.at, f"pass: {{visitor: {name}}}")
            case "check_in":
                visit = await self.live.check_in(name, act.number)
                self._present(visit, name, act.at, f'check_in: {{visitor: {name}, contact: "{act.number}"}}')
            case _:
                visit = await self.live.check_in(None, act.number)
                self._present(visit, None, act.at, f'check_in: {{contact: "{act.number}"}}')

    async def _refer(self, act: Act) -> None:
        number = f"{act.number[:3]}****{act.number[-4:]}" if act.masked else act.number
        declared = act.at - act.before
        await self.live.refer(act.partner, number, declared)
        self._write(declared, f'referral: {{id: r{len(self.lines)}, partner: {act.partner}, contact: "{number}"}}')

    async def _sign(self, act: Act) -> None:
        name, other = act.who
        others = [other] if act.together else []
        numbers = {"document": act.document, "contact": act.number if act.masked else None}
        given = {key: value for key, value in numbers.items() if value is not None}
        who = None if act.kind == "sign_alone" and given else name
        signed = await self.live.sign(who, *others, **given)
        signing = f"s{len(self.lines)}"
        self.signings[signed["signing"]] = signing
        fields = [f"id: {signing}", *(f'{key}: "{value}"' for key, value in given.items())]
        fields += [f"visitor: {who}"] if who else []
        fields += [f"co_signers: [{other}]"] if others else []
        self._present(signed["visit"], who, act.at, f"signing: {{{', '.join(fields)}}}")

    async def _say(self, act: Act) -> None:
        aliases = [self.live.aliases[name] for name in act.who]
        if act.kind == "staff":
            until = None if act.until is None else act.at + act.until
            ends = {} if until is None else {"until": until}
            await self.live.identities.staff_mark({"alias": aliases[0], "from": act.at, **ends})
            written = "" if until is None else f', until: "{iso(until)}"'
            self._write(act.at, f"staff: {{visitor: {act.who[0]}{written}}}")
        else:
            said = self.live.identities.split if act.kind == "split" else self.live.identities.merge
            await said({"aliases": aliases})
            self._write(act.at, f"{act.kind}: {{visitors: [{', '.join(act.who)}]}}")

    async def _review(self, act: Act) -> None:
        """Somebody decides on the visit of whoever was first told of, or last; a file names visits by their visitors."""
        known = [key for key, first in self.firsts.items() if first[0] is not None]
        if not known:
            return
        visit = known[0 if act.masked else -1]
        name, at = self.firsts[visit]
        partner = act.partner if act.together else None
        attribution = "channel" if partner else "natural"
        await self.live.review(visit, attribution, partner)
        answer = f"attribution: {attribution}" + (f", partner: {partner}" if partner else "")
        self._write(act.at, f'review: {{visitor: {name}, visit_at: "{iso(at)}", {answer}}}')

    async def _change(self, act: Act) -> None:
        """A setting is changed, and nothing that was said so far is said otherwise."""
        before = await self.live.verdicts()
        key, value = act.change
        if await self.live.rules.set(key, value, "admin") is None:
            return
        assert await self.live.verdicts() == before, (self.text, act)
        holds = getattr(self.live.rules.book().now, key)
        written = holds if key == "winner" else f"{holds:g}s"
        self.changes.append(f'{{at: "{iso(act.at)}", settings: {{{key}: {written}}}}}')

    def _present(self, visit: str, name: str | None, at: float, event: str) -> None:
        self.firsts.setdefault(visit, (name, at))
        self.visits.setdefault(visit, []).append(len(self.lines))
        self._write(at, event)

    def _write(self, at: float, event: str) -> None:
        self.lines.append(f'{{at: "{iso(at)}", {event}}}')


def iso(at: float) -> str:
    """A time as a scenario has it."""
    return datetime.fromtimestamp(at, UTC).isoformat()


def verdicts(told: Told, scenario: Scenario, found: Replay) -> dict[str, Case]:
    """What the replay says of each visit of the engine: of whatever began it."""
    at = {(one.node, one.at): visit for visit in found.visits for one in visit.stay.moments}
    firsts = {}
    for visit_id, lines in told.visits.items():
        first = min((scenario.events[line] for line in lines), key=lambda event: event.at)
        firsts[visit_id] = case(at[node_of(first) or "", first.at])
    return firsts


def without(cases: dict[str, Case], *names: str) -> dict[str, Case]:
    """Verdicts without some of what is said of them."""
    return {key: {name: said for name, said in one.items() if name not in names} for key, one in cases.items()}


async def compare(told: Told, *left_out: str) -> None:
    """Every visit and every contract, from the store and from the file."""
    live, scenario = told.live, read(told.text)
    found = replay(scenario.events, scenario.settings)
    kept = without(await live.verdicts(), *left_out)
    assert kept == without(verdicts(told, scenario, found), *left_out), told.text
    signed = without(await live.casebook.signed(await live.site.signings.all()), *left_out)
    expected = {one.signing.signing: signing_case(one) for one in found.signings}
    assert {told.signings[key]: one for key, one in signed.items()} == expected, told.text


@live_settings
@given(st.lists(acts, min_size=4, max_size=18), st.permutations(VISITORS), st.integers(1, 3))
async def test_replay_equals_live(story: Sequence[Act], visitors: Sequence[str], gone: int) -> None:
    # A review comes between what else happens: of one instant, it would have seen all the rest.
    ordered = sorted((replace(act, at=act.at + 0.25 * (act.kind == "review")) for act in story), key=lambda act: act.at)
    with tempfile.TemporaryDirectory() as folder:
        async with live_desk(Path(folder), SETTINGS, ordered[0].at - 1) as live:
            for name in VISITORS:
                await live.face_of(name)
            told = Told(live)
            for act in ordered:
                await told.tell(act)
            assert read(told.text).settings == SETTINGS
            await compare(told)
            for name in visitors[:gone]:
                live.now += 1
                await live.erase(name)
                told.lines.append(f'{{at: "{iso(live.now)}", erased: {{visitor: {name}}}}}')
            # What is erased is not counted any more as an earlier visit of the same person under another id.
            await compare(told, "evidence_erased", "earlier")


changed_acts = st.builds(replace, acts, kind=st.just("change"), change=st.sampled_from(CHANGES))


@live_settings
@given(st.lists(acts, min_size=6, max_size=16), st.lists(changed_acts, min_size=1, max_size=6), st.booleans())
async def test_replay_equals_live_while_settings_change(
    story: Sequence[Act], changes: Sequence[Act], erasing: bool
) -> None:
    """A change comes between what else happens, and every verdict is the one of the same story in a file."""
    told_later = [replace(act, at=act.at + 0.25 * (act.kind == "review")) for act in story]
    ordered = sorted((*told_later, *(replace(act, at=act.at + 0.5) for act in changes)), key=lambda act: act.at)
    with tempfile.TemporaryDirectory() as folder:
        async with live_desk(Path(folder), SETTINGS, ordered[0].at - 1) as live:
            for name in VISITORS:
                await live.face_of(name)
            told = Told(live)
            for act in ordered:
                await told.tell(act)
            await compare(told)
            held = live.rules.book()
            await live.rules.load()  # as after a restart
            assert live.rules.book() == held
            if erasing:
                live.now += 1
                await live.erase(VISITORS[0])
                told.lines.append(f'{{at: "{iso(live.now)}", erased: {{visitor: {VISITORS[0]}}}}}')
                await compare(told, "evidence_erased", "earlier")
