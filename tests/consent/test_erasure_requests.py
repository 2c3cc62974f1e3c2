"""Who asked to be erased is erased, whatever came between: the request is on the disk before anything else is done."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from keeper_site import START, Kept, kept_site

from nvr_bridge.consent.receipts import Receipts
from nvr_bridge.consent.requests import Requests
from nvr_bridge.errors import NotFoundError, RetryError
from nvr_bridge.models import Unknown


def requests(kept: Kept) -> Requests:
    return Requests(kept.site.db)


async def nothing_is_left(kept: Kept, visitor_id: str, person: int) -> None:
    """Neither in the store nor in the index, with a receipt, and nothing is owed any more."""
    assert kept.site.records.alias(visitor_id) is None
    assert isinstance(await kept.match(person), Unknown)
    assert not [name for name, content in kept.site.files().items() if visitor_id.encode() in content]
    assert len(await Receipts(kept.site.db, kept.site.ledger, kept.site.checkpoints).waiting()) == 1
    assert (await requests(kept).all(), kept.leaving.owed) == (frozenset(), frozenset())


async def test_a_request_that_a_crash_cut_off_is_finished_at_the_next_start(tmp_path: Path) -> None:
    async with kept_site(tmp_path) as kept:
        ann, bo = await kept.agree(1), await kept.agree(2)
        visit = await kept.visit(ann, 0.1, number="13800138000", seen=0.6)
        verdict = (await kept.verdicts())[visit.visit_id]["attribution"]
        await requests(kept).add(ann, START)  # and no more
    async with kept_site(tmp_path) as kept:
        await kept.leaving.resume()
        await nothing_is_left(kept, ann, 1)
        assert kept.site.vault.visitors == {bo}
        after = (await kept.verdicts())[visit.visit_id]
        assert (after["attribution"], after["evidence_erased"]) == (verdict, True)


async def test_of_one_whose_key_was_destroyed_already_the_verdicts_stay_too(tmp_path: Path) -> None:
    async with kept_site(tmp_path) as kept:
        ann = await kept.agree(1)
        visit = await kept.visit(ann, 0.1, number="13800138000", seen=0.6)
        verdict = (await kept.verdicts())[visit.visit_id]
        await requests(kept).add(ann, START)
        await kept.site.vault.destroy_key(ann)  # and no more
    async with kept_site(tmp_path) as kept:
        await kept.leaving.resume()
        await nothing_is_left(kept, ann, 1)
        after = (await kept.verdicts())[visit.visit_id]
        assert (after["attribution"], after["rule"]) == (verdict["attribution"], verdict["rule"])
        assert after["evidence_erased"]


async def test_what_the_disk_refused_is_owed_matches_nobody_and_is_tried_again(tmp_path: Path) -> None:
    async with kept_site(tmp_path) as kept:
        ann = await kept.agree(1)
        blocked = kept.site.data_dir / "keys" / "visitors.json.new"
        blocked.mkdir()
        with pytest.raises(RetryError, match="cannot be written"):
            await kept.leaving.erase(ann)
        assert kept.leaving.owed == {ann} == await requests(kept).all()
        assert isinstance(await kept.match(1), Unknown)
        with pytest.raises(RetryError):
            await kept.leaving.expire()
        blocked.rmdir()
        await kept.leaving.expire()  # nobody asked again
        await nothing_is_left(kept, ann, 1)


async def test_a_start_that_cannot_finish_it_goes_on_without_the_visitor(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with kept_site(tmp_path) as kept:
        ann = await kept.agree(1)
        await requests(kept).add(ann, START)
    async with kept_site(tmp_path) as kept:
        assert not isinstance(await kept.match(1), Unknown)
        blocked = kept.site.data_dir / "keys" / "visitors.json.new"
        blocked.mkdir()
        await kept.leaving.resume()
        assert "finishing 1 erasures that were asked for before the start" in caplog.text
        assert "cannot be written" in caplog.text
        assert isinstance(await kept.match(1), Unknown)
        assert kept.leaving.owed == {ann} == kept.keeper.owed
        blocked.rmdir()
    async with kept_site(tmp_path) as kept:
        await kept.leaving.resume()
        await nothing_is_left(kept, ann, 1)


async def test_an_erasure_is_not_owed_while_it_is_made_nor_where_there_is_nobody(tmp_path: Path) -> None:
    async with kept_site(tmp_path) as kept:
        ann = await kept.agree(1)
        await kept.leaving.erase(ann)
        for nobody in (ann, "f" * 32):
            with pytest.raises(NotFoundError):
                await kept.leaving.erase(nobody)
        await nothing_is_left(kept, ann, 1)


async def test_who_is_owed_an_erasure_matches_nobody_after_a_purge_that_failed_either(tmp_path: Path) -> None:
    async with kept_site(tmp_path) as kept:
        ann = await kept.agree(1)
        (kept.site.data_dir / "keys" / "visitors.json.new").mkdir()  # the disk refuses
        with pytest.raises(RetryError):
            await kept.leaving.erase(ann)
        with pytest.raises(RetryError):
            await kept.leaving.lapse([ann])
        await kept.gallery.rebuild(kept.site.records.templates)  # as when anybody else leaves
        assert isinstance(await kept.match(1), Unknown)


async def test_who_asks_while_the_clock_comes_to_be_believed_matches_nobody(tmp_path: Path) -> None:
    async with kept_site(tmp_path) as kept:
        ann = await kept.agree(1)
        kept.on_day(10_000)
        await kept.leaving.expire(by_clock=False)
        kept.on_day(1)
        async with kept.site.records.changing():  # somebody else is coming or going
            asked = asyncio.create_task(kept.leaving.erase(ann))
            await asyncio.sleep(0)  # they asked, and are still there
            await kept.leaving.expire()
            assert isinstance(await kept.match(1), Unknown)
        await asked
        await nothing_is_left(kept, ann, 1)


async def test_who_asked_has_withdrawn_also_where_a_purge_comes_first(tmp_path: Path) -> None:
    async with kept_site(tmp_path) as kept:
        ann = await kept.agree(1)
        await kept.visit(ann, 1)
        blocked = kept.site.data_dir / "keys" / "visitors.json.new"
        blocked.mkdir()
        with pytest.raises(RetryError):
            await kept.leaving.erase(ann)
        blocked.rmdir()
        kept.on_day(1 + 366)  # nothing of them is to be kept any longer, whatever they asked
        await kept.keeper.purge()
        (waiting,) = await Receipts(kept.site.db, kept.site.ledger, kept.site.checkpoints).waiting()
        assert waiting.cause == "withdrawn"
