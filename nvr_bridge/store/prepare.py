"""Opening a store: lock the folder, bring the schema up to date, empty the log. Blocks; belongs in a thread."""

from __future__ import annotations

import os
import sqlite3
import uuid
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine, event, exists, insert, select, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ..errors import AskError, ConflictError
from .files import DATABASE, DirectoryLock, make_private_directory
from .migrations import migrate
from .remains import clean
from .schema import CheckInRow, ConsentRow, EventRow, LoginRow, ReferralRow, SettingRow, TemplateRow, VisitorRow
from .schema_cases import ReviewRow
from .schema_evidence import SigningRow

ENGINE_ID = "engine_id"
BUSY_SECONDS = 5.0  # how long a statement waits for another program that locks the store
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # a commit is on the disk before anybody is told
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what is deleted is overwritten with zeros
    "PRAGMA temp_store=MEMORY",
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A store that is ready to be used, by this process alone."""

    path: Path
    lock: DirectoryLock
    writer: AsyncEngine
    reader: AsyncEngine
    engine_id: str
    fresh: bool  # nothing in it needs a key
    sequence: int  # the highest event sequence ever given
    clean: bool  # nothing is left of what was deleted


def prepare(data_dir: Path) -> Prepared:
    """Raises `ConflictError` while another engine uses the folder, `AskError` when a person has to repair something."""
    make_private_directory(data_dir)
    lock = DirectoryLock(data_dir)
    try:
        return _prepare(data_dir / DATABASE, lock)
    except DatabaseError as err:
        lock.release()
        if isinstance(err, OperationalError) and "locked" in str(err.orig):
            raise ConflictError(
                f"store: {data_dir / DATABASE} is locked by another program; end that program, then start again"
            ) from err
        raise AskError(f"store: {data_dir / DATABASE} cannot be opened ({err.orig}); restore it from a backup") from err
    except BaseException:
        lock.release()
        raise


def _prepare(path: Path, lock: DirectoryLock) -> Prepared:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    engine = create_engine(
        _url(path, "sqlite"),
        poolclass=NullPool,
        connect_args={"isolation_level": None, "timeout": BUSY_SECONDS},
        hide_parameters=True,
    )
    _configure(engine, "BEGIN IMMEDIATE")
    try:
        with engine.begin() as connection:
            if connection.execute(text("PRAGMA journal_mode")).scalar_one() != "wal":
                raise AskError(f"data_dir: {path.parent} is on a file system without shared memory; use a local disk")
            migrate(connection)
            engine_id, fresh, sequence = _facts(connection)
    finally:
        engine.dispose()
    return Prepared(
        path=path,
        lock=lock,
        writer=_make_engine(path, writes=True),
        reader=_make_engine(path, writes=False),
        engine_id=engine_id,
        fresh=fresh,
        sequence=sequence,
        clean=clean(path, 1.0, (), unknown=True),
    )


def _make_engine(path: Path, *, writes: bool) -> AsyncEngine:
    """Connections with this program's settings. The writing engine has one, and begins by taking the lock."""
    engine = create_async_engine(
        _url(path, "sqlite+aiosqlite"),
        connect_args={"isolation_level": None, "timeout": BUSY_SECONDS},  # BEGIN is ours to say, below
        pool_size=1 if writes else 4,
        max_overflow=0,
        hide_parameters=True,  # an error's text must not carry what the row holds
    )
    _configure(engine.sync_engine, "BEGIN IMMEDIATE" if writes else "BEGIN")
    return engine


def _facts(connection: Connection) -> tuple[str, bool, int]:
    engine_id = connection.execute(select(SettingRow.value).where(SettingRow.key == ENGINE_ID)).scalar_one_or_none()
    if engine_id is None:
        engine_id = uuid.uuid4().hex
        connection.execute(insert(SettingRow).values(key=ENGINE_ID, value=engine_id))
    sealed = (VisitorRow, ConsentRow, TemplateRow, LoginRow, ReferralRow, CheckInRow, SigningRow, ReviewRow)
    fresh = not any(connection.execute(select(exists().select_from(table))).scalar_one() for table in sealed)
    # Not the highest in the table: retention may have deleted that one, and its number is still used up.
    given = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    sequence = connection.execute(given, {"name": EventRow.__tablename__}).scalar_one_or_none() or 0
    return str(engine_id), fresh, int(sequence)


def _url(path: Path, driver: str) -> URL:
    return URL.create(driver, database=str(path))


def _configure(engine: object, begin: str) -> None:
    def connected(connection: sqlite3.Connection, _: object) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    def began(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
