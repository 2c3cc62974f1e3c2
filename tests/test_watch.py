"""What whoever answers for the data must see, over a real store under a clock that the test moves."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from keeper_site import DAY, START, Kept, kept_site
from store_site import NOTICE

from nvr_bridge.consent.interlock import Assessment, Interlock
from nvr_bridge.consent.policy import Policy, load_policy
from nvr_bridge.errors import ErasureOwedError, RetryError
from nvr_bridge.models import Zone, ZoneKind
from nvr_bridge.office.keyring import Keyring
from nvr_bridge.store import database
from nvr_bridge.store.settings import SettingsTable
from nvr_bridge.watch import Watch

ZONES = {
    "hall": Zone("hall", "Hall", ZoneKind.OBSERVE),
    "lane": Zone("lane", "Lane", ZoneKind.OPT_IN_LANE),
    "desk": Zone("desk", "Desk", ZoneKind.CONSENT_POINT),
}


@pytest.fixture(scope="module")
def cn() -> Policy:
    """The profile, warning from two visitors."""
    return load_policy("cn", {"subjects_warning": 2})


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    """An empty site."""
    async with kept_site(tmp_path) as opened:
        yield opened


def watching(kept: Kept, policy: Policy, interlock: Interlock | None = None, backup: Path | None = None) -> Watch:
    site, config = kept.site, replace(kept.config, zones=ZONES)
    keyring = Keyring(site.vault, site.data_dir / "keys", backup, SettingsTable(site.db), site.ledger, lambda: kept.now)
    lock = interlock or Interlock(ZONES, policy, NOTICE, 5.0)
    return Watch(config, policy, site.db, site.records, lock, kept.keeper, keyring)


async def test_of_a_new_site_there_is_little_to_see(kept: Kept, cn: Policy) -> None:
    assert watching(kept, cn).status(kept.now) == {
        "subjects_warning": 2,
        "oldest_template": None,
        "to_renew": 0,
        "erasures_overdue": 0,
        "log_cut": True,
        "clock_doubted": False,
        "last_purge": None,
        "next_purge": "2026-09-21T14:13:20.000+00:00",  # at once: the engine has just started
        "reasons": ["policy", "assessment_missing", "sign_unknown"],
        "assessment_expires_at": None,
        "keys_by": "file",
        "keys_backed_up_at": None,
    }


async def test_the_oldest_template_and_the_purges_are_told(kept: Kept, cn: Policy) -> None:
    watch = watching(kept, cn)
    await kept.agree(1, day=2)
    ann = await kept.agree(2, day=1)
    kept.on_day(3)
    await kept.keeper.purge()
    status = watch.status(kept.now)
    assert status["oldest_template"] == "2026-09-22T14:13:20.000+00:00"
    assert (status["last_purge"], status["next_purge"]) == (
        "2026-09-24T14:13:20.000+00:00",
        "2026-09-24T15:13:20.000+00:00",
    )
    await kept.leaving.erase(ann)
    assert watch.status(kept.now)["oldest_template"] == "2026-09-23T14:13:20.000+00:00"


async def test_armed_or_not_and_why_not(kept: Kept, cn: Policy) -> None:
    lock = Interlock(ZONES, cn, NOTICE, 5.0)
    watch = watching(kept, cn, lock)
    lock.assessment = Assessment("Ada", "consent", START, START + DAY)
    lock.sign("hub", "desk", on=True, notice_hash=NOTICE, now=START)
    assert watch.status(START)["reasons"] == ["policy"]  # the lane's, which the profile does not have
    assert watch.status(START)["assessment_expires_at"] == "2026-09-22T14:13:20.000+00:00"
    assert watch.status(START + DAY)["reasons"] == ["policy", "assessment_expired", "sign_silent"]


async def test_consents_to_another_notice_are_counted(tmp_path: Path, cn: Policy) -> None:
    async with kept_site(tmp_path) as kept:
        await kept.agree(1)
    async with kept_site(tmp_path, notice_hash="cd" * 32) as kept:
        assert watching(kept, cn).status(kept.now)["to_renew"] == 1


async def test_an_erasure_that_should_be_done_is_overdue_until_it_is(kept: Kept, cn: Policy) -> None:
    watch = watching(kept, cn)
    await kept.agree(1)
    kept.on_day(9999)
    assert watch.status(kept.now)["erasures_overdue"] == 0  # there is some time for it
    kept.clock[0] += 301
    assert watch.status(kept.now)["erasures_overdue"] == 1
    await kept.leaving.expire()
    assert watch.status(kept.now)["erasures_overdue"] == 0


async def test_one_that_stopped_halfway_or_cannot_cut_the_log_is_overdue(
    kept: Kept, cn: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "TRUNCATE_SECONDS", 0.2)
    watch, ann, bo = watching(kept, cn), await kept.agree(1), await kept.agree(2)
    await kept.site.vault.destroy_key(ann)
    kept.clock[0] += 6
    assert watch.status(kept.now)["erasures_overdue"] == 1
    reader = sqlite3.connect(kept.site.data_dir / "bridge.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchone()
    with pytest.raises(ErasureOwedError):
        await kept.leaving.erase(bo)
    status = watch.status(kept.now)
    assert (status["erasures_overdue"], status["log_cut"]) == (2, False)
    reader.close()
    await kept.leaving.erase(ann)
    status = watch.status(kept.now)
    assert (status["erasures_overdue"], status["log_cut"]) == (0, True)


async def test_a_purge_that_could_not_erase_leaves_it_overdue(kept: Kept, cn: Policy) -> None:
    watch = watching(kept, cn)
    await kept.agree(1)
    blocked = kept.site.data_dir / "keys" / "visitors.json.new"
    blocked.mkdir()
    kept.on_day(400)
    with pytest.raises(RetryError, match="cannot be written"):
        await kept.keeper.purge()
    assert watch.status(kept.now)["erasures_overdue"] == 1
    blocked.rmdir()
    await kept.keeper.purge()
    assert watch.status(kept.now)["erasures_overdue"] == 0


async def test_one_that_was_asked_for_and_refused_is_overdue_and_counted_once(kept: Kept, cn: Policy) -> None:
    watch, ann = watching(kept, cn), await kept.agree(1)
    blocked = kept.site.data_dir / "keys" / "visitors.json.new"
    blocked.mkdir()
    kept.on_day(400)  # a purge would erase them too
    for erase in (kept.leaving.erase(ann), kept.keeper.purge()):
        with pytest.raises(RetryError, match="cannot be written"):
            await erase
        assert watch.status(kept.now)["erasures_overdue"] == 1
    blocked.rmdir()
    await kept.leaving.expire()
    await kept.keeper.purge()
    assert watch.status(kept.now)["erasures_overdue"] == 0


async def test_the_warning_level_is_said_once_each_way(
    kept: Kept, cn: Policy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    watch = watching(kept, cn)
    await kept.agree(1)
    await watch.look()
    assert caplog.text == ""
    ann = await kept.agree(2)
    for _ in range(2):
        await watch.look()
    assert caplog.text.count("2 visitors are remembered, and profile cn warns from 2") == 1
    await kept.leaving.erase(ann)
    for _ in range(2):
        await watch.look()
    assert caplog.text.count("fewer than profile cn warns from") == 1


async def test_when_the_engine_wrote_the_key_backup_is_told(kept: Kept, cn: Policy, tmp_path: Path) -> None:
    watch = watching(kept, cn, backup=tmp_path / "keys.backup")
    await watch._keyring.back_up()
    assert watch.status(kept.now)["keys_backed_up_at"] == "2026-09-21T14:13:20.000+00:00"
