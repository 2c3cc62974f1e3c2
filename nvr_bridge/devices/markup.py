"""Reading XML that a device sent: by local names, because firmwares disagree about namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, fromstring


class MarkupError(ValueError):
    """What a device sent is no XML that this program reads."""


def parse(data: bytes) -> Element:
    """The root element. Refuses document type declarations, where all of XML's attacks on a reader live."""
    text = data.decode("utf-8", errors="replace").lstrip("\ufeff \r\n\t")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise MarkupError("XML with a document type declaration")
    try:
        return fromstring(text.partition("?>")[2] if text.startswith("<?xml") else text)  # noqa: S314 - see above
    except ParseError as err:
        raise MarkupError(f"not XML: {err}") from None


def local(element: Element) -> str:
    """The tag without its namespace."""
    return element.tag.rpartition("}")[2]


def every(root: Element, name: str) -> Iterator[Element]:
    """All descendants called `name`, in document order."""
    return (element for element in root.iter() if local(element) == name)


def first(root: Element, *path: str) -> Element | None:
    """The first element reached by going from `root` to a child called `path[0]`, and so on."""
    for name in path:
        found = next((child for child in root if local(child) == name), None)
        if found is None:
            return None
        root = found
    return root


def text(root: Element, *path: str) -> str:
    """That element's text, stripped; empty where there is none."""
    found = first(root, *path)
    return (found.text or "").strip() if found is not None else ""
