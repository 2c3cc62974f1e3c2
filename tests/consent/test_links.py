"""A link opens its visitor's page, until the visitor withdraws or its time is up."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from store_site import NOW, Site, files

from nvr_bridge.consent.links import Links
from nvr_bridge.errors import NotFoundError, UnauthorizedError
from nvr_bridge.store.schema_links import LinkRow


@pytest.fixture
def links(site: Site) -> Links:
    """Of that site."""
    return Links(site.db, site.vault, site.ledger, site.records)


async def test_a_link_opens_the_page_of_its_visitor_alone(site: Site, links: Links) -> None:
    mei, lin = await site.grant(1), await site.grant(2)
    of_mei = await links.issue(mei.consent.visitor_id, NOW)
    of_lin = await links.issue(lin.consent.visitor_id, NOW)
    assert of_mei != of_lin
    assert await links.owner(of_mei, NOW) == mei.consent.visitor_id
    assert await links.owner(of_lin, NOW + 3650 * 86400) == lin.consent.visitor_id
    assert [entry.act for entry in await site.ledger.about(mei.consent.visitor_id)][-1] == "link_issued"


@pytest.mark.parametrize("token", ["", "wrong", "x" * 10_000, "\x00", "ä"])
async def test_what_is_no_link_opens_nothing(site: Site, links: Links, token: str) -> None:
    await links.issue((await site.grant(1)).consent.visitor_id, NOW)
    with pytest.raises(UnauthorizedError, match="opens nothing"):
        await links.owner(token, NOW)


async def test_a_link_made_at_a_tablet_runs_out_and_is_forgotten(site: Site, links: Links) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    short = await links.issue(visitor, NOW, expires_at=NOW + 600)
    assert await links.owner(short, NOW + 599) == visitor
    with pytest.raises(UnauthorizedError):
        await links.owner(short, NOW + 600)
    await links.issue(visitor, NOW + 601)
    async with site.db.read() as session:
        assert len(list(await session.scalars(select(LinkRow)))) == 1


async def test_after_a_withdrawal_it_is_worthless_and_none_can_be_made(site: Site, links: Links) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    token = await links.issue(visitor, NOW)
    await site.records.withdraw(visitor, NOW + 1)
    with pytest.raises(UnauthorizedError):
        await links.owner(token, NOW + 1)
    with pytest.raises(NotFoundError):
        await links.issue(visitor, NOW + 1)


async def test_the_token_is_not_in_the_store(site: Site, links: Links) -> None:
    token = await links.issue((await site.grant(1)).consent.visitor_id, NOW)
    assert all(token.encode() not in content for content in files(site.data_dir).values())
