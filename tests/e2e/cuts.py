"""The ways in which recognition can be cut off while it goes on, and how each is mended."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cut_site import SIGNED, TTL, Stage

SOON = 1.0  # seconds within which recognition must have ended

type Play = Callable[[Stage], Awaitable[float | None]]  # → when it was, if that is later than when it was begun


@dataclass(frozen=True)
class Cut:
    """One way to end recognition, and how to begin it again."""

    name: str
    reason: str  # in the ledger
    play: Play
    mend: Play
    zones: tuple[str, ...] = SIGNED
    within: float = SOON
    told: str | None = None  # the zones' reason while it lasts, if it is another one


def signs_off(*zones: str) -> Cut:
    """The hub sees signs go off."""

    async def play(stage: Stage) -> None:
        await stage.hub.say(signs={zone: zone not in zones for zone in SIGNED})

    async def mend(stage: Stage) -> None:
        await stage.hub.say(signs=dict.fromkeys(SIGNED, True))

    return Cut("sign off", "sign_off", play, mend, zones)


def other_text() -> Cut:
    """The signs show another notice."""

    async def play(stage: Stage) -> None:
        await stage.hub.say(notice_hash="0" * 64)

    async def mend(stage: Stage) -> None:
        await stage.hub.say(notice_hash=stage.notice_hash)

    return Cut("another notice shown", "notice_changed", play, mend)


def hub_ends(how: signal.Signals | None) -> Cut:
    """The hub's connection closes."""

    async def play(stage: Stage) -> float:
        await stage.hub.end(how)
        return time.time()

    return Cut("hub closed", "sign_unknown", play, lambda stage: stage.hub.start())


def hub_freezes() -> Cut:
    """The hub's machine hangs: its connection stays, and nothing comes."""

    async def play(stage: Stage) -> None:
        stage.hub.send(signal.SIGSTOP)

    async def mend(stage: Stage) -> None:
        stage.hub.send(signal.SIGCONT)

    return Cut("hub frozen", "sign_silent", play, mend, within=TTL + SOON)


def reports_stop() -> Cut:
    """The hub goes on pressing buttons, and says nothing of its signs."""

    async def play(stage: Stage) -> None:
        await stage.hub.say(reports=False)

    async def mend(stage: Stage) -> None:
        await stage.hub.say(reports=True)

    return Cut("no more reports", "sign_silent", play, mend, within=TTL + SOON)


def assessment_ends() -> Cut:
    """The assessment runs out."""

    async def play(stage: Stage) -> float:
        ends = round(time.time() + 1.0, 3)
        moment = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(ends))}.{round(ends % 1 * 1000):03d}Z"
        await stage.ask("assessment/acknowledge", by="Ada", ground="test", expires_at=moment)
        await asyncio.sleep(max(0.0, ends - time.time()))
        return ends

    async def mend(stage: Stage) -> None:
        await stage.ask("assessment/acknowledge", by="Ada", ground="test")

    return Cut("assessment expired", "assessment_expired", play, mend)


def notice_edited(text: str) -> Cut:
    """Somebody edits the notice. It is on the sign, and recognition back, when the hub says so."""

    async def play(stage: Stage) -> None:
        stage.edit(notices={"en": text})

    async def mend(stage: Stage) -> None:
        stage.notice_hash = (await stage.zones())["left"]["notice_hash"]
        await stage.hub.say(notice_hash=stage.notice_hash)

    return Cut("notice edited", "settings_edited", play, mend, told="notice_changed")


def profile_switched() -> Cut:
    """The site goes over to a profile without biometrics, and later comes back."""

    async def play(stage: Stage) -> None:
        stage.edit(profile="no_biometrics")

    async def mend(stage: Stage) -> None:
        stage.edit(profile="demo")

    return Cut("profile switched", "settings_edited", play, mend, told="policy")


CUTS = [
    signs_off(*SIGNED),
    hub_freezes(),
    hub_ends(None),
    other_text(),
    assessment_ends(),
    notice_edited("We look at faces here, if you agree."),
    signs_off("left"),
    hub_ends(signal.SIGKILL),
    reports_stop(),
    profile_switched(),
    signs_off(*SIGNED),
    other_text(),
    assessment_ends(),
    hub_ends(signal.SIGTERM),
    notice_edited("We look at faces here, if you say yes."),
    hub_freezes(),
    signs_off("left", "right"),
    hub_ends(signal.SIGKILL),
    assessment_ends(),
    other_text(),
]
