"""A partner's own list of referrals: for itself alone, and declared when it is filed."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from nvr_bridge.errors import InvalidError
from nvr_bridge.visits.evidence import contact
from nvr_bridge.visits.referral_csv import read_filings

KEY = b"list"
ZONE = ZoneInfo("Asia/Shanghai")


def test_it_needs_no_partner() -> None:
    lines = read_filings("contact,broker\n138****0001,Lin\n", KEY, ZONE, "acme")
    (filing,) = [line.filing for line in lines]
    assert filing is not None
    assert (filing.partner, filing.broker, filing.declared) == ("acme", "Lin", None)
    assert filing.mask == contact("138****0001", KEY).mask


def test_it_may_name_itself_and_nobody_else() -> None:
    text = "partner,contact\nacme,138****0001\nbest,138****0002\n,138****0003\nnobody,138****0004\n"
    lines = read_filings(text, KEY, ZONE, "acme")
    assert [line.filing.partner if line.filing else None for line in lines] == ["acme", None, "acme", None]
    problems = {line.problem for line in lines if line.filing is None}
    assert problems == {"partner: is another one; a partner files for itself alone, so leave it out"}


@pytest.mark.parametrize("header", ["contact,declared", "partner,contact,declared", "partner"])
def test_its_columns(header: str) -> None:
    with pytest.raises(InvalidError, match="must name the columns contact, and may name partner, broker, expected"):
        read_filings(f"{header}\n", KEY, ZONE, "acme")


def test_an_operators_list_names_the_partner_of_each_row() -> None:
    with pytest.raises(InvalidError, match="must name the columns partner and contact"):
        read_filings("contact\n138****0001\n", KEY, ZONE)
    (line,) = read_filings("partner,contact,declared\nbest,138****0001,2026-03-02T09:00\n", KEY, ZONE)
    assert line.filing is not None
    assert (line.filing.partner, line.filing.declared) == ("best", 1772413200.0)
