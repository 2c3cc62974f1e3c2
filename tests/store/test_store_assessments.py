"""Impact assessments: one is in force, the others are a record until their time is up."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from store_site import NOW, Site, open_site

from nvr_bridge.store import migrations
from nvr_bridge.store.assessments import AssessmentTable, StoredAssessment
from nvr_bridge.store.settings import SettingsTable

DAY = 86400.0


def made(by: str, at: float, days: float = 365, profile: str | None = "cn") -> StoredAssessment:
    return StoredAssessment(by, "explicit consent", profile, at, at + days * DAY)


@pytest.fixture
def table(site: Site) -> AssessmentTable:
    return AssessmentTable(site.db, site.ledger)


async def test_the_newest_is_in_force_and_the_others_are_kept(table: AssessmentTable) -> None:
    assert await table.current("cn") is None
    await table.add(made("Ann", NOW))
    await table.add(made("Bo", NOW + DAY))
    current = await table.current("cn")
    assert current == made("Bo", NOW + DAY)
    assert [(one.by, one.ended_at(NOW + 2 * DAY)) for one in await table.all()] == [("Bo", None), ("Ann", NOW + DAY)]


async def test_it_holds_for_the_profile_that_it_was_made_for(table: AssessmentTable) -> None:
    await table.add(made("Ann", NOW))
    assert await table.current("demo") is None
    await table.add(made("Bo", NOW, profile=None))  # an older version did not say
    assert await table.current("demo") == made("Bo", NOW, profile=None)


async def test_one_that_expired_ended_then(table: AssessmentTable) -> None:
    await table.add(made("Ann", NOW, days=10))
    await table.add(made("Bo", NOW + 20 * DAY))
    _, ann = await table.all()
    assert ann.ended_at(NOW + 30 * DAY) == NOW + 10 * DAY


async def test_the_ledger_names_nobody(table: AssessmentTable, site: Site) -> None:
    await table.add(made("Ann", NOW))
    (entry,) = await site.ledger.since(0)
    assert (entry.act, entry.data) == ("assessment_acknowledged", {"profile": "cn", "expires_at": NOW + 365 * DAY})


async def test_they_go_when_their_time_is_up_and_the_one_in_force_never(table: AssessmentTable) -> None:
    await table.add(made("Ann", NOW))
    await table.add(made("Bo", NOW + 10 * DAY))
    assert await table.drop_ended(NOW + 10 * DAY, NOW + 99 * DAY) == 0
    assert await table.drop_ended(NOW + 10 * DAY + 1, NOW + 99 * DAY) == 1
    assert [one.by for one in await table.all()] == ["Bo"]
    assert await table.drop_ended(NOW + 300 * DAY, NOW + 300 * DAY) == 0


def older_store(data_dir: Path, held: dict[str, object]) -> None:
    """A store as the version before there was a history left it."""
    engine = create_engine(f"sqlite:///{data_dir / 'bridge.db'}")
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.set_main_option("path_separator", "os")
        command.upgrade(config, "0012")
        connection.execute(text("INSERT INTO settings VALUES ('assessment', :held)"), {"held": json.dumps(held)})
    engine.dispose()


async def test_what_was_acknowledged_under_an_older_version_still_holds(tmp_path: Path) -> None:
    held = {"by": "Ann", "ground": "consent", "acknowledged_at": NOW, "expires_at": NOW + DAY}
    await asyncio.to_thread(older_store, tmp_path, held)
    async with open_site(tmp_path) as site:
        table = AssessmentTable(site.db, site.ledger)
        assert await table.current("eu") == StoredAssessment("Ann", "consent", None, NOW, NOW + DAY)
        assert await SettingsTable(site.db).get("assessment") is None
