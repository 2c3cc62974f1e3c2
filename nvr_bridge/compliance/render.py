"""A document as Markdown, and as one HTML page that asks nothing of anybody else."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator

from .documents import Block, Document, Items, Notice, Paragraph, Table, Text

_STYLE = """
body { font: 16px/1.6 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; }
h1 { font-size: 1.6rem; line-height: 1.3; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.note { border-left: 4px solid #8a6d00; background: #fff8e1; padding: .6rem 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { border: 1px solid #8a8a8a; padding: .35rem .6rem; text-align: left; vertical-align: top; }
th { background: #f0f0f0; } blockquote { border-left: 4px solid #8a8a8a; margin: 1rem 0; padding: .2rem 1rem; }
ul.fill { list-style: none; padding-left: 0; } ul.fill li { border-bottom: 1px dotted #555; padding: .3rem 0 1.6rem; }
@media print { body { margin: 0; max-width: none; } }
"""


def markdown(document: Document) -> str:
    """The document for an editor."""
    parts = [f"# {_filled(document.title, _plain)}", f"> {_filled(document.disclaimer, _plain)}"]
    for section in document.sections:
        parts.append(f"## {section.heading}")
        parts += ["\n".join(_markdown(block)) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def page(document: Document) -> str:
    """The document for a browser or a printer."""
    title = _filled(document.title, html.escape)
    body = [f"<h1>{title}</h1>", f'<p class="note">{_filled(document.disclaimer, html.escape)}</p>']
    for section in document.sections:
        body.append(f"<h2>{html.escape(section.heading)}</h2>")
        body += [line for block in section.blocks for line in _html(block)]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    return (
        f'<!DOCTYPE html>\n<html lang="{document.language}">\n<head>{head}<style>{_STYLE}</style></head>\n<body>\n'
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _markdown(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text):
            yield _filled(text, _plain)
        case Items(items, fill):
            yield from (f"- {'▢ ' if fill else ''}{_filled(item, _plain)}{':' if fill else ''}" for item in items)
        case Table(headings, rows):
            yield f"| {' | '.join(headings)} |"
            yield f"|{'---|' * len(headings)}"
            yield from (f"| {' | '.join(_plain(cell) for cell in row)} |" for row in rows)
        case Notice(language, text):
            yield f"> **{_plain(language)}**"
            yield ">"
            yield from (f"> {_plain(line)}" for line in text.splitlines())


def _html(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text):
            yield f"<p>{_filled(text, html.escape)}</p>"
        case Items(items, fill):
            yield '<ul class="fill">' if fill else "<ul>"
            yield from (f"<li>{'▢ ' if fill else ''}{_filled(item, html.escape)}</li>" for item in items)
            yield "</ul>"
        case Table(headings, rows):
            yield "<table>"
            yield f"<tr>{''.join(f'<th>{html.escape(heading)}</th>' for heading in headings)}</tr>"
            yield from (f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
            yield "</table>"
        case Notice(language, text):
            said = "<br>".join(html.escape(line) for line in text.splitlines())
            yield f'<blockquote lang="{html.escape(language)}"><p>{said}</p></blockquote>'


def _filled(text: Text, escape: Callable[[str], str]) -> str:
    """The words as they are, and the facts escaped: what somebody named a site is no markup."""
    words = html.escape(text.template) if escape is html.escape else text.template
    return words.format_map({key: escape(value) for key, value in text.facts.texts.items()})


def _plain(text: str) -> str:
    """One line of Markdown in which nothing is markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", " ".join(text.split()))
