"""Writing the pack: every document in every language, for an editor and for a browser. Blocks."""

from __future__ import annotations

from pathlib import Path

from ..errors import AskError
from .documents import LANGUAGES, documents
from .facts import Site
from .render import markdown, page


def write_pack(site: Site, folder: Path) -> list[Path]:
    """Write the documents into `folder`, over older ones → the files. Raises `AskError` where that cannot be done."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for language in LANGUAGES:
            for document in documents(site, language):
                for suffix, content in (("md", markdown(document)), ("html", page(document))):
                    path = folder / f"{document.name}.{language}.{suffix}"
                    path.write_text(content, encoding="utf-8")
                    written.append(path)
    except OSError as err:
        raise AskError(
            f"--out: {err.filename or folder} cannot be written ({err.strerror}); name another folder"
        ) from err
    return written
