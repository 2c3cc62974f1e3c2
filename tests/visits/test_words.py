"""Everything that a verdict can rest on has words in English and in Chinese, and every story can be told in both."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from nvr_bridge.visits.doubt import What
from nvr_bridge.visits.evidence import ATTRIBUTIONS
from nvr_bridge.visits.explain import Link, State, TiedBy, output
from nvr_bridge.visits.replay import replay
from nvr_bridge.visits.risks import Risk
from nvr_bridge.visits.rules import Rule
from nvr_bridge.visits.scenario import load
from nvr_bridge.visits.words import LANGUAGES, NAMES, WORDS, Said, name, say

FOLDER = Path(__file__).parent / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))
GUIDE = Path(__file__).parent.parent.parent / "docs" / "attribution.md"
ALLOWED = {
    "attribution": ATTRIBUTIONS,
    "rule": get_args(Rule),
    "risk": get_args(Risk),
    "doubt": get_args(What),
    "referral": get_args(State),
    "tie": get_args(TiedBy),
    "link": get_args(Link),
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+-]*\d")


@pytest.mark.parametrize("kind", ALLOWED)
def test_everything_has_its_words_and_there_are_no_others(kind: str) -> None:
    assert set(NAMES[kind]) == set(ALLOWED[kind])
    for key in ALLOWED[kind]:
        assert not CHINESE.search(name(kind, key, "en"))
        assert CHINESE.search(name(kind, key, "zh-Hans"))


def test_no_kind_of_word_is_left_out_here() -> None:
    assert set(NAMES) == set(ALLOWED)


def test_every_rule_can_be_explained() -> None:
    assert set(get_args(Rule)) - set(WORDS["why"]) == {"undetermined"}  # which says what is undetermined
    assert {"below_the_bar", "whose", "doubts"} < set(WORDS["why"])


def test_two_names_of_one_kind_are_never_the_same() -> None:
    for kind, names in NAMES.items():
        for language in LANGUAGES:
            assert len({words.of(language) for words in names.values()}) == len(names), (kind, language)


def test_both_languages_have_the_same_places() -> None:
    for kind, entries in WORDS.items():
        for key, words in entries.items():
            assert places(words.en) == places(words.zh), (kind, key)


@pytest.mark.parametrize(
    ("listed", "english", "chinese"), [(1, "a", "a"), (2, "a and b", "a和b"), (3, "a, b and c", "a、b和c")]
)
def test_a_list_is_joined_as_each_language_does(listed: int, english: str, chinese: str) -> None:
    said = Said("why", "late_referral", {"claims": ["a", "b", "c"][:listed]})
    assert f"; {english} came" in say(said, "en")
    assert f"；{chinese}提交" in say(said, "zh-Hans")


def test_what_is_put_in_is_never_read_as_a_place() -> None:
    said = Said("part", "partner", {"partner": "{claims}"})
    assert say(said, "en") == "{claims}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_story_is_told_in_both_languages(file: Path) -> None:
    scenario = load(file)
    found = output(replay(scenario.events, scenario.settings), scenario.settings)
    rows = [*found["visits"], *found["signings"]]
    assert rows
    for row in rows:
        english, chinese = row["explanation"]["why"], row["explanation"]["why_zh"]
        assert english.endswith(".")
        assert chinese.endswith("。")
        assert not re.search(r"[{}]", english + chinese)
        assert not CHINESE.search(english)
        # What the site itself named stands in quotation marks; of English nothing else is left.
        assert not re.search(r"[A-Za-z]", re.sub(r"“[^”]*”", "", TIME.sub("", chinese))), chinese
        assert TIME.findall(english) == TIME.findall(chinese)


def test_the_guide_lists_the_words() -> None:
    rows = re.findall(r"^\| (\w+) \| `([\w ]+)` \| (.+) \| (.+) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(kind, key, words.en, words.zh) for kind, names in NAMES.items() for key, words in names.items()]


# --- helpers ------------------------------------------------------------------------------------------------------


def places(text: str) -> set[str | None]:
    """The names of the places in a text."""
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None}
