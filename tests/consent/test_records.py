"""Consents: granted whole or not at all, found by alias however it is typed, and readable with the visitor's key only."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from store_site import NOTICE, NOW, Site, face, open_site

from nvr_bridge.consent.alias import new_alias, plain
from nvr_bridge.errors import InvalidError
from nvr_bridge.models import Consent, EventKind

if TYPE_CHECKING:
    from nvr_bridge.models import Embedding


async def test_a_consent_is_kept_with_all_that_it_covers(site: Site) -> None:
    granted = await site.grant(1, looks=3)
    assert granted.consent == Consent(
        consent_id=granted.consent.consent_id,
        visitor_id=granted.consent.visitor_id,
        zone_id="desk",
        notice_hash=NOTICE,
        language="en",
        purpose="to be recognised on return",
        granted_at=NOW,
        expires_at=NOW + 86400,
        guardian=False,
    )
    assert await site.records.consents() == [granted.consent]
    assert site.records.subjects == 1
    assert granted.event.kind is EventKind.CONSENT_GRANTED
    assert granted.event.visitor_id == granted.consent.visitor_id
    assert await site.log.since(0) == [granted.event]
    assert [entry.act for entry in await site.ledger.since(0)] == ["consent_granted"]


async def test_templates_come_back_exactly_also_after_a_restart(site: Site) -> None:
    granted = await site.grant(1, looks=3)
    await site.grant(2)
    await site.db.close()
    async with open_site(site.data_dir) as again:
        templates = await again.records.templates()
        assert len(templates) == 4
        assert again.records.alias(granted.consent.visitor_id) == granted.alias
    mine = [template for template in templates if template.visitor_id == granted.consent.visitor_id]
    assert [template.template_id for template in mine] == [template.template_id for template in granted.templates]
    for look, (kept, given) in enumerate(zip(mine, granted.templates, strict=True)):
        assert kept.embedding.dtype == np.float32
        assert np.array_equal(kept.embedding, face(1, look))
        assert np.array_equal(given.embedding, face(1, look))


async def test_another_packs_templates_are_not_given(site: Site) -> None:
    await site.grant(1)
    assert await site.records.templates("another") == []


def lying_about(data_dir: Path) -> bytes:
    return b"".join(path.read_bytes() for path in data_dir.rglob("*") if path.is_file())


async def test_neither_template_nor_alias_is_readable_on_the_disk(site: Site) -> None:
    granted = await site.grant(1)
    on_disk = lying_about(site.data_dir)
    assert granted.consent.visitor_id.encode() in on_disk
    for secret in secrets_of(face(1), granted.alias):
        assert secret not in on_disk


def secrets_of(embedding: Embedding, alias: str) -> list[bytes]:
    """What must not be found: the template as it is written in memory in either precision, in parts too, and the alias."""
    forms = [embedding.astype(kind).tobytes() for kind in ("<f4", "<f2", ">f4", ">f2", "<f8")]
    return [form[at : at + 16] for form in forms for at in range(0, len(form) - 16, 16)] + [alias.encode()]


async def test_an_alias_is_found_however_it_is_typed(site: Site) -> None:
    granted = await site.grant(1)
    visitor_id = granted.consent.visitor_id
    assert site.records.alias(visitor_id) == granted.alias
    first, second, number = granted.alias.split()
    wide = number.translate({ord("0") + n: ord("０") + n for n in range(10)})
    for typed in (
        granted.alias,
        granted.alias.upper(),
        f"  {first.title()}\t{second}   {number} ",
        f"{first}-{second}-{number}",
        f"{first} {second}{number}",
        f"{first}，{second} {wide}。",
    ):
        assert await site.records.visitor_for(typed) == visitor_id
    for wrong in ("", f"{first} {second}", f"{second} {first} {number}", f"{granted.alias} 1", "no such 10"):
        assert await site.records.visitor_for(wrong) is None
    assert site.records.alias("nobody") is None


def test_an_alias_is_two_words_and_a_number() -> None:
    aliases = {new_alias() for _ in range(500)}
    assert len(aliases) > 495
    for alias in aliases:
        assert re.fullmatch(r"[a-z]+ [a-z]+ [1-9][0-9]", alias)
        assert plain(alias) == alias


async def test_many_visitors_have_aliases_of_their_own(site: Site) -> None:
    granted = await asyncio.gather(*(site.grant(person) for person in range(20)))
    assert len({each.alias for each in granted}) == 20
    assert site.records.subjects == 20


@pytest.mark.parametrize(
    "embeddings", [[], [np.zeros((2, 2), np.float32)], [np.array([1.0, np.nan], np.float32)]], ids=str
)
async def test_a_consent_without_a_usable_template_is_refused(site: Site, embeddings: list[Embedding]) -> None:
    with pytest.raises(InvalidError, match="embeddings"):
        await site.records.grant(
            zone_id="desk",
            notice_hash=NOTICE,
            language="en",
            purpose="p",
            expires_at=NOW + 1,
            guardian=False,
            embeddings=embeddings,
            now=NOW,
        )
    assert site.records.subjects == 0
    assert site.vault.visitors == frozenset()


async def test_a_consent_that_has_expired_is_refused(site: Site) -> None:
    with pytest.raises(InvalidError, match="expires_at"):
        await site.grant(1, expires_at=NOW)


async def test_who_has_expired_is_known(site: Site) -> None:
    soon = await site.grant(1, expires_at=NOW + 10)
    await site.grant(2, expires_at=NOW + 100)
    assert await site.records.expired(NOW + 9) == []
    assert await site.records.expired(NOW + 10) == [soon.consent.visitor_id]
    withdrawn = await site.records.withdraw(soon.consent.visitor_id, NOW + 10)
    assert withdrawn.event.data == {"expired": True}
    assert await site.records.expired(NOW + 10) == []


async def test_a_grant_that_fails_leaves_no_key_and_no_row(site: Site) -> None:
    tamper(site.data_dir, "ALTER TABLE templates RENAME COLUMN sealed TO broken")
    with pytest.raises(Exception, match="sealed"):
        await site.grant(1)
    tamper(site.data_dir, "ALTER TABLE templates RENAME COLUMN broken TO sealed")
    assert site.vault.visitors == frozenset()
    assert await site.records.consents() == []
    assert await site.log.since(0) == []
    assert await site.ledger.since(0) == []
    await site.grant(1)
    assert site.records.subjects == 1


def tamper(data_dir: Path, statement: str) -> None:
    connection = sqlite3.connect(data_dir / "bridge.db", isolation_level=None)
    connection.execute(statement)
    connection.close()


async def test_a_cancelled_grant_is_whole_or_not_at_all(site: Site) -> None:
    for steps in range(0, 45, 3):
        task = asyncio.create_task(site.grant(steps))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        templates = await site.records.templates()
        assert {template.visitor_id for template in templates} == site.vault.visitors
        assert site.records.subjects == len(site.vault.visitors) == len(await site.records.consents())


async def test_a_row_that_was_changed_is_left_out_and_said(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    ann, bo = await site.grant(1), await site.grant(2)
    mine, theirs = ann.templates[0].template_id, bo.templates[0].template_id
    other = f"(SELECT sealed FROM templates WHERE template_id = {theirs})"  # noqa: S608 - numbers
    tamper(site.data_dir, f"UPDATE templates SET sealed = {other} WHERE template_id = {mine}")  # noqa: S608
    assert [template.visitor_id for template in await site.records.templates()] == [bo.consent.visitor_id]
    assert f"template {ann.templates[0].template_id} is left out" in caplog.text
