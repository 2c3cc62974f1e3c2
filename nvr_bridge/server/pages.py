"""What a browser gets: pages of this package alone, in the reader's language, under headers that let nothing else in.

A page is `pages/NAME.html`, put into `pages/frame.html`; `{{word}}` in it is a text of `words/NAME.LANGUAGE.json` or
`words/frame.LANGUAGE.json`, or a fact that the caller gives. Its script finds the same texts in the page. There is no
build step, and nothing is asked of anybody but this engine.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from aiohttp import hdrs, web

PAGE_LANGUAGES: Final = {"en": "English", "zh-Hans": "简体中文"}  # the first is for readers of neither
ASSETS: Final = "/pages/"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Server": "nvr-bridge",
}

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_FACT = re.compile(r"\{(\w+)\}")
_WEIGHT = re.compile(r"q=([01](?:\.\d{1,3})?)$")


@dataclass(frozen=True, slots=True)
class Pages:
    """The files of the pages, as they were at start. Made by `load`."""

    bodies: Mapping[str, str]  # HTML by page
    words: Mapping[tuple[str, str], Mapping[str, str]]  # texts by page and language
    assets: Mapping[str, tuple[bytes, str]]  # what a page loads, with its content type, by file name

    @classmethod
    def load(cls) -> Pages:
        """Read them from the package. Blocks."""
        bodies, words, assets = {}, {}, {}
        folder = resources.files(__package__) / "pages"
        for file in folder.iterdir():
            stem, dot, kind = file.name.rpartition(".")
            if dot + kind == ".html":
                bodies[stem] = file.read_text(encoding="utf-8")
            elif dot + kind in _TYPES:
                assets[file.name] = file.read_bytes(), _TYPES[dot + kind]
        for file in (folder / "words").iterdir():
            page, language, _ = file.name.split(".")
            words[page, language] = json.loads(file.read_text(encoding="utf-8"))
        return cls(bodies, words, assets)

    def add_to(self, app: web.Application) -> None:
        """Serve what pages load, and put the headers on every response of `app`, errors among them."""
        app.router.add_get(ASSETS + "{name}", self._asset)
        app.on_response_prepare.append(_harden)

    def page(
        self,
        request: web.Request,
        name: str,
        facts: Mapping[str, str] | None = None,
        *,
        markup: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
        status: int = 200,
    ) -> web.Response:
        """The page in the reader's language.

        `facts` and words fill its slots as text, never as markup, and a word may name a fact as `{fact}`; `markup` holds
        HTML that the caller has escaped; `data` is for the page's script, as JSON.
        """
        language = language_of(request)
        words = {**self.words["frame", language], **self.words[name, language]}
        facts = facts or {}
        told = {key: _FACT.sub(lambda found: facts.get(found[1], found[0]), text) for key, text in words.items()}
        slots = {key: html.escape(text) for key, text in {**told, **facts}.items()}
        switch = "".join(_choice(key, title, key == language) for key, title in PAGE_LANGUAGES.items())
        island = _island({"words": words, "language": language, **(data or {})})
        body = _fill(self.bodies[name], slots | dict(markup or {}))
        frame = {"page": name, "language": language, "languages": switch, "island": island, "main": body}
        return web.Response(text=_fill(self.bodies["frame"], slots | frame), content_type="text/html", status=status)

    async def _asset(self, request: web.Request) -> web.Response:
        found = self.assets.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return web.Response(body=found[0], content_type=found[1], charset="utf-8")


def language_of(request: web.Request) -> str:
    """The language to answer in: `?lang=`, else the best of what the browser accepts."""
    asked = request.query.get("lang")
    spoken = _spoken(asked) if asked is not None else None
    return spoken or _accepted(request.headers.get(hdrs.ACCEPT_LANGUAGE, "")) or next(iter(PAGE_LANGUAGES))


def _accepted(header: str) -> str | None:
    """The first language of an Accept-Language header, by weight, that pages are written in."""
    wanted = []
    for place, part in enumerate(header[:1000].split(",")):
        tag, _, parameter = part.strip().partition(";")
        weight = _WEIGHT.match(parameter.strip()) if parameter else None
        value = float(weight[1]) if weight else 0.0 if parameter else 1.0
        if value > 0:
            wanted.append((-value, place, tag))
    return next((spoken for _, _, tag in sorted(wanted) if (spoken := _spoken(tag))), None)


def _spoken(tag: str) -> str | None:
    """The pages' language for a BCP 47 tag: who reads any Chinese reads ours better than English."""
    primary = tag.strip().lower().split("-")[0]
    return next((language for language in PAGE_LANGUAGES if language.split("-")[0] == primary), None)


async def _harden(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _fill(text: str, slots: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda found: slots[found[1]], text)


def _choice(language: str, title: str, chosen: bool) -> str:
    current = ' aria-current="true"' if chosen else ""
    return f'<a href="?lang={language}" lang="{language}" hreflang="{language}"{current}>{title}</a>'


def _island(data: Mapping[str, Any]) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(data, ensure_ascii=False).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
