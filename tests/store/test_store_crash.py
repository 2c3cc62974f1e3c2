"""`kill -9` at any moment: the store opens, every event that was told is there, and no withdrawn template is readable."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from store_site import Site, face, open_site

from nvr_bridge.models import EventKind

WRITER = Path(__file__).with_name("crash_writer.py")


@dataclass
class Promised:
    """What the killed processes had said."""

    events: dict[int, tuple[str, str | None]] = field(default_factory=dict)
    granted: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    withdrawing: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)

    def hear(self, line: bytes) -> str:
        """Take down one line; its first word."""
        match json.loads(line):
            case ["event", sequence, kind, visit_id]:
                assert sequence not in self.events, "a sequence number was given twice"
                self.events[sequence] = (kind, visit_id)
            case ["granted", visitor_id, person, looks, alias]:
                self.granted[visitor_id] = (person, looks, alias)
            case ["withdrawing", visitor_id]:
                self.withdrawing.add(visitor_id)
            case ["withdrawn", visitor_id]:
                self.withdrawn.add(visitor_id)
        return str(json.loads(line)[0])


class Writers:
    """Starts writers and kills them."""

    def __init__(self, parent: asyncio.subprocess.Process, chance: random.Random) -> None:
        assert parent.stdin is not None
        assert parent.stdout is not None
        self._orders, self._lines = parent.stdin, parent.stdout
        self.chance = chance

    async def write_and_kill(self, data_dir: Path, promised: Promised, *, after: str, lines: int) -> None:
        """Run a writer, kill it some lines after the one that begins with `after`, and hear it out."""
        self._orders.write(json.dumps([str(data_dir), self.chance.randrange(2**31)]).encode() + b"\n")
        (_, pid), line = json.loads(await self._lines.readline()), b'["opening"]'
        while promised.hear(line) != after:
            line = await self._lines.readline()
        for _ in range(lines):
            promised.hear(await self._lines.readline())
        await asyncio.sleep(self.chance.uniform(0, 0.05))
        os.kill(pid, signal.SIGKILL)
        while promised.hear(await self._lines.readline()) != "dead":
            pass


@pytest.fixture
async def writers() -> AsyncIterator[Writers]:
    """A process that starts writers."""
    pipe = asyncio.subprocess.PIPE
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # a fork must not leave a second one behind
    parent = await asyncio.create_subprocess_exec(sys.executable, str(WRITER), stdin=pipe, stdout=pipe, env=one_thread)
    yield Writers(parent, random.Random(1))
    parent.stdin.close()
    await parent.wait()


async def check(site: Site, promised: Promised) -> None:
    """Everything that was said is so."""
    log = {event.sequence: event for event in await site.log.since(0)}
    for sequence, (kind, visit_id) in promised.events.items():
        assert (log[sequence].kind, log[sequence].visit_id) == (kind, visit_id)
    assert site.log.latest() == max(log, default=0)
    templates: dict[str, list[np.ndarray]] = {}
    for template in await site.records.templates():
        templates.setdefault(template.visitor_id, []).append(template.embedding)
    for visitor_id, (person, looks, alias) in promised.granted.items():
        remembered = visitor_id in templates
        if visitor_id not in promised.withdrawing:
            assert remembered
        if remembered:
            assert visitor_id not in promised.withdrawn
            assert site.records.alias(visitor_id) == alias
            assert await site.records.visitor_for(alias) == visitor_id
            assert np.array_equal(templates[visitor_id], [face(person, look) for look in range(looks)])
        else:
            assert await site.records.visitor_for(alias) is None
            assert not site.vault.has_key(visitor_id)
            for name, content in site.files().items():
                assert visitor_id.encode() not in content, name
    assert len(site.vault.consents) == len(await site.records.consents())
    assert set(templates) == site.vault.visitors == {each.visitor_id for each in await site.records.consents()}
    assert (await site.checkpoints.verify()).intact
    assert (await site.db.checkpoint()) is None


async def test_killed_at_any_moment_it_keeps_every_promise(tmp_path: Path, writers: Writers) -> None:
    promised = Promised()
    for _ in range(8):
        await writers.write_and_kill(tmp_path, promised, after="open", lines=writers.chance.randint(3, 60))
        async with open_site(tmp_path) as site:
            await check(site, promised)
    kinds = {kind for kind, _ in promised.events.values()}
    assert kinds >= {EventKind.CONSENT_GRANTED, EventKind.CONSENT_WITHDRAWN, EventKind.FIRST_VISIT}
    assert promised.withdrawn


async def test_killed_while_it_is_made_it_is_made_the_next_time(tmp_path: Path, writers: Writers) -> None:
    for number in range(5):
        promised, data_dir = Promised(), tmp_path / str(number)
        await writers.write_and_kill(data_dir, promised, after="opening", lines=0)
        async with open_site(data_dir) as site:
            await check(site, promised)
            await site.grant(1)
