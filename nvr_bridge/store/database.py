"""The store's one database: who may read and write it when.

One write transaction at a time; readers beside it, each on a snapshot. The write-ahead log still holds what was deleted
until it is cut, and it can only be cut while nobody reads: `checkpoint` keeps new readers waiting, ends those that
overstay, and says so when another program's reader makes it impossible.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from ..errors import RetryError
from .finish import to_the_end
from .prepare import Prepared, prepare
from .remains import MARK, clean

READER_GRACE = 1.0  # seconds that a reader may go on once the log must be cut
PAGE = 500  # rows
TRUNCATE_SECONDS = 2.0  # how long other programs' readers are waited for
_LOG = logging.getLogger(__name__)


class Database:
    """An open store. Made by `open`; the owner closes it."""

    def __init__(self, prepared: Prepared) -> None:
        self.engine_id = prepared.engine_id
        self.fresh = prepared.fresh  # when it was opened, nothing in it needed a key
        self.first_sequence = prepared.sequence  # the highest event sequence when it was opened
        self.truncation_owed = not prepared.clean  # something deleted may still be in the write-ahead log
        self._unknown = not prepared.clean  # and nobody knows whose
        self._gone: set[str] = set()  # who was erased, and may not yet be out of every page
        self._path = prepared.path
        self._lock = prepared.lock
        self._writer = prepared.writer
        self._reader = prepared.reader
        self._writing = asyncio.Lock()
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._readers: set[asyncio.Timeout] = set()
        self._readers_gone = asyncio.Event()
        self._closed = False

    @classmethod
    async def open(cls, data_dir: Path) -> Database:
        """Open, or make, the store in `data_dir`.

        Raises `ConflictError` while another engine uses the folder, `AskError` when a person has to repair something.
        """
        return cls(await to_the_end(asyncio.to_thread(prepare, data_dir)))

    async def close(self) -> None:
        """Let what runs finish, and give the folder free. Calling it again does nothing."""
        if not self._closed:
            self._closed = True
            await to_the_end(self._close())

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A snapshot to read from. Keep it short: a withdrawal ends it after a second, with `RetryError`."""
        while not self._may_read.is_set():
            await self._may_read.wait()
        self._check_open()
        scope = asyncio.timeout(None)
        try:
            async with scope:
                self._readers.add(scope)
                try:
                    async with _session(self._reader) as session:
                        yield session
                finally:
                    self._readers.discard(scope)
                    if not self._readers:
                        self._readers_gone.set()
        except TimeoutError:
            if scope.expired():
                raise RetryError("store: reading was ended by a withdrawal; try again") from None
            raise
        except OperationalError as err:
            raise RetryError(f"store: cannot be read now ({err.orig}); try again") from err

    @asynccontextmanager
    async def write(self, erases: Collection[str] = ()) -> AsyncIterator[AsyncSession]:
        """The write transaction: committed, on the disk, when the block is left; undone when it is left by an error.

        Whoever `erases` names is looked for at the next `checkpoint`, also if a crash comes between.
        """
        async with self._writing:
            self._check_open()
            try:
                async with _session(self._writer) as session:
                    if erases:
                        await session.execute(text(MARK))
                    yield session
                    self._gone.update(erases)
                    await to_the_end(session.commit())
            except OperationalError as err:
                raise RetryError(f"store: cannot be written now ({err.orig}); check the disk, then try again") from err
            if self.truncation_owed:
                await to_the_end(self._pay())

    async def checkpoint(self) -> None:
        """Cut the write-ahead log to nothing, for certain, and leave nothing of who was erased in the store's pages.

        Raises `RetryError` if another program makes that impossible. It is then owed: tried again after every
        write and when the store is opened.
        """
        async with self._writing:
            self._check_open()
            await to_the_end(self._truncate())

    async def _truncate(self) -> None:
        self.truncation_owed = True
        self._may_read.clear()
        try:
            await self._end_readers()
            deadline = asyncio.get_running_loop().time() + TRUNCATE_SECONDS
            while not await asyncio.to_thread(self._clean, 0.2):
                if asyncio.get_running_loop().time() > deadline:
                    raise RetryError(
                        "store: what was erased is unreadable, but its remains cannot be cut from the log while "
                        f"another program reads {self._path.name}; end that program"
                    )
                await asyncio.sleep(0.05)
            self._cleaned()
        finally:
            self._may_read.set()

    async def _end_readers(self) -> None:
        """Wait for the readers, then end them. New ones are kept out by the caller."""
        if not self._readers:
            return
        self._readers_gone.clear()
        if not await self._gone_within(READER_GRACE):
            for scope in self._readers:
                scope.reschedule(asyncio.get_running_loop().time())
            await self._gone_within(READER_GRACE)

    async def _gone_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._readers_gone.wait()
        except TimeoutError:
            return False
        return True

    def _clean(self, seconds: float) -> bool:
        return clean(self._path, seconds, self._gone, unknown=self._unknown)

    def _cleaned(self) -> None:
        self.truncation_owed = self._unknown = False
        self._gone.clear()

    async def _pay(self) -> None:
        if await asyncio.to_thread(self._clean, 0.0):
            self._cleaned()
            _LOG.info("store: the write-ahead log that a withdrawal left behind has been cut")

    async def _close(self) -> None:
        async with self._writing:
            self._may_read.clear()
            await self._end_readers()
            await self._writer.dispose()
            await self._reader.dispose()
            await asyncio.to_thread(self._lock.release)
            self._may_read.set()

    def _check_open(self) -> None:
        if self._closed:
            raise RetryError("store: is closed; start the engine again")


async def rows_of(session: AsyncSession, wanted: Select[*tuple[Any, ...]]) -> AsyncIterator[tuple[Any, ...]]:
    """All rows of a long answer, a page at a time: other tasks get their turn between pages."""
    async for page in (await session.stream(wanted)).partitions(PAGE):
        for row in page:
            yield tuple(row)


def within(
    when: InstrumentedAttribute[float],
    since: float | None,
    until: float | None,
    where: InstrumentedAttribute[str],
    zone_id: str | None,
) -> list[ColumnElement[bool]]:
    """The conditions for rows of [since, until) in a zone; what is None does not count."""
    found: list[ColumnElement[bool]] = []
    if since is not None:
        found.append(when >= since)
    if until is not None:
        found.append(when < until)
    if zone_id is not None:
        found.append(where == zone_id)
    return found


@asynccontextmanager
async def _session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """A session in a transaction. What is not committed is undone.

    Cancelling its user may interrupt a statement, which closes the connection; but not connecting or closing, which
    would leak it, and a leaked reader keeps the log from being cut.
    """
    session = AsyncSession(engine, expire_on_commit=False)
    try:
        await to_the_end(session.connection())
        yield session
    finally:
        await to_the_end(session.close())
