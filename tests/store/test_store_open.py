"""Opening a store: who may, what is made, what is refused in one line, and that a crash leaves no half-made schema."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from nvr_bridge.errors import AskError, ConflictError, RetryError
from nvr_bridge.events import EventLog
from nvr_bridge.store.database import Database
from nvr_bridge.store.migrations import migrate
from nvr_bridge.store.schema import Base

HOLD = (
    "import sys; from pathlib import Path; from nvr_bridge.store.files import DirectoryLock;"
    "lock = DirectoryLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
)


async def test_the_engine_keeps_its_id(tmp_path: Path) -> None:
    first = await Database.open(tmp_path)
    await first.close()
    second = await Database.open(tmp_path)
    await second.close()
    assert first.engine_id == second.engine_id
    assert len(first.engine_id) == 32


async def test_each_store_has_an_id_of_its_own(tmp_path: Path) -> None:
    ids = set()
    for name in ("a", "b"):
        db = await Database.open(tmp_path / name)
        ids.add(db.engine_id)
        await db.close()
    assert len(ids) == 2


async def test_only_this_user_can_read_it(tmp_path: Path) -> None:
    db = await Database.open(tmp_path / "deep" / "data")
    async with db.write() as session:
        await session.connection()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "deep" / "data").iterdir()}
    await db.close()
    assert stat.S_IMODE((tmp_path / "deep" / "data").stat().st_mode) == 0o700
    assert "bridge.db-wal" in modes
    assert set(modes.values()) == {0o600}


async def test_a_second_engine_in_this_process_is_refused(tmp_path: Path) -> None:
    db = await Database.open(tmp_path)
    with pytest.raises(ConflictError, match="in use by a running engine; stop it"):
        await Database.open(tmp_path)
    await db.close()
    again = await Database.open(tmp_path)
    await again.close()


async def test_a_second_engine_in_another_process_is_refused_until_that_one_dies(tmp_path: Path) -> None:
    pipe = asyncio.subprocess.PIPE
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(tmp_path), stdin=pipe, stdout=pipe, cwd=Path(__file__).parents[2]
    )
    assert other.stdout is not None
    assert await other.stdout.readline() == b"held\n"
    with pytest.raises(ConflictError):
        await Database.open(tmp_path)
    other.kill()
    await other.communicate()
    db = await Database.open(tmp_path)
    await db.close()


async def test_a_failed_opening_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "bridge.db").write_bytes(b"this is no database, whatever its name says" * 100)
    for _ in range(2):
        with pytest.raises(AskError, match=r"bridge\.db cannot be opened .*; restore it from a backup"):
            await Database.open(tmp_path)
    (tmp_path / "bridge.db").unlink()
    db = await Database.open(tmp_path)
    await db.close()


async def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    db = await Database.open(tmp_path)
    await db.close()
    with sqlite3.connect(tmp_path / "bridge.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    connection.close()
    with pytest.raises(AskError, match="update this program to the version that wrote it"):
        await Database.open(tmp_path)
    with sqlite3.connect(tmp_path / "bridge.db") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("from_the_future",)
    connection.close()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(AskError, match=r"data_dir: .*file.* cannot be made"):
        await Database.open(tmp_path / "file" / "data")


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    db = await Database.open(tmp_path)
    await db.close()
    await db.close()
    with pytest.raises(RetryError, match="is closed"):
        async with db.read():
            pass
    with pytest.raises(RetryError, match="is closed"):
        async with db.write():
            pass
    with pytest.raises(RetryError, match="is closed"):
        await EventLog(db).since(0)


async def test_the_migrations_make_the_schema_that_the_code_expects(tmp_path: Path) -> None:
    db = await Database.open(tmp_path)
    await db.close()
    engine = create_engine(f"sqlite:///{tmp_path / 'bridge.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        differences = compare_metadata(context, Base.metadata)
        counted = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'"
        ).scalars()
        assert set(counted) == {
            *("events", "templates", "sightings", "pass_scans", "check_ins", "staff_marks", "corrections", "reviews"),
            *("assessments", "setting_changes"),
        }
    engine.dispose()
    assert differences == []


def test_an_interrupted_migration_leaves_nothing(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'bridge.db'}", connect_args={"isolation_level": None})
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        migrate(connection)
        assert "events" in inspect(connection).get_table_names()
        connection.exec_driver_sql("ROLLBACK")
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one() == 0
    engine.dispose()
