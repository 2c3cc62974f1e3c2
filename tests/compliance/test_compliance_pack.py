"""The compliance pack: the same in every language, filled from the live settings, and nothing of a fact is markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from nvr_bridge.compliance.documents import LANGUAGES, documents, words
from nvr_bridge.compliance.facts import Site
from nvr_bridge.compliance.pack import write_pack
from nvr_bridge.compliance.render import markdown, page
from nvr_bridge.config import PROFILES, load_config
from nvr_bridge.consent.policy import load_policy
from nvr_bridge.errors import AskError
from nvr_bridge.models import RetentionClass

WRITTEN = """
name: Riverside sales office
profile: {profile}
timezone: Asia/Shanghai
consent: {{who: Riverside Homes Ltd}}
zones:
  hall: {{name: Entrance hall, kind: observe}}
  desk: {{name: Welcome desk, kind: consent_point}}
"""
CLASSES = [
    {"class": kind.value, "days": 11.0 + number, "most": 400.0 + number} for number, kind in enumerate(RetentionClass)
]
HELD = {
    "acknowledged_at": "2026-03-02T09:00:00.000+00:00",
    "by": "R. Tan",
    "ground": "PIPL 13(1)",
    "profile": "cn",
    "expires_at": "2027-03-02T09:00:00.000+00:00",
    "in_force": True,
}


def site(folder: Path, profile: str = "cn", **changes: Any) -> Site:
    """A site that runs."""
    (folder / "bridge.yaml").write_text(WRITTEN.format(profile=profile))
    made = Site(
        config=load_config(folder / "bridge.yaml"),
        policy=load_policy(profile),
        engine={"version": "0.1.0", "subjects": 321, "watch": {"keys_by": "passphrase"}},
        cameras=[
            {"name": "Door", "zone": "hall", "state": "online"},
            {"name": "Desk cam", "zone": "desk", "state": "offline"},
        ],
        retention=CLASSES,
        assessments=[HELD],
        partners=7,
        made_on="2026-03-05",
    )
    return replace(made, **changes)


def whole(made: Site, language: str = "en") -> str:
    """Everything that the pack says in a language."""
    return "\n".join(markdown(document) for document in documents(made, language))


def shape(value: Any) -> Any:
    """A document's structure: what is left when the words are taken out, but not the placeholders."""
    match value:
        case dict():
            return {key: shape(inner) for key, inner in value.items()}
        case list():
            return [shape(inner) for inner in value]
        case _:
            return sorted(re.findall(r"\{(\w+)\}", str(value)))


def test_every_language_says_the_same() -> None:
    assert set(LANGUAGES) == {"en", "zh-Hans"}
    english = words("en")
    assert {name: load_policy(name).title for name in PROFILES} == english["profiles"]
    assert set(english["documents"]) == {"assessment", "record", "sign", "retention"}
    for language in LANGUAGES:
        assert shape(words(language)) == shape(english), language


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_profile_fills_every_document(tmp_path: Path, profile: str, language: str) -> None:
    made = site(tmp_path, profile)
    for document in documents(made, language):
        for content in (markdown(document), page(document)):
            assert not re.search(r"(?<!\\)[{}]", re.sub(r"<style>.*?</style>", "", content, flags=re.DOTALL))
            assert "Riverside sales office" in content
            assert words(language)["profiles"][profile] in content


def test_it_says_what_the_site_is_set_to(tmp_path: Path) -> None:
    said = whole(site(tmp_path))
    for fact in (
        *("Riverside Homes Ltd", "Asia/Shanghai", "2026-03-05", "under 14 a guardian", "321 visitors are remembered"),
        *("warns from 100000", "| Entrance hall | observed |", "| Welcome desk | consent point | one person"),
        *(
            "| Door | Entrance hall | online |",
            "| Desk cam | Welcome desk | not online |",
            "(7)",
            "which a passphrase opens",
        ),
        *("| 2026-03-02 | R. Tan | PIPL 13(1) | cn | 2027-03-02 |", "| visits, with passes"),
    ):
        assert fact in said, fact
    for row in CLASSES:
        assert f"| {row['days']:g} |" in said
        assert f"| {row['most']:g} |" in said
    assert "No assessment is in force" not in said


def test_it_changes_with_the_settings(tmp_path: Path) -> None:
    said = whole(site(tmp_path, assessments=[{**HELD, "in_force": False}]))
    assert "No assessment is in force for this profile" in said
    without = whole(site(tmp_path, "no_biometrics"))
    assert "No face is measured." in without
    assert "one person who has just acted" not in without
    assert "guardian" not in without
    assert "Face templates of those who agreed" not in without
    config = replace(site(tmp_path).config, public_url="https://visit.example", sign_ttl=9.0)
    public = whole(site(tmp_path, config=config))
    assert "no address at which the link" not in public
    assert "within 9 seconds" in public


def test_the_sign_has_the_notice_in_every_language_and_its_hash(tmp_path: Path) -> None:
    made = site(tmp_path)
    notices = {"en": "Be seen * only if you <like>.", "zh-Hans": "告知|内容"}
    made = replace(made, config=replace(made.config, notices=notices))
    sign = next(document for document in documents(made, "zh-Hans") if document.name == "sign")
    assert made.config.notice_hash in markdown(sign)
    assert "> Be seen \\* only if you \\<like\\>." in markdown(sign)
    assert '<blockquote lang="zh-Hans"><p>告知|内容</p></blockquote>' in page(sign)
    assert "Be seen * only if you &lt;like&gt;." in page(sign)


class Reader(HTMLParser):
    """Notes elements and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(content: str) -> Iterator[tuple[str, dict[str, str | None]]]:
    reader = Reader()
    reader.feed(content)
    yield from reader.found


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_somebody_named_a_thing_is_no_markup(tmp_path: Path, language: str) -> None:
    made = site(tmp_path)
    nasty = "<script>x</script>|*a*{who}"
    made = replace(
        made,
        config=replace(made.config, name=nasty),
        cameras=[{"name": nasty, "zone": nasty, "state": nasty}],
        assessments=[{**HELD, "by": nasty}],
    )
    for document in documents(made, language):
        content = page(document)
        used = {tag for tag, _ in elements(content)}
        assert used <= {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ul", "li", *TABLE}
        assert not {name for _, attrs in elements(content) for name in attrs} - {
            "lang",
            "class",
            "charset",
            "name",
            "content",
        }
        assert ("html", {"lang": language}) in list(elements(content))
        assert "//" not in content.replace("<!DOCTYPE html>", "")  # asks nothing of anybody
        for line in markdown(document).splitlines():
            if line.startswith("| "):
                assert len(re.findall(r"(?<!\\)\|", line)) in {4, 5, 6}, line
            assert not re.search(r"(?<!\\)<", line), line


TABLE = {"table", "tr", "th", "td", "blockquote", "br"}


def test_the_files_are_written_and_written_anew(tmp_path: Path) -> None:
    made = site(tmp_path)
    for _ in range(2):
        files = write_pack(made, tmp_path / "deep" / "pack")
    names = {path.name for path in (tmp_path / "deep" / "pack").iterdir()}
    assert names == {path.name for path in files}
    assert names == {
        f"{document}.{language}.{suffix}"
        for document in ("assessment", "record", "sign", "retention")
        for language in LANGUAGES
        for suffix in ("md", "html")
    }
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(AskError, match=r"--out: .*file.* cannot be written"):
        write_pack(made, tmp_path / "file" / "pack")
