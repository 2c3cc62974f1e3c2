"""`kill -9` in the middle of a purge: nothing is half-gone, and the next one goes on to the same end."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

from keeper_site import Kept, kept_site
from killable import killer

WORKER = Path(__file__).with_name("purge_worker.py")
DAY = 368.0  # of the purge
TABLES = ("visitors", "consents", "templates", "visits", "cases", "passes", "pass_scans", "check_ins", "sightings")


async def furnish(kept: Kept) -> None:
    """Visitors who lapse whole, in part and not at all, and much of nobody's."""
    await kept.site.partners.add("acme", "Acme", kept.now)
    for person in range(12):
        await kept.visit(await kept.agree(person), 1, seen=0.6, number=f"1380000{person:04d}")
    for person in range(12, 20):
        await kept.visit(await kept.agree(person), 100, seen=0.6)
    for person in range(20, 24):
        await kept.visit(await kept.agree(person, day=350), 1, seen=0.6)
    for number in range(300):
        await kept.passer_by(number / 1000)
    for number in range(5):
        await kept.refer("acme", f"1390000{number:04d}", 0)


def state(kept: Kept) -> dict[str, int]:
    connection = sqlite3.connect(kept.site.data_dir / "bridge.db")
    counts = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}  # noqa: S608
    connection.close()
    return counts


async def check(kept: Kept) -> None:
    """Nothing is half-gone."""
    site = kept.site
    consents = await site.records.consents()
    templates = await site.records.templates()
    assert {each.consent_id for each in templates} == {each.consent_id for each in consents}
    assert len(site.vault.consents) == len(consents)
    assert {each.visitor_id for each in consents} <= site.vault.visitors
    assert len(site.vault.visitors) == state(kept)["visitors"]
    for visit in await site.visits.all():
        assert visit.visitor_id is None or visit.visitor_id in site.vault.visitors
    assert (await site.checkpoints.verify()).intact
    assert kept.gallery.size == len(templates)


async def test_killed_at_any_moment_it_goes_on(tmp_path: Path) -> None:
    async with kept_site(tmp_path / "made") as kept:
        await furnish(kept)
    chance = random.Random(2)
    async with killer(WORKER) as workers:
        whole, said = await workers.run(str(shutil.copytree(tmp_path / "made", tmp_path / "whole")), DAY)
        assert whole
        assert said[-1][1] == {
            "visitors": 12,
            "templates": 24,
            "sightings": 300 + 24,
            "visits": 12 + 4,
            "referrals": 5,
            "images": 0,
            "assessments": 0,
            "events": 20 + 24 * 2,
        }
        async with kept_site(tmp_path / "whole") as kept:
            expected = state(kept)
        kills = 0
        for number in range(5):
            folder = str(shutil.copytree(tmp_path / "made", tmp_path / str(number)))
            done, _ = await workers.run(folder, DAY, after="purging", seconds=chance.uniform(0.0, said[-1][2]))
            kills += not done
            async with kept_site(Path(folder)) as kept:
                await check(kept)
                kept.on_day(DAY)
                await kept.keeper.purge()
                await check(kept)
                assert state(kept) == expected
        assert kills
