"""People come, partners claim them and reviewers decide, while verdicts are told; to be killed in the middle of it."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from killable import say, serve  # noqa: E402 - found through the path set above
from verdict_engine import KEY, Engine, holder, started  # noqa: E402

from nvr_bridge.models import CaseState, ReviewAct  # noqa: E402
from nvr_bridge.visits.evidence import contact  # noqa: E402

PEOPLE = 15


async def happen(folder: str, run: int) -> None:
    """As much as there is time for."""
    async with started(Path(folder)) as engine:
        telling = asyncio.create_task(_tell(engine))
        say("happening")
        begun = time.monotonic()
        for number in range(PEOPLE):
            await _come(engine, run, number)
        telling.cancel()
        await engine.verdicts.look_now()
        say("happened", time.monotonic() - begun)


async def _come(engine: Engine, run: int, number: int) -> None:
    """Every third is claimed before, every third after; every fourth is decided on; every fifth comes again."""
    given = contact(f"138{run:04d}{number:04d}", KEY)
    if number % 3 == 0:
        await engine.claims("acme", engine.now - 7200, given)
    visit = await engine.comes(await holder(engine.site), given)
    if number % 3 == 1:
        await engine.claims("best", engine.now - 7200, given)
    if number % 4 == 0:
        await engine.decides(visit, ReviewAct.CONFIRM, CaseState.CONFIRMED, attribution="natural", partner=None)
    if number % 5 == 0:
        await engine.comes(await holder(engine.site), given)


async def _tell(engine: Engine) -> None:
    while True:
        await engine.verdicts.look_now()
        await asyncio.sleep(0.001)


if __name__ == "__main__":
    serve(happen)
