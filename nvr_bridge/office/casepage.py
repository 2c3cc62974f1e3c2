"""The page of an evidence pack: the same data for a person, in English and then in simplified Chinese. Pure.

It loads nothing and runs nothing: what it shows is text, and its policy forbids the rest.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from ..visits.words import LANGUAGES, Language, Words, name
from . import casewords

LONG = 24  # characters of the longest word

type Line = Mapping[str, Any]

_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
type Sections = Mapping[str, Sequence[Line]]

STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 1rem 1.5rem 3rem; max-width: 60rem; color: #14181f; line-height: 1.5;
  font-family: system-ui, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.7rem; margin: 1.5rem 0 0.5rem; }
h2 { font-size: 1.2rem; margin: 1.8rem 0 0.4rem; border-bottom: 1px solid #8a93a1; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.8rem 0.25rem 0; border-bottom: 1px solid #dfe3e8; }
td.id { overflow-wrap: anywhere; min-width: 8rem; }
th { font-weight: 600; color: #4a5361; }
code, pre { font-family: ui-monospace, Consolas, monospace; font-size: 0.8rem; overflow-wrap: anywhere; white-space: pre-wrap; }
nav { text-align: right; }
section + section { margin-top: 4rem; border-top: 3px solid #14181f; }
.answer { font-size: 1.3rem; font-weight: 600; }
@media (max-width: 60rem) { body { padding: 0.5rem; font-size: 0.9rem; } th, td { overflow-wrap: anywhere; } }
@media print { nav, details { display: none; } section + section { break-before: page; border: 0; } tr { break-inside: avoid; } }
"""


def page(sections: Sections, key: str, zone: ZoneInfo) -> list[str]:
    """The page's lines, up to where the data begins. `key` is the fingerprint of the key that signs."""
    shown = _Shown(sections, key, zone)
    hashed = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    title = " · ".join(shown.text("title", language, case=shown.case["case"]) for language in LANGUAGES)
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hashed}'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_html(title)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        '<nav><a href="#en">English</a> · <a href="#zh-Hans" lang="zh-Hans">中文</a></nav>',
        "<main>",
    ]
    for language in LANGUAGES:
        lines += [f'<section id="{language}" lang="{language}">', *shown.body(language), "</section>"]
    data = " · ".join(casewords.WORDS["data"].of(language) for language in LANGUAGES)
    lines += ["<details>", f"<summary>{_html(data)}</summary>", "<pre>"]
    return "\n".join(lines).split("\n")  # the style has several


class _Shown:
    """The data as HTML, in either language."""

    def __init__(self, sections: Sections, key: str, zone: ZoneInfo) -> None:
        self._sections = sections
        self._key = key
        self._zone = zone
        self.case = sections["case"][0]

    def text(self, key: str, language: Language, **places: object) -> str:
        """Some words of the page, with what goes into their places."""
        return casewords.WORDS[key].of(language).format(**places)

    def body(self, language: Language) -> Iterator[str]:
        """Everything that a reader is told."""
        yield f"<h1>{_html(self.text('title', language, case=self.case['case']))}</h1>"
        yield f"<p>{_html(self.text('lead', language, site=self._sections['pack'][0]['site']))}</p>"
        for title, part in (
            ("verdict", self._verdict),
            ("visit", self._visit),
            ("presence", self._presence),
            ("links", self._links),
            ("uncertainty", self._uncertainty),
            ("referrals", self._referrals),
            ("history", self._history),
            ("settings", self._settings),
            ("check", self._check),
            ("proves", self._proves),
        ):
            yield f"<h2>{_html(self.text(title, language))}</h2>"
            yield from part(language)

    # --- parts ---

    def _verdict(self, language: Language) -> Iterator[str]:
        verdict = self._sections["verdict"][0]
        yield f'<p class="answer">{_html(self._answer(verdict, language))}</p>'
        risks = [name("risk", risk, language) for risk in verdict["risks"]]
        why = verdict["why"] if language == "en" else verdict["why_zh"]
        rows: dict[str, object] = {
            "rule": name("rule", verdict["rule"], language) if verdict["rule"] else None,
            "why": why,
            "risks": _joined(risks, language),
            "state": casewords.STATES[self.case["state"]].of(language),
        }
        if verdict["review"]:
            rows["rules_say"] = self._answer(verdict["review"]["rules_say"], language)
        for line in self._sections["told"]:
            since = self._time(line["facts"]["at"], 0.0)
            answer = self._answer(line["facts"], language)
            rows["told"] = self.text("told_since", language, answer=answer, at=since, entry=self._entry(line, language))
        yield from self._facts(rows, language)
        for word in ("erased", "ambiguous"):
            if verdict.get(word):
                yield f"<p>{_html(self.text(word, language))}</p>"

    def _visit(self, language: Language) -> Iterator[str]:
        times = {line["what"]: line for line in self._sections["times"]}
        returning = self._sections["returning"][0]
        rows: dict[str, object] = {
            "alias": self.case["alias"],
            "zone": self.case["zone_name"],
            "start": self._time(times["start"]["at"], times["start"]["error"]),
            "end": self._time(times["end"]["at"], times["end"]["error"]),
            "returning": returning["visits"],
        }
        if returning["last"]:
            last = returning["last"]
            rows["last"] = f"{last['start']}: {self._answer(last, language)}"
        yield from self._facts(rows, language)

    def _presence(self, language: Language) -> Iterator[str]:
        rows = []
        for line in self._sections["presence"]:
            facts = line["facts"]
            score = f"{facts['score']:.3f}, {facts['margin']:.3f}" if facts.get("score") is not None else ""
            at = self._time(facts["at"], line["error"])
            if "started_at" in facts and facts["started_at"] < facts["at"]:
                at = f"{self._time(facts['started_at'], line['error'])} – {at}"
            what = casewords.WORDS[line["kind"]].of(language)
            rows.append((at, what, line["zone_name"], score, self._entry(line, language)))
        yield from self._table(("when", "what", "zone", "score", "proof"), rows, language)

    def _links(self, language: Language) -> Iterator[str]:
        rows = []
        for line in self._sections["links"]:
            person = self.text("person", language, number=line["person"])
            rows.append(f"{person}: {_joined([name('link', by, language) for by in line['by']], language)}")
        yield from self._list(rows, language)

    def _uncertainty(self, language: Language) -> Iterator[str]:
        rows = []
        for line in self._sections["uncertainty"]:
            said = name("doubt", line["what"], language)
            if "difference" in line:
                difference, error = f"{abs(line['difference']):g}", f"{line['error']:g}"
                said += f" ({self.text('difference', language, difference=difference, error=error)})"
            rows.append(said + (f": {line['referral']}" if "referral" in line else ""))
        yield from self._list(rows, language)

    def _referrals(self, language: Language) -> Iterator[str]:
        taken_back = {
            line["facts"]["referral"]: line for line in self._sections["referrals"] if line["kind"] == "withdrawal"
        }
        rows = []
        for line in self._sections["referrals"]:
            if line["kind"] != "referral":
                continue
            facts, judged = line["facts"], line["judged"] or {}
            back = taken_back.get(facts["referral"])
            entries = [self._entry(one, language) for one in (line, back) if one is not None]
            rows.append(
                (
                    facts["referral"],
                    facts["partner"],
                    self._time(facts["declared_at"], 0.0),
                    self._time(facts["filed_at"], 0.0),
                    self._time(back["facts"]["withdrawn_at"], 0.0) if back else "",
                    name("referral", judged["state"], language) if judged else "",
                    name("tie", judged["tied_by"], language) if judged else "",
                    _joined(entries, language),
                )
            )
        headings = ("referral", "partner", "declared", "filed", "withdrawn", "judged", "tied_by", "proof")
        yield from self._table(headings, rows, language)

    def _history(self, language: Language) -> Iterator[str]:
        rows = []
        for line in self._sections["history"]:
            facts = line["facts"]
            who = self.text("engine" if line["by"] is None else "reviewer", language, number=line["by"])
            answer = self._answer(facts, language) if facts["attribution"] else ""
            act = casewords.ACTS[facts["act"]].of(language)
            state = casewords.STATES[facts["state"]].of(language)
            proof = self._entry(line, language)
            rows.append((self._time(facts["at"], 0.0), act, answer, state, who, facts.get("reason") or "", proof))
        headings = ("when", "what", "answer", "state", "by", "reason", "proof")
        yield from self._table(headings, rows, language)

    def _settings(self, language: Language) -> Iterator[str]:
        rows = []
        for line in self._sections["settings"]:
            value = str(line["value"])
            if line["unit"] == "s":
                unit, seconds = next(one for one in _UNITS if line["value"] % one[1] == 0 or one[1] == 1)
                value = self.text(unit, language, number=f"{line['value'] / seconds:g}")
            elif value in casewords.WINNERS:
                value = casewords.WINNERS[value].of(language)
            rows.append((casewords.SETTINGS[line["name"]].of(language), value))
        yield from self._table(("setting", "value"), rows, language)

    def _check(self, language: Language) -> Iterator[str]:
        command = f"nvr-bridge evidence verify case-{self.case['case']}.html --key {self._key}"
        yield f"<p>{_html(self.text('check_1', language))}</p>"
        yield f"<p><code>{_html(command)}</code></p>"
        yield f"<p>{_html(self.text('check_2', language))}</p>"
        yield f"<p>{_html(self.text('check_3', language))}</p>"
        yield f"<p><code>{self._key}</code></p>"

    def _proves(self, language: Language) -> Iterator[str]:
        words = [self.text("proves_1", language)]
        for line in self._sections["checkpoint"]:
            at = self._time(line["at"], 0.0)
            words.append(self.text("proves_2", language, at=at, entries=line["entries"]))
        words += [self.text(key, language) for key in ("proves_3", "proves_4", "kept_back")]
        yield "<ul>"
        yield from (f"<li>{_html(each)}</li>" for each in words)
        yield "</ul>"

    # --- pieces ---

    def _answer(self, verdict: Line, language: Language) -> str:
        if verdict["attribution"] is None:
            return self.text("none", language)
        said = name("attribution", verdict["attribution"], language)
        return f"{said} ({verdict['partner']})" if verdict["partner"] else said

    def _entry(self, line: Line, language: Language) -> str:
        recorded = line["recorded"]
        return casewords.WORDS["not_proved"].of(language) if recorded is None else str(recorded["entry"])

    def _time(self, at: float, error: float | None) -> str:
        """As the site's clocks show it, with its offset and, where there is one, its error."""
        shown = datetime.fromtimestamp(at, self._zone).isoformat(
            sep=" ", timespec="milliseconds" if at % 1 else "seconds"
        )
        return f"{shown} ± {error:g} s" if error else shown

    def _facts(self, rows: Mapping[str, object], language: Language) -> Iterator[str]:
        yield "<table>"
        for key, value in rows.items():
            shown = self.text("none", language) if value in {None, ""} else str(value)
            yield f'<tr><th scope="row">{_html(self.text(key, language))}</th><td>{_html(shown)}</td></tr>'
        yield "</table>"

    def _table(self, headings: Iterable[str], rows: Sequence[Sequence[str]], language: Language) -> Iterator[str]:
        if not rows:
            yield f"<p>{_html(self.text('nothing', language))}</p>"
            return
        yield "<table>"
        cells = "".join(f'<th scope="col">{_html(self.text(heading, language))}</th>' for heading in headings)
        yield f"<tr>{cells}</tr>"
        for row in rows:
            yield f"<tr>{''.join(map(_cell, row))}</tr>"
        yield "</table>"

    def _list(self, rows: Sequence[str], language: Language) -> Iterator[str]:
        if not rows:
            yield f"<p>{_html(self.text('nothing', language))}</p>"
            return
        yield "<ul>"
        yield from (f"<li>{_html(row)}</li>" for row in rows)
        yield "</ul>"


def _joined(words: Sequence[str], language: Language) -> str:
    return Words(", ", "、").of(language).join(words)


def _cell(text: str) -> str:
    """An id is broken where it must be, a word never."""
    kind = ' class="id"' if any(len(word) > LONG for word in text.split()) else ""
    return f"<td{kind}>{_html(text)}</td>"


def _html(text: str) -> str:
    """Text as it stands in the page, on one line: nothing that somebody typed can pass for a line of the data."""
    return escape(" ".join(text.split()))
