"""The proof of an erasure opens everything that is encrypted: the visitor's reasons, partners' brokers, cameras' logins."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary
from store_site import NOW, Site, open_site
from test_receipts import receipts

from nvr_bridge.consent import master
from nvr_bridge.consent.erasure_check import Copy, Outcome, verify
from nvr_bridge.consent.records import Granted
from nvr_bridge.consent.sealed_rows import COLUMNS, sealed_rows
from nvr_bridge.devices.credentials import Credentials
from nvr_bridge.errors import AskError
from nvr_bridge.evidence.receipt import Receipt
from nvr_bridge.models import Camera, CameraKind, CaseState, ReviewAct
from nvr_bridge.store.cameras import CameraTable
from nvr_bridge.store.cases import NewReview
from nvr_bridge.store.referrals import Filing
from nvr_bridge.store.schema import Base

NUMBER, REASON, PHRASE = "13800138000", "her aunt Canary brought her", "correct horse battery"
ALL = {"alias", "template", "reason", "broker", "camera's login"}


def test_no_encrypted_column_is_left_out() -> None:
    signed = {("checkpoints", "signature")}
    binary = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert binary - signed == COLUMNS


class Told:
    """A visitor, and what somebody wrote of them in each place that is encrypted."""

    def __init__(self, folder: Path, *, login: str = "s3cret", broker: str = "Ann of Acme", other: str = "") -> None:
        self.live, self.copy = folder / "live", Copy(folder / "copy", folder / "copy" / "keys", [NUMBER])
        self._login, self._broker, self._other = login, broker, other
        self.granted: Granted
        self.receipt: Receipt

    async def tell(self) -> Told:
        async with open_site(self.live) as site:
            self.granted = await site.grant(1)
            await reviewed(site, self.granted.consent.visitor_id, REASON)
            other = await site.grant(2)
            await reviewed(site, other.consent.visitor_id, self._other or "came by bus")
            await reviewed(site, None, "nobody knows")
            await site.partners.add("acme", "Acme Homes", NOW)
            broker = self._broker.replace("ALIAS", self.granted.alias)
            await site.referrals.file(Filing("acme", "ab" * 32, "cd" * 32, broker), NOW)
            camera = Camera("front", "Front", CameraKind.ONVIF, "192.0.2.1:80", "1", "lane")
            await CameraTable(site.db, site.vault, site.ledger).add(camera, Credentials("admin", self._login))
            await site.db.checkpoint()
            await asyncio.to_thread(shutil.copytree, self.live, self.copy.data_dir)
            withdrawn = await site.records.withdraw(self.granted.consent.visitor_id, NOW + 60)
            self.receipt = await receipts(site).take(withdrawn.receipt)
        return self

    async def verified(self, passphrase: str | None = None) -> Outcome:
        return await asyncio.to_thread(verify, self.receipt, self.live, self.copy, (), passphrase)


async def reviewed(site: Site, visitor_id: str | None, reason: str) -> None:
    """A visit whose case somebody changed."""
    names = [] if visitor_id else ["ef" * 32]
    visit, _ = await site.visits.begin(visitor_id, "desk", NOW, names=names)
    [case] = (await site.cases.of([visit.visit_id])).values()
    change = NewReview(ReviewAct.CHANGE, CaseState.CHANGED, NOW, attribution="natural", token_id="t", reason=reason)
    async with site.db.write() as session:
        await site.cases.review(session, case.case_id, lambda _case, _history: change)


def encrypted(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "bridge.db")) as store:
        return {each.what for each in sealed_rows(store)}


def found(outcome: Outcome) -> set[tuple[str, str]]:
    return {(Path(each.where.split(",")[0]).name + each.where.partition(",")[2], each.what) for each in outcome.found}


async def test_all_of_it_is_opened_and_nothing_of_the_visitor_is_in_it(tmp_path: Path) -> None:
    told = await Told(tmp_path).tell()
    assert await asyncio.to_thread(encrypted, told.copy.data_dir) == ALL
    outcome = await told.verified()
    assert (outcome.problems, outcome.found) == ([], [])
    assert outcome.in_copy == {"template": 1, "alias": 1, "reason": 1}


async def test_a_reason_that_lies_about_in_clear_is_found(tmp_path: Path) -> None:
    told = await Told(tmp_path).tell()
    (told.live / "notes.txt").write_text(f"Change: {REASON.upper()}\n")
    assert found(await told.verified()) == {("notes.txt", "reason")}


@pytest.mark.parametrize(
    ("where", "written"),
    [
        ("broker", {"broker": f"call {NUMBER}"}),
        ("broker", {"broker": "for ALIAS"}),
        ("camera's login", {"login": NUMBER}),
        ("reason", {"other": f"with {REASON}"}),
    ],
)
async def test_what_others_encrypted_with_the_visitor_in_it_is_found_today_and_in_the_copy(
    tmp_path: Path, where: str, written: dict[str, str]
) -> None:
    told = await Told(tmp_path, **written).tell()
    what = {"reason": "reason"}.get(where, "alias" if "ALIAS" in written.get("broker", "") else "contact")
    places = {f"bridge.db decrypted {where}", f"copy decrypted {where}"}
    assert found(await told.verified()) == {(place, what) for place in places}


async def test_a_reason_that_a_key_of_today_opens_is_found(tmp_path: Path) -> None:
    told = await Told(tmp_path).tell()
    shutil.copytree(told.copy.keys_dir, told.live / "keys", dirs_exist_ok=True)
    assert ("copy", "reason, opened with a key of today") in {
        (Path(each.where).name, each.what) for each in (await told.verified()).found
    }


async def test_a_site_that_a_passphrase_opens_is_proved_alike(tmp_path: Path) -> None:
    told = await Told(tmp_path, broker=f"call {NUMBER}").tell()
    await asyncio.to_thread(master.rotate, told.live / "keys", None, PHRASE)
    with pytest.raises(AskError, match="a passphrase opens"):
        await told.verified()
    with pytest.raises(AskError, match="passphrase is wrong"):
        await told.verified("another one")
    assert ("bridge.db decrypted broker", "contact") in found(await told.verified(PHRASE))
    await asyncio.to_thread(
        master.rotate, told.copy.keys_dir, None, PHRASE
    )  # the copy's keys too, as a backup has them
    outcome = await told.verified(PHRASE)
    assert outcome.in_copy == {"template": 1, "alias": 1, "reason": 1}
    assert found(outcome) == {(f"{where} decrypted broker", "contact") for where in ("bridge.db", "copy")}
