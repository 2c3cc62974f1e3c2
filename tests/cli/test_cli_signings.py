"""Contracts, staff and corrections from the command line: numbers come from stdin, people by their aliases."""

from __future__ import annotations

import pytest
from command import Shell
from small_engine import Site


@pytest.mark.parametrize(
    ("options", "lines", "asked"),
    [
        (
            ("--document", "--contact", "--pass"),
            "D-77\n13800000001\nABCD\n",
            {"document": "D-77", "contact": "13800000001", "code": "ABCD", "co_signers": []},
        ),
        (
            ("--alias", "Amber Finch 12", "--co-signer", "Birch Heron 7", "--co-signer", "Coral Ibis 3"),
            "",
            {"alias": "Amber Finch 12", "co_signers": ["Birch Heron 7", "Coral Ibis 3"]},
        ),
    ],
)
async def test_somebody_signs(
    shell: Shell, site: Site, options: tuple[str, ...], lines: str, asked: dict[str, object]
) -> None:
    ran = await shell("signings", "add", "--zone", "lane", "--stdin", *options, stdin=lines)
    assert ran.out == "Signed: s (visit v)\n"
    assert site.engine.asked[-1] == ("signing_add", {"zone": "lane", **asked})


async def test_signings_are_listed_with_their_verdicts(shell: Shell, site: Site) -> None:
    shown = (await shell("signings", "list", "--zone", "lane")).out
    assert "undetermined" in shown
    assert "co_signers_differ" in shown
    assert site.engine.asked[-1] == ("signing_list", {"zone": "lane", "limit": 1000})


async def test_staff_are_marked_listed_and_ended(shell: Shell, site: Site) -> None:
    ran = await shell(
        "staff", "mark", "Amber Finch 12", "--from", "2026-03-02T00:00:00Z", "--until", "2026-03-09T00:00Z"
    )
    assert ran.out.startswith("Amber Finch 12: staff from 2026-03-02")
    times = {"from": 1772409600.0, "until": 1773014400.0}
    assert site.engine.asked[-1] == ("staff_mark", {"alias": "Amber Finch 12", **times})
    assert "Amber Finch 12" in (await shell("staff", "list")).out
    assert "staff until 2026-03-05" in (await shell("staff", "end", "Amber Finch 12")).out
    assert site.engine.asked[-1] == ("staff_end", {"alias": "Amber Finch 12"})


async def test_people_are_split_and_merged(shell: Shell, site: Site) -> None:
    both = ["Amber Finch 12", "Birch Heron 7"]
    assert (await shell("identities", "split", *both)).out == "2 visitors are different people\n"
    assert site.engine.asked[-1] == ("split", {"aliases": both})
    assert (await shell("identities", "merge", *both, "--json")).json["kind"] == "merge"
    assert "aliases: must be a list of 2 to 20" in (await shell("identities", "merge", both[0])).complaint
