"""The documents in one language, filled: what is left to a renderer is how it looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from .facts import Facts, Site, facts

LANGUAGES = ("en", "zh-Hans")


@dataclass(frozen=True, slots=True)
class Text:
    """Words with placeholders, and what goes there: a renderer escapes both in its own way."""

    template: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: Text


@dataclass(frozen=True, slots=True)
class Items:
    """A list; `fill`: what only a person can write."""

    items: tuple[Text, ...]
    fill: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of facts."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """The sign's text in one language."""

    language: str
    text: str


type Block = Paragraph | Items | Table | Notice


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what is under it."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One document in one language."""

    name: str
    language: str
    title: Text
    disclaimer: Text
    sections: tuple[Section, ...]


def words(language: str) -> dict[str, Any]:
    """The words of one language. Reads a file."""
    source = resources.files(__package__) / "words" / f"{language}.yaml"
    loaded: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    return loaded


def documents(site: Site, language: str) -> list[Document]:
    """Every document of the pack. Reads a file."""
    said = words(language)
    known = facts(site, language, said)
    return [
        Document(
            name=name,
            language=language,
            title=Text(document["title"], known),
            disclaimer=Text(said["disclaimer"], known),
            sections=tuple(
                Section(section["heading"], tuple(_blocks(section["blocks"], said, known)))
                for section in document["sections"]
            ),
        )
        for name, document in said["documents"].items()
    ]


def _blocks(blocks: Sequence[Any], said: dict[str, Any], known: Facts) -> Iterator[Block]:
    for block in blocks:
        match block:
            case str():
                yield Paragraph(Text(block, known))
            case {"when": fact, "text": text}:
                if fact in known.truths:
                    yield Paragraph(Text(text, known))
            case {"unless": fact, "text": text}:
                if fact not in known.truths:
                    yield Paragraph(Text(text, known))
            case {"list": items}:
                yield Items(tuple(Text(item, known) for item in items))
            case {"fill": items}:
                yield Items(tuple(Text(item, known) for item in items), fill=True)
            case {"table": name}:
                if rows := known.tables[name]:
                    yield Table(tuple(said["tables"][name]), tuple(map(tuple, rows)))
            case {"notices": _}:
                yield from (Notice(language, text) for language, text in known.notices.items())
            case _:
                raise ValueError(f"{block!r} is no block")
