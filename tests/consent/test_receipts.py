"""A receipt proves an erasure to anybody, names nobody, and is given once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from store_site import NOW, Site, open_site
from test_erasure import busy_visitor

from nvr_bridge.consent.receipts import Receipts
from nvr_bridge.errors import AskError, InvalidError, NotFoundError
from nvr_bridge.evidence.receipt import Receipt, read


def receipts(site: Site) -> Receipts:
    return Receipts(site.db, site.ledger, site.checkpoints)


async def erased(site: Site) -> tuple[str, str, Receipt]:
    """(the visitor, their alias, the receipt)."""
    granted = await busy_visitor(site)
    visitor_id = granted.consent.visitor_id
    withdrawn = await site.records.withdraw(visitor_id, NOW + 60)
    return visitor_id, granted.alias, await receipts(site).take(withdrawn.receipt)


async def test_it_says_what_was_erased_and_the_ledger_has_it(site: Site) -> None:
    visitor_id, _, receipt = await erased(site)
    assert receipt.problems() == []
    assert receipt.erased == {
        "templates": 3,
        "consents": 1,
        "visits": 3,
        "sightings": 3,
        "events": 7,
        **dict.fromkeys(("passes", "pass_scans", "check_ins", "links", "signings"), 0),
    }
    assert receipt.content["cause"] == "withdrawn"
    assert (receipt.entry.act, receipt.entry.at) == ("consent_withdrawn", NOW + 60)
    assert receipt.entry in await site.ledger.since(0)
    assert receipt.public == site.checkpoints.key.public
    assert receipt.is_about(visitor_id)
    assert not receipt.is_about("0" * 32)


async def test_it_names_nobody_and_nothing_that_is_left_joins_to_it(site: Site) -> None:
    visitor_id, alias, receipt = await erased(site)
    written = json.dumps(receipt.document)
    for named in (visitor_id, alias):
        assert named not in written
    await site.db.checkpoint()
    for name, content in site.files().items():
        assert visitor_id.encode() not in content, name
        assert receipt.salt.encode() not in content, f"the salt is in {name}"
        assert receipt.digest.encode() not in content, f"the digest is in {name}"


async def test_it_is_given_once(site: Site) -> None:
    _, _, receipt = await erased(site)
    with pytest.raises(NotFoundError, match="given once"):
        await receipts(site).take(receipt.entry.number)
    with pytest.raises(NotFoundError, match="given once"):
        await receipts(site).take(10**9)


async def test_what_nobody_asked_for_waits_with_its_cause(site: Site) -> None:
    first, second = [(await site.grant(person)).consent.visitor_id for person in (1, 2)]
    await site.records.withdraw(first, NOW + 86401)
    await site.records.withdraw(second, NOW + 60, lapsed=True)
    waiting = await receipts(site).waiting()
    assert [each.cause for each in waiting] == ["expired", "lapsed"]
    taken = await receipts(site).take(waiting[0].number)
    assert taken.problems() == []
    assert taken.is_about(first)
    assert await receipts(site).waiting() == waiting[1:]


async def test_an_erasure_that_a_crash_interrupted_has_one_too(site: Site) -> None:
    visitor_id = (await busy_visitor(site)).consent.visitor_id
    await site.vault.destroy_key(visitor_id)  # and then the power fails
    await site.db.close()
    async with open_site(site.data_dir) as again:
        [waiting] = await receipts(again).waiting()
        receipt = await receipts(again).take(waiting.number)
        assert receipt.problems() == []
        assert receipt.is_about(visitor_id)
        assert receipt.erased["templates"] == 3


async def test_it_outlives_a_browser_that_writes_whole_numbers_without_a_point(site: Site, tmp_path: Path) -> None:
    _, _, receipt = await erased(site)
    path = tmp_path / "receipt.json"
    saved = json.dumps(receipt.document).replace(f"{NOW + 60}", f"{int(NOW + 60)}")
    assert saved != json.dumps(receipt.document)
    path.write_text(saved)
    assert read(json.loads(path.read_text())).problems() == []


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each single value in a document."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return [place for key, inner in pairs for place in places(inner, (*path, key))]
    return [path]


async def test_every_altered_value_is_noticed(site: Site) -> None:
    await site.grant(9)
    _, _, receipt = await erased(site)
    document = receipt.document
    tried = places(document)
    assert len(tried) > 25
    for place in tried:
        changed = json.loads(json.dumps(document))
        inner = changed
        for key in place[:-1]:
            inner = inner[key]
        was = inner[place[-1]]
        match was:
            case bool() | None:
                inner[place[-1]] = not was
            case int() | float():
                inner[place[-1]] = was + 1
            case _:
                inner[place[-1]] = ("0" if was[0] != "0" else "1") + was[1:]
        try:
            problems = read(changed).problems()
        except InvalidError:
            continue
        assert problems, place


async def test_a_changed_ledger_gives_none_and_it_stays(site: Site) -> None:
    granted = await site.grant(1)
    await site.checkpoints.make()
    withdrawn = await site.records.withdraw(granted.consent.visitor_id, NOW + 60)
    async with site.db.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE ledger SET digest = ? WHERE number = 1", ("00" * 32,))
    again = type(site.checkpoints)(site.db, site.checkpoints.key)
    with pytest.raises(AskError, match="not what checkpoint 1 signed"):
        await Receipts(site.db, site.ledger, again).take(withdrawn.receipt)
    assert [each.number for each in await receipts(site).waiting()] == [withdrawn.receipt]
