"""Agreeing again: another consent in place of the one before, templates under its key, and a notice that asks anew."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from store_site import NOTICE, NOW, Site, face, files, open_site

from nvr_bridge.consent.records import Granted
from nvr_bridge.consent.vault import consent_key
from nvr_bridge.errors import InvalidError, NotFoundError
from nvr_bridge.models import Channel, EventKind

LATER = NOW + 3600
OTHER = "cd" * 32


async def renew(site: Site, visitor_id: str, **changes: Any) -> Granted:
    about = {
        "zone_id": "desk",
        "notice_hash": NOTICE,
        "language": "zh-Hans",
        "purpose": "to be greeted",
        "expires_at": LATER + 86400,
        "guardian": True,
        "now": LATER,
        "zones": ("desk", "lane"),
        "channel": Channel.KIOSK,
    }
    return await site.records.renew(visitor_id, **(about | changes))


def sealed(data_dir: Path) -> dict[int, bytes]:
    connection = sqlite3.connect(data_dir / "bridge.db")
    rows = dict(connection.execute("SELECT template_id, sealed FROM templates").fetchall())
    connection.close()
    return rows


async def test_another_consent_takes_the_place_of_the_one_before(site: Site) -> None:
    first, other = await site.grant(1, looks=3), await site.grant(2)
    visitor_id = first.consent.visitor_id
    again = await renew(site, visitor_id)
    assert again.alias == first.alias
    assert (again.consent.zones, again.consent.channel, again.consent.guardian) == (
        ("desk", "lane"),
        Channel.KIOSK,
        True,
    )
    assert await site.records.consents() == [other.consent, again.consent]
    assert site.records.consent(visitor_id) == again.consent
    assert site.records.subjects == 2
    assert (again.event.kind, again.event.data) == (EventKind.CONSENT_GRANTED, {"renewed": True})
    acts = [(entry.act, entry.data.get("kept")) for entry in await site.ledger.about(visitor_id)]
    assert acts == [("consent_granted", None), ("consent_renewed", 3)]


async def test_what_was_agreed_to_before_stays_as_a_record(site: Site) -> None:
    first = await site.grant(1)
    await renew(site, first.consent.visitor_id)
    connection = sqlite3.connect(site.data_dir / "bridge.db")
    rows = connection.execute("SELECT consent_id, superseded_at FROM consents ORDER BY granted_at").fetchall()
    connection.close()
    assert rows[0] == (first.consent.consent_id, LATER)
    assert rows[1][1] is None


async def test_the_templates_rest_on_the_new_consent_alone(site: Site) -> None:
    first = await site.grant(1, looks=3)
    visitor_id, before = first.consent.visitor_id, sealed(site.data_dir)
    again = await renew(site, visitor_id)
    templates = await site.records.templates()
    assert [template.consent_id for template in templates] == [again.consent.consent_id] * 3
    assert all(np.array_equal(each.embedding, face(1, look)) for look, each in enumerate(templates))
    assert {each.zones for each in templates} == {("desk", "lane")}
    assert site.vault.consents == {consent_key(again.consent.consent_id)}
    assert not before.keys() & sealed(site.data_dir).keys()
    place = f"template {first.consent.consent_id} default".encode()
    with pytest.raises(NotFoundError):  # the key that an old backup's copies would need
        site.vault.unseal(consent_key(first.consent.consent_id), before[1], place)


async def test_a_new_look_takes_the_place_of_the_old_ones(site: Site) -> None:
    first = await site.grant(1, looks=3)
    again = await renew(site, first.consent.visitor_id, embeddings=[face(1, 7)])
    (template,) = await site.records.templates()
    assert np.array_equal(template.embedding, face(1, 7))
    assert [entry.data.get("templates") for entry in await site.ledger.about(first.consent.visitor_id)] == [3, 1]
    assert again.templates[0].template_id == template.template_id


async def test_it_holds_as_long_as_the_new_one_and_not_as_the_old_one(site: Site) -> None:
    first = await site.grant(1, expires_at=NOW + 99 * 86400)
    visitor_id = first.consent.visitor_id
    await renew(site, visitor_id, expires_at=LATER + 60)
    assert await site.records.expired(LATER + 59) == []
    assert await site.records.expired(LATER + 60) == [visitor_id]
    withdrawn = await site.records.withdraw(visitor_id, LATER + 60)
    assert withdrawn.event.data == {"expired": True}


async def test_a_withdrawal_takes_every_consent_along(site: Site) -> None:
    first = await site.grant(1)
    visitor_id = first.consent.visitor_id
    await renew(site, visitor_id)
    await site.records.withdraw(visitor_id, LATER)
    assert site.vault.consents == site.vault.visitors == frozenset()
    for name, content in files(site.data_dir).items():
        assert first.consent.consent_id.encode() not in content, name


async def test_what_cannot_be_renewed_is_said_and_nothing_is_changed(site: Site) -> None:
    first = await site.grant(1)
    code, _ = await site.passes.issue(NOW)
    holder, before = await site.passes.holder(code), files(site.data_dir)["keys/visitors.json"]
    for visitor_id in (holder, "nobody"):
        with pytest.raises(NotFoundError, match="has a consent to renew"):
            await renew(site, visitor_id)
    with pytest.raises(InvalidError, match="expires_at: has passed"):
        await renew(site, first.consent.visitor_id, expires_at=LATER)
    with pytest.raises(InvalidError, match="embeddings: at least one"):
        await renew(site, first.consent.visitor_id, embeddings=[])
    connection = sqlite3.connect(site.data_dir / "bridge.db", isolation_level=None)
    connection.execute("DELETE FROM templates")
    connection.close()
    with pytest.raises(InvalidError, match="no template to renew"):
        await renew(site, first.consent.visitor_id)
    assert json.loads(files(site.data_dir)["keys/visitors.json"]) == json.loads(before)
    assert site.records.consent(first.consent.visitor_id) == first.consent


async def test_a_crash_before_the_old_key_is_destroyed_is_finished_at_the_next_start(
    site: Site, tmp_path: Path
) -> None:
    first = await site.grant(1)
    keys_before = json.loads(files(site.data_dir)["keys/visitors.json"])["keys"]
    again = await renew(site, first.consent.visitor_id)
    await site.db.close()
    path = site.data_dir / "keys" / "visitors.json"
    document = json.loads(files(site.data_dir)["keys/visitors.json"])
    document["keys"] |= keys_before
    path.write_text(json.dumps(document))
    async with open_site(site.data_dir) as reopened:
        assert reopened.vault.consents == {consent_key(again.consent.consent_id)}
        assert reopened.records.consent(first.consent.visitor_id) == again.consent
        assert len(await reopened.records.templates()) == 1


async def test_a_crash_before_the_store_committed_leaves_the_old_one(site: Site) -> None:
    first = await site.grant(1)
    await site.vault.new_key(consent_key("one that was about to be"))
    await site.db.close()
    async with open_site(site.data_dir) as reopened:
        assert reopened.vault.consents == {consent_key(first.consent.consent_id)}
        assert len(await reopened.records.templates()) == 1


async def test_two_renewals_at_once_are_one_after_the_other(site: Site) -> None:
    visitor_id = (await site.grant(1)).consent.visitor_id
    await asyncio.gather(*(renew(site, visitor_id) for _ in range(3)))
    assert len(site.vault.consents) == len(await site.records.consents()) == 1


async def test_under_another_notice_nobody_is_compared_until_they_renew(site: Site) -> None:
    first, other = await site.grant(1), await site.grant(2)
    await site.db.close()
    async with open_site(site.data_dir, notice_hash=OTHER) as changed:
        assert await changed.records.templates() == []
        assert changed.records.subjects == 2
        assert not changed.records.covers(first.consent)
        await renew(changed, first.consent.visitor_id, notice_hash=OTHER)
        assert [each.visitor_id for each in await changed.records.templates()] == [first.consent.visitor_id]
        assert [changed.records.covers(each) for each in await changed.records.consents()] == [False, True]
    async with open_site(site.data_dir, notice_hash=NOTICE) as back:
        assert [each.visitor_id for each in await back.records.templates()] == [other.consent.visitor_id]
