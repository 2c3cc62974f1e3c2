"""Processes that write to a store without a pause, say what they were promised, and wait to be killed.

Each line on stdin is a JSON list of a data directory and a seed, and starts one writer: a fork, because importing takes
a hundred times longer than writing. Each line on stdout is a JSON list; what it says was committed before it was said.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from store_site import NOTICE, NOW, Site, open_site  # noqa: E402 - found through the path set above

from nvr_bridge.models import Event, Known, Sighting  # noqa: E402


def say(*words: object) -> None:
    """One write, so that a line is never half-said."""
    os.write(1, (json.dumps(words) + "\n").encode())


def told(event: Event) -> None:
    """What a hub would have been told."""
    say("event", event.sequence, event.kind, event.visit_id)


async def grant(site: Site, chance: random.Random) -> None:
    """Remember another person, with one to three looks."""
    person, looks = chance.randrange(1, 2**31), chance.randint(1, 3)
    granted = await site.grant(person, looks=looks)
    told(granted.event)
    say("granted", granted.consent.visitor_id, person, looks, granted.alias)


async def renew(site: Site, visitor_id: str) -> None:
    """The same person agrees again."""
    about = {"zone_id": "desk", "notice_hash": NOTICE, "language": "en", "purpose": "again", "guardian": False}
    told((await site.records.renew(visitor_id, expires_at=NOW + 86400, now=NOW, **about)).event)


async def visit(site: Site, visitor_id: str) -> None:
    """A whole visit, with a sighting."""
    begun, event = await site.visits.begin(visitor_id, "lane", NOW)
    told(event)
    await site.sightings.add(
        Sighting("lane-1", "lane", event.sequence, NOW, NOW, Known(visitor_id, 0.6, 0.2)), begun.visit_id
    )
    await site.visits.extend(begun.visit_id, NOW + 1)
    _, event = await site.visits.end(begun.visit_id, NOW + 2)
    told(event)


async def withdraw(site: Site, visitor_id: str) -> None:
    """A whole withdrawal, announced so that the other side knows what may have been half-done."""
    say("withdrawing", visitor_id)
    withdrawn = await site.records.withdraw(visitor_id, NOW)
    told(withdrawn.event)
    say("withdrawn", visitor_id)


async def main(data_dir: Path, seed: int) -> None:
    """Go on until killed."""
    chance = random.Random(seed)
    say("opening", os.getpid())
    async with open_site(data_dir) as site:
        say("open")
        while True:
            people = [consent.visitor_id for consent in await site.records.consents()]
            choice = chance.random()
            if len(people) < 3 or choice < 0.3:
                await grant(site, chance)
            elif choice < 0.45:
                await renew(site, chance.choice(people))
            elif choice < 0.65:
                await asyncio.gather(*(visit(site, visitor_id) for visitor_id in chance.sample(people, 2)))
            else:
                await asyncio.gather(withdraw(site, people[0]), visit(site, people[1]))


if __name__ == "__main__":
    for order in sys.stdin:
        folder, number = json.loads(order)
        writer = os.fork()
        if not writer:
            asyncio.run(main(Path(folder), number))
        os.waitpid(writer, 0)
        say("dead")
