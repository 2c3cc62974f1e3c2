"""`kill -9` on a whole engine that serves, in the middle of what its clients ask; the next one is asked what came of it.

`script/kill --serve 20` plays it; the tests play a little of it. One data folder goes through all of the kills. Some engines die
while they start, and some runs of `nvr-bridge keys rotate` between two engines.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from engine_process import EngineProcess

from demo.process import ROOT
from nvr_bridge.client import Client
from nvr_bridge.consent.folder import verify_folder
from nvr_bridge.consent.loose_keys import open_keys
from nvr_bridge.consent.sealed_rows import sealed_rows
from nvr_bridge.errors import BridgeError, ConflictError, FaceError, NotFoundError
from nvr_bridge.server.visit import COOKIE

LONGEST = 3.0  # seconds after its first answer within which an engine is killed
STARTING = 4.0  # seconds after its launch within which one is killed, and a rotation is
HOLDERS = 3  # of passes: from so many on, they leave as often as they come
KINDS = ("grant", "withdraw", "purge", "pass", "page", "rotate", "start", "nothing")


@dataclass
class Book:
    """What clients were told, and what they had asked when the engine was gone."""

    faces: dict[str, str] = field(default_factory=dict)  # who may be recognised, by alias: whose photo
    holders: set[str] = field(default_factory=set)  # who holds a pass, by alias
    ids: dict[str, str] = field(default_factory=dict)  # of visitors, by alias, as far as they were told
    gone: set[str] = field(default_factory=set)  # whose erasure was answered, or seen to have happened
    leaving: set[str] = field(default_factory=set)  # whose erasure was asked for, and not answered
    granting: str | None = None  # whose photo was given, and not answered
    purging: bool = False  # all templates were made due, and that was not taken back
    inside: Counter[str] = field(default_factory=Counter)  # kills while this was asked
    done: Counter[str] = field(default_factory=Counter)


class Desk:
    """The clients of one engine."""

    def __init__(self, engine: EngineProcess, book: Book, photos: dict[str, str], chance: random.Random) -> None:
        self._engine, self._book, self._photos, self._chance = engine, book, photos, chance
        self.asking: Counter[str] = Counter()
        self.answered = asyncio.Event()

    async def work(self) -> None:
        """Ask without a pause, of faces and of passes at once, until the engine is gone."""
        async with self._engine.hub(), self._engine.admin() as admin, asyncio.TaskGroup() as group:
            group.create_task(self._faces(admin))
            group.create_task(self._passes(admin))
            group.create_task(self._page(admin))

    async def _faces(self, admin: Client) -> None:
        book = self._book
        while True:
            free = sorted(self._photos.keys() - book.faces.values())
            choice = self._chance.random()
            if free and (choice < 0.5 or not book.faces):
                await self._grant(admin, self._chance.choice(free))
            elif choice < 0.85:
                await self._withdraw(admin, self._chance.choice(sorted(book.faces)))
            else:
                await self._purge(admin)

    async def _grant(self, admin: Client, person: str) -> None:
        """Raises `ConflictError` if the index knows somebody who is not remembered."""
        terms = {"purpose": "returns", "language": "en", "expires_in_days": 20, "photo": self._photos[person]}
        self._book.granting = person
        with self._doing("grant"):
            try:
                made = await admin.call("consent/grant", zone="desk", notice_hash=self._engine.notice_hash, **terms)
            except FaceError:  # not a photo to be known by
                made = None
        self._book.granting = None
        if made is None:
            del self._photos[person]
            return
        self._book.faces[made["alias"]], self._book.ids[made["alias"]] = person, made["visitor"]

    async def _purge(self, admin: Client) -> None:
        """All templates are due, and then none are any more."""
        self._book.purging = True
        await admin.call("retention/set", templates=0)
        with self._doing("purge"):
            await admin.call("retention/purge")
        await admin.call("retention/set", templates=None)
        assert await admin.call("consent/list") == []
        self._book.faces.clear()
        self._book.purging = False

    async def _passes(self, admin: Client) -> None:
        book = self._book
        while True:
            if len(book.holders) < HOLDERS or self._chance.random() < 0.5:
                with self._doing("pass"):
                    made = await admin.call("pass/issue")
                book.holders.add(made["alias"])
                await admin.call("pass/scan", zone="desk", code=made["code"])
            else:
                await self._withdraw(admin, self._chance.choice(sorted(book.holders)))

    async def _withdraw(self, admin: Client, alias: str) -> None:
        self._book.leaving.add(alias)
        with self._doing("withdraw"):
            await admin.call("consent/withdraw", alias=alias)
        self._left(alias)

    async def _page(self, admin: Client) -> None:
        """Somebody declines at a tablet, and erases themselves on their own page."""
        code, url = (await admin.call("pair/create", role="kiosk"))["code"], self._engine.url
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), headers={"Origin": url}) as http:
            async with http.post(f"{url}/visit/desk/pair", json={"code": code}) as answer:
                cookie = {"Cookie": f"{COOKIE}={answer.cookies[COOKIE].value}"}
            async with http.post(f"{url}/visit/desk/decline", json={}, headers=cookie) as answer:
                made = await answer.json()
            bearer = {"Authorization": f"Bearer {made['link'].partition('#')[2]}"}
            self._book.leaving.add(made["alias"])
            with self._doing("page"):
                async with http.post(f"{url}/me/withdraw", json={}, headers=bearer) as answer:
                    assert (await answer.json())["withdrawn"]
        self._left(made["alias"])

    def _left(self, alias: str) -> None:
        book = self._book
        book.gone.add(alias)
        book.leaving.discard(alias)
        book.holders.discard(alias)
        book.faces.pop(alias, None)

    @contextmanager
    def _doing(self, kind: str) -> Iterator[None]:
        """Counted as asked until it is answered; for ever if the engine is gone."""
        self.asking[kind] += 1
        yield
        self.asking[kind] -= 1
        self._book.done[kind] += 1
        self.answered.set()


async def play(folder: Path, models: Path, photos: Mapping[str, str], kills: int, seed: int) -> Book:
    """Kill so many engines over one data folder. Raises `AssertionError` for what is wrong. `photos` are PNG in base64."""
    chance, book, engine = random.Random(seed), Book(), EngineProcess(folder, models)
    good = dict(photos)
    try:
        await engine.start()
        async with engine.admin() as admin:
            await admin.call("assessment/acknowledge", by="Ada", ground="test")
        for _ in range(kills):
            if chance.random() < 0.25:
                await engine.end(signal.SIGTERM)
                await _rotated(engine, book, chance)
                await _killed_at_start(engine, book, chance)
            else:
                await _killed_at_work(engine, book, good, chance)
            await engine.start()
            await look(engine, book, good)
        await engine.end(signal.SIGTERM)
        await asyncio.to_thread(look_at_files, engine, book)
    finally:
        await engine.close()
    return book


async def _killed_at_work(engine: EngineProcess, book: Book, photos: dict[str, str], chance: random.Random) -> None:
    desk = Desk(engine, book, photos, chance)
    working = asyncio.create_task(desk.work())
    answered = asyncio.create_task(desk.answered.wait())
    await asyncio.wait({working, answered}, return_when=asyncio.FIRST_COMPLETED)
    answered.cancel()
    await asyncio.wait({working}, timeout=chance.uniform(0.0, LONGEST))
    if working.done():  # while the engine lives, nothing is refused
        await working
    await engine.end(signal.SIGKILL)
    with contextlib.suppress(BridgeError, aiohttp.ClientError, ConnectionError):
        await working
    book.inside.update(+desk.asking or ["nothing"])


async def _killed_at_start(engine: EngineProcess, book: Book, chance: random.Random) -> None:
    engine.launch()
    await asyncio.sleep(chance.uniform(0.0, STARTING))
    await engine.end(signal.SIGKILL)
    book.inside["start"] += 1


async def _rotated(engine: EngineProcess, book: Book, chance: random.Random) -> None:
    command = (sys.executable, "-m", "nvr_bridge", "keys", "rotate", "--config", str(engine.config))
    rotating = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(rotating.wait(), chance.uniform(0.2, STARTING))
    if rotating.returncode is None:
        rotating.kill()
        await rotating.wait()
        book.inside["rotate"] += 1
    else:
        assert rotating.returncode == 0
        book.done["rotate"] += 1


async def look(engine: EngineProcess, book: Book, photos: Mapping[str, str]) -> None:
    """What was asked has happened or it has not, and what was answered has."""
    async with engine.hub(), engine.admin() as admin:
        if book.purging:
            await admin.call("retention/set", templates=None)
            await admin.call("retention/purge")  # after the one that the start began
        consents = {row["alias"]: row["visitor"] for row in await admin.call("consent/list")}
        assert not book.gone & consents.keys(), "somebody came back"
        for alias in sorted(book.gone | book.leaving | book.holders):
            there = await _is_there(admin, alias)
            assert not (there and alias in book.gone), "somebody came back"
            assert there or alias in book.gone | book.leaving, "somebody was lost"
            if not there and alias in book.leaving:
                book.gone.add(alias)
        lost = book.faces.keys() - consents.keys() - book.leaving
        assert not lost or book.purging, "somebody was lost"
        new = sorted(consents.keys() - book.faces.keys())
        assert len(new) <= (book.granting is not None), "a consent that nobody gave"
        book.faces = {alias: person for alias, person in book.faces.items() if alias in consents}
        book.faces |= {alias: str(book.granting) for alias in new}
        book.ids |= consents
        book.holders -= book.gone
        book.leaving, book.granting, book.purging = set(), None, False
        terms = {"purpose": "returns", "language": "en", "expires_in_days": 20}
        for person in book.faces.values():  # the index knows each; whom it should not, the next engine's desk finds out
            try:
                await admin.call(
                    "consent/grant", zone="desk", notice_hash=engine.notice_hash, photo=photos[person], **terms
                )
            except ConflictError:
                continue
            raise AssertionError("the index does not know somebody who agreed")
        status = await admin.call("engine/status")
        assert (status["embeddings_without_permit"], status["watch"]["erasures_overdue"]) == (0, 0)
        assert (await admin.call("ledger/verify"))["intact"]


async def _is_there(admin: Client, alias: str) -> bool:
    try:
        return bool(await admin.call("subject/get", alias=alias))
    except NotFoundError:
        return False


def look_at_files(engine: EngineProcess, book: Book) -> None:
    """Of an engine that was stopped: templates open and rest on consents, visitors have keys, and nobody who left is named."""
    verdict, _ = verify_folder(engine.data)
    assert verdict.intact, verdict.faults
    keys = open_keys(engine.data / "keys", None)
    with closing(sqlite3.connect(engine.data / "bridge.db")) as store:
        sealed = [each for each in sealed_rows(store) if each.visitor_id is not None]
        assert all(keys.opens(each.key, each.content, each.aad) is not None for each in sealed)
        agreed = {who for (who,) in store.execute("SELECT visitor_id FROM consents WHERE superseded_at IS NULL")}
        assert {each.visitor_id for each in sealed if each.what == "template"} == agreed
        assert agreed == {book.ids[alias] for alias in book.faces}
        visitors = {who for (who,) in store.execute("SELECT visitor_id FROM visitors")}
    assert {name for name in keys.wrapped if not name.startswith("consent:")} == visitors
    left = [book.ids[alias].encode() for alias in book.gone if alias in book.ids]
    for path in engine.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [who for who in left if who in content], path
