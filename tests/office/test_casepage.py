"""The page of a pack: everything is there in both languages, and nothing that somebody typed is anything but text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from evidence_packs import page_sections as sections

from nvr_bridge.evidence.pack import write
from nvr_bridge.models import CaseState, ReviewAct
from nvr_bridge.office import casewords
from nvr_bridge.office.casefile import SHOWN
from nvr_bridge.office.casepage import page
from nvr_bridge.store.recorded import Kind
from nvr_bridge.visits.evidence import Settings
from nvr_bridge.visits.words import LANGUAGES

ZONE = ZoneInfo("Asia/Shanghai")
NASTY = '<script>alert("1")</script> & \n== manifest ==\n</pre>'


class Reader(HTMLParser):
    """What a browser would make of it: elements, and text in order."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(lines: list[str]) -> Reader:
    reader = Reader()
    reader.feed("\n".join(lines))
    return reader


def half(lines: list[str], language: str) -> str:
    """The text of one language's part."""
    start = next(number for number, line in enumerate(lines) if line.startswith(f'<section id="{language}"'))
    return " ".join(read(lines[start : lines.index("</section>", start)]).texts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_matters_is_told_in_each_language(language: str) -> None:
    text = half(page(sections(), "ab" * 32, ZONE), language)
    for told in (
        *("K7QF-2M9D", "acme", "Amber Finch 12", "2026-09-21 22:13:20.250+08:00 ± 2 s", "0.612, 0.200", "12", "r1"),
        *(
            "2026-09-21 22:13:23.250+08:00",
            "2026-09-20 22:13:20.250+08:00",
            "ab" * 32,
            "nvr-bridge evidence verify case-K7QF-2M9D.html --key ",
            "40",
        ),
    ):
        assert told in text


def test_settings_are_told_in_units_that_a_person_knows() -> None:
    told = sections()
    told["settings"] = [
        {"name": "lead_time", "value": value, "unit": "s"} for value in (0.0, 2.5, 90.0, 1800.0, 7200.0, 2592000.0)
    ]
    text = half(page(told, "ab" * 32, ZONE), "en")
    for value in ("0 d", "2.5 s", "90 s", "30 min", "2 h", "30 d"):
        assert f" {value} " in text


def test_the_two_languages_do_not_mix() -> None:
    lines = page(sections(), "ab" * 32, ZONE)
    english, chinese = half(lines, "en"), half(lines, "zh-Hans")
    assert re.findall(r"[\u4e00-\u9fff]+", english) == []
    for word in (
        "Verdict",
        "Referral",
        "recognised",
        "Checked",
        "reviewer",
        "the engine",
        "not proved",
        "natural visit",
    ):
        assert word not in chinese


def test_nothing_is_loaded_and_nothing_runs() -> None:
    reader = read(page(sections(NASTY), "ab" * 32, ZONE))
    names = [tag for tag, _ in reader.elements]
    assert {"script", "img", "link", "iframe", "object", "form"} & set(names) == set()
    for tag, attributes in reader.elements:
        assert {"src", "style", "onclick"} & set(attributes) == set(), tag
        assert (attributes.get("href") or "#").startswith("#")
    (policy,) = [attributes["content"] for _, attributes in reader.elements if "http-equiv" in attributes]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_what_somebody_typed_stays_text_on_one_line() -> None:
    lines = page(sections(NASTY), "ab" * 32, ZONE)
    assert '<script>alert("1")</script> & == manifest == </pre>' in " ".join(read(lines).texts)
    assert "== manifest ==" not in lines
    write(lines, {"case": [{"alias": NASTY}]})
    with pytest.raises(ValueError, match="begins a section"):
        write([*lines, "== manifest =="], {})


def test_a_case_of_which_nothing_is_left_is_told_too() -> None:
    bare = sections()
    for name in ("told", "presence", "links", "uncertainty", "referrals", "history", "checkpoint"):
        bare[name] = []
    bare["case"][0] |= {"alias": None, "state": "proposed"}
    nothing = dict.fromkeys(("attribution", "partner", "rule", "why", "why_zh"))
    bare["verdict"] = [{**nothing, "risks": [], "erased": True, "ambiguous": False, "review": None}]
    bare["times"][0]["error"] = None
    bare["returning"] = [{"visits": 0, "last": None}]
    text = half(page(bare, "ab" * 32, ZONE), "en")
    assert "The visitor withdrew, and what they left was erased." in text
    assert text.count("Nothing.") == 5


def test_there_are_words_for_everything_that_a_case_can_be() -> None:
    assert set(casewords.STATES) == {state.value for state in CaseState}
    assert set(casewords.ACTS) == {act.value for act in ReviewAct}
    assert set(casewords.SETTINGS) == set(Settings.__dataclass_fields__)
    assert set(SHOWN) == set(get_args(Kind))
    for words in (casewords.WORDS, casewords.STATES, casewords.ACTS, casewords.SETTINGS):
        for key, one in words.items():
            assert set(re.findall(r"\{(\w+)\}", one.en)) == set(re.findall(r"\{(\w+)\}", one.zh)), key
            assert not re.search(r"[\u4e00-\u9fff]", one.en), key
            assert re.search(r"[\u4e00-\u9fff]", one.zh), key
