"""`kill -9`, again and again, at random moments of everything that makes or ends a visitor; after each, the store is checked.

`script/kill 200` plays it, and then the same with whole engines; the tests play some of it. One store goes through all.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from engine_site import demo_people  # noqa: E402 - found through the path set above
from keeper_site import Kept, kept_site  # noqa: E402 - found through the path set above
from kill_worker import LONG_AGO, TODAY  # noqa: E402
from killable import Killer, killer  # noqa: E402
from machine import MODELS  # noqa: E402
from serve_killing import KINDS  # noqa: E402
from serve_killing import play as play_serve  # noqa: E402

from nvr_bridge.consent.folder import verify_folder  # noqa: E402
from nvr_bridge.consent.receipts import Receipts  # noqa: E402
from nvr_bridge.models import Known  # noqa: E402

WORKER = Path(__file__).with_name("kill_worker.py")
LONGEST = 0.6  # seconds after it opened the store


@dataclass
class Played:
    """What was said so far, and what the kills fell into."""

    people: dict[str, tuple[int, float]] = field(default_factory=dict)  # who agreed: their face, and when they came
    gone: dict[str, int] = field(default_factory=dict)  # who was erased, and their face
    inside: Counter[str] = field(default_factory=Counter)  # kills in the middle of each kind of work
    done: Counter[str] = field(default_factory=Counter)  # work that came to its end
    unsure: set[str] = field(default_factory=set)  # whose erasure was begun, and not said to be done
    granting: tuple[int, float] | None = None  # a consent that was begun, and not said to be given

    def hear(self, said: list[Any]) -> None:
        """Everything that a worker said before it was killed."""
        doing = "nothing"
        self.unsure, self.granting = set(), None
        for line in said:
            match line:
                case ["doing", "grant", person, day]:
                    doing, self.granting = "grant", (person, day)
                case ["granted", visitor_id, person, day]:
                    self.people[visitor_id], self.granting = (person, day), None
                case ["doing", ("withdraw" | "erase") as doing, *leaving]:
                    self.unsure = set(leaving)
                case ["doing", "purge"]:
                    doing, self.unsure = "purge", {who for who, (_, day) in self.people.items() if day == LONG_AGO}
                case ["doing", kind]:
                    doing = kind
                case ["did", kind]:
                    self.done[kind] += 1
                    for who in self.unsure:
                        self.gone[who] = self.people.pop(who)[0]
                    doing, self.unsure = "nothing", set()
        self.inside[doing] += 1


async def play(folder: Path, kills: int, seed: int) -> Played:
    """Kill so many workers, one after the other, over the store in `folder`. Raises `AssertionError` for what is wrong."""
    chance, played = random.Random(seed), Played()
    async with killer(WORKER) as workers:
        for _ in range(kills):
            played.hear(await _killed(workers, folder, chance))
            async with kept_site(folder) as kept:
                kept.on_day(TODAY + 1)
                await kept.leaving.resume()
                await check(kept, played)
            verdict, _ = await asyncio.to_thread(verify_folder, folder / "data")
            assert verdict.intact, verdict.faults
    return played


async def _killed(workers: Killer, folder: Path, chance: random.Random) -> list[Any]:
    # Some die while they rotate keys, open the store, or finish what the one before left undone.
    after, longest = ("pid", 0.1) if chance.random() < 0.3 else ("open", LONGEST)
    ended, said = await workers.run(
        str(folder), chance.randrange(2**31), after=after, seconds=chance.uniform(0.0, longest)
    )
    assert not ended
    return said


async def check(kept: Kept, played: Played) -> None:
    """What was begun has happened or it has not, and nothing is between."""
    site = kept.site
    there = set(site.vault.visitors)
    assert not there & played.gone.keys(), "somebody came back"
    assert played.people.keys() - played.unsure <= there, "somebody was lost"
    for who in played.unsure - there:
        played.gone[who] = played.people.pop(who)[0]
    new = there - played.people.keys()
    if new:
        assert played.granting is not None
        [visitor_id] = new
        played.people[visitor_id] = played.granting
    assert not kept.leaving.owed
    await _check_templates(kept, played)
    for who, person in played.gone.items():
        found = await kept.match(person)
        assert not isinstance(found, Known), "the index knows somebody who withdrew"
        assert site.records.alias(who) is None
    contents = await asyncio.to_thread(site.files)
    for name, content in contents.items():
        assert not [who for who in played.gone if who.encode() in content], name
    entries = [entry.number for entry in await site.ledger.since(0, 10**9) if entry.act == "consent_withdrawn"]
    waiting = await Receipts(site.db, site.ledger, site.checkpoints).waiting()
    assert [each.number for each in waiting] == entries, "an erasure without a receipt"
    assert len(entries) == len(played.gone)


async def _check_templates(kept: Kept, played: Played) -> None:
    """Each template with its consent, each consent with its templates and keys, and all of them in the index."""
    records, vault = kept.site.records, kept.site.vault
    templates, consents = await records.templates(), await records.consents()
    assert {each.consent_id for each in templates} == {each.consent_id for each in consents}
    assert {each.visitor_id for each in consents} == vault.visitors == played.people.keys()
    assert len(templates) == 3 * len(consents) == kept.gallery.size
    assert len(vault.consents) == len(consents)
    for who, (person, _) in played.people.items():
        found = await kept.match(person)
        assert isinstance(found, Known)
        assert found.visitor_id == who


def say(line: str) -> None:
    """At once, so that the seed is known whatever happens."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Play it, and say what the kills fell into."""
    arguments = argparse.ArgumentParser(description="kill -9 at random moments, and what is left")
    arguments.add_argument("kills", nargs="?", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    arguments.add_argument(
        "--serve", type=int, default=20, help="kills of a whole engine, beside those of the store's work"
    )
    given = arguments.parse_args()
    say(f"seed {given.seed}: {given.kills} kills")
    with tempfile.TemporaryDirectory() as folder:
        played = asyncio.run(play(Path(folder), given.kills, given.seed))
    for kind in ("grant", "withdraw", "erase", "purge", "rotate", "nothing"):
        say(f"{kind:9} {played.inside[kind]:5} killed in the middle {played.done[kind]:6} done")
    say(f"{len(played.gone)} erased, {len(played.people)} there; every store was whole, every ledger intact")
    if given.serve:
        serve(given.serve, given.seed)


def serve(kills: int, seed: int) -> None:
    """The same with whole engines. Faces are those of the demo's photos."""
    say(f"seed {seed}: {kills} kills of a whole engine")
    photos = {name: person.photo for name, person in demo_people().items()}
    with tempfile.TemporaryDirectory() as folder:
        book = asyncio.run(play_serve(Path(folder) / "site", MODELS, photos, kills, seed))
    for kind in KINDS:
        say(f"{kind:9} {book.inside[kind]:5} killed in the middle {book.done[kind]:6} done")
    say(f"{len(book.gone)} erased, {len(book.faces) + len(book.holders)} there; every start found all of it or nothing")


if __name__ == "__main__":
    main()
