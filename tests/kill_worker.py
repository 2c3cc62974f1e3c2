"""Remembers, erases, purges and rotates keys without a pause, says what it begins and what is done, and waits to be killed."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from keeper_site import Kept, kept_site  # noqa: E402 - found through the path set above
from killable import say, serve  # noqa: E402

from nvr_bridge.consent import master  # noqa: E402

LONG_AGO, TODAY = 0.0, 400.0  # days: whoever came long ago and not since is due at a purge
PEOPLE = 6  # from so many on, people leave as often as they come


async def grant(kept: Kept, chance: random.Random) -> None:
    """Somebody agrees and comes, long ago or today."""
    person, day = chance.randrange(1, 2**31), chance.choice([LONG_AGO, TODAY])
    say("doing", "grant", person, day)
    visitor_id = await kept.agree(person, day)
    say("granted", visitor_id, person, day)
    await kept.visit(visitor_id, day + 0.1, seen=0.6, number=f"138{person % 10**8:08d}")
    say("did", "grant")


async def leave(kept: Kept, chance: random.Random, people: list[str]) -> None:
    """Somebody withdraws, by themselves or together with others."""
    leaving = chance.sample(people, chance.randint(1, 2))
    kind = chance.choice(["withdraw", "erase"])
    say("doing", kind, *leaving)
    if kind == "withdraw":
        for visitor_id in leaving:
            await kept.leaving.erase(visitor_id)
    else:
        await kept.leaving.erase_all(leaving, lapsed=True)
    say("did", kind)


async def live(folder: str, seed: int) -> None:
    """Go on until killed."""
    chance = random.Random(seed)
    keys = Path(folder) / "data" / "keys"
    if keys.exists() and chance.random() < 0.4:
        for _ in range(5):
            say("doing", "rotate")
            await asyncio.to_thread(master.rotate, keys, None, None)
            say("did", "rotate")
    async with kept_site(Path(folder)) as kept:
        kept.on_day(TODAY + 1)
        await kept.leaving.resume()
        say("open")
        while True:
            people = sorted(kept.site.vault.visitors)
            choice = chance.random()
            if len(people) < 3 or choice < (0.6 if len(people) < PEOPLE else 0.35):
                await grant(kept, chance)
            elif choice < 0.85:
                await leave(kept, chance, people)
            else:
                say("doing", "purge")
                await kept.keeper.purge()
                say("did", "purge")


if __name__ == "__main__":
    serve(live)
