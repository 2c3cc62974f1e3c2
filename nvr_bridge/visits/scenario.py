"""Scenario files: settings and events as a person writes them, read and checked.

Top-level keys are `title`, `settings`, `events` and `expect`; the last is for whoever compares, and is kept unread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import InvalidError, NotFoundError
from . import evidence
from .evidence import Contact, Evidence, Rules, Settings
from .fields import Fields
from .rulebook import Rulebook
from .yaml_lines import Items, Mapping, Node, parse, wrong

# Numbers in a scenario stand there in full, so the key hides nothing: it makes equal numbers equal.
KEY = b"scenario"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story: events in the order in which they arrived, with the line of each."""

    settings: Rules
    events: tuple[Evidence, ...]
    lines: tuple[int, ...]
    title: str = ""
    expect: Node | None = None


def load(path: Path) -> Scenario:
    """Read a scenario file. Raises `NotFoundError` where there is none and `InvalidError` with the line of a mistake."""
    try:
        return read(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise NotFoundError(f"{path}: {err.strerror}; give a scenario file that can be read") from err
    except UnicodeDecodeError as err:
        raise InvalidError(f"{path}: not UTF-8 text; save it as UTF-8") from err
    except InvalidError as err:
        raise InvalidError(f"{path.name}: {err}") from err


def read_settings(text: str, base: Settings) -> Settings:
    """Read the `settings` of a scenario, or of a file that holds nothing else; what it leaves out is as in `base`.

    Raises `InvalidError` that names line, field, problem and remedy of the first mistake.
    """
    node = parse(text)
    if not isinstance(node, Mapping):
        wrong(node.line if node else 1, "settings: missing; write `settings: {lead_time: 30m}`")
    return _settings(node.entries.get("settings"), base)


def read(text: str) -> Scenario:
    """Read a scenario. Raises `InvalidError` that names line, field, problem and remedy of the first mistake."""
    node = parse(text)
    if node is None:
        wrong(1, "events: missing; a scenario begins with `events:`")
    top = Fields(node, "")
    title = top.word("title") or ""
    settings = _settings(top.node("settings"))
    expect, found = top.node("expect"), top.node("events")
    top.done()
    if not isinstance(found, Items):
        wrong(
            found.line if found else node.line, "events: must be a list, one `- {at: …, pass: {visitor: v1}}` to a line"
        )
    changes = [item for item in found.items if isinstance(item, Mapping) and "settings" in item.entries]
    told = [item for item in found.items if item not in changes]
    events = tuple(_event(item, settings) for item in told)
    lines = tuple(item.line for item in told)
    _check_names(events, lines)
    return Scenario(_changed(settings, changes), events, lines, title, expect)


# --- helpers ------------------------------------------------------------------------------------------------------


def _settings(node: Node | None, base: Settings | None = None) -> Settings:
    settings = base or Settings()
    if node is None:
        return settings
    fields = Fields(node, "settings")
    settings = _changeable(fields, settings)
    found: dict[str, float | None] = {"clock_error": fields.duration("clock_error")}
    if (match := fields.node("match")) is not None:
        bar = Fields(match, "settings.match")
        found |= {"match_score": bar.number("score", -1, 1), "match_margin": bar.number("margin", 0, 2)}
        bar.done()
    settings = replace(settings, **{name: value for name, value in found.items() if value is not None})  # type: ignore[arg-type]
    settings = replace(
        settings,
        close_of_day=fields.clock("close_of_day") or settings.close_of_day,
        timezone=_timezone(fields, settings.timezone),
    )
    fields.done()
    return settings


def _changeable(fields: Fields, settings: Settings) -> Settings:
    """Those that a site changes while its engine runs."""
    names = ("lead_time", "validity", "protection", "natural_protection", "visit_gap")
    found = {name: value for name in names if (value := fields.duration(name)) is not None}
    winner = fields.choice("winner", ("first_declared", "undetermined")) or settings.winner
    return replace(settings, winner=winner, **found)  # type: ignore[arg-type]


def _changed(settings: Settings, changes: list[Mapping]) -> Rules:
    """The settings, with what happens to them in the story."""
    book, last = Rulebook(settings), float("-inf")
    for node in changes:
        if set(node.entries) != {"at", "settings"}:
            wrong(node.line, "settings: give `at` and `settings` alone, such as {at: …, settings: {lead_time: 10m}}")
        at = Fields(node, "event").moment("at", settings.timezone)
        if at < last:
            wrong(node.line, "settings: before the change above it; give changes in the order of time")
        fields = Fields(node.entries["settings"], "settings")
        book, last = book.with_change(at, _changeable(fields, book.now)), at
        fields.done()
    return book if changes else settings


def _timezone(fields: Fields, default: ZoneInfo) -> ZoneInfo:
    name = fields.word("timezone")
    try:
        return ZoneInfo(name) if name else default
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong(fields.line, f"settings.timezone: {name} is no time zone; write one such as Asia/Shanghai")


def _event(node: Node, settings: Settings) -> Evidence:
    if not isinstance(node, Mapping):
        wrong(node.line, "event: must hold `at` and one kind, such as {at: 2026-03-02T09:00, pass: {visitor: v1}}")
    kinds = [name for name in node.entries if name != "at"]
    if len(kinds) != 1 or kinds[0] not in _READERS:
        named = ", ".join(kinds) or "nothing"
        wrong(node.line, f"event: holds {named} besides `at`; give exactly one of {', '.join(_READERS)}")
    kind = kinds[0]
    at = Fields(node, "event").moment("at", settings.timezone)
    fields = Fields(node.entries[kind], kind)
    event = _READERS[kind](at, fields, settings)
    fields.done()
    return event


def _sighting(at: float, fields: Fields, _: Settings) -> Evidence:
    return evidence.SightingEvidence(
        at,
        fields.text("visitor"),
        fields.score("score"),
        fields.score("margin"),
        fields.duration("clock_error"),
        fields.word("zone") or "",
    )


def _pass(at: float, fields: Fields, _: Settings) -> Evidence:
    return evidence.PassEvidence(at, fields.text("visitor"))


def _check_in(at: float, fields: Fields, _: Settings) -> Evidence:
    given = _given(fields, masked=False)
    return evidence.CheckIn(at, given, fields.word("visitor"), fields.word("source") or "")


def _referral(at: float, fields: Fields, settings: Settings) -> Evidence:
    return evidence.Referral(
        at,
        fields.text("id"),
        fields.text("partner"),
        _given(fields, masked=True),
        fields.word("broker") or "",
        fields.maybe_moment("expected", settings.timezone),
    )


def _withdraw(at: float, fields: Fields, _: Settings) -> Evidence:
    return evidence.Withdrawal(at, fields.text("referral"))


def _signing(at: float, fields: Fields, _: Settings) -> Evidence:
    event = evidence.Signing(
        at,
        fields.text("id"),
        fields.word("visitor"),
        _document(fields.word("document")),
        fields.contact("contact", KEY, masked=False),
        fields.words("co_signers", 0),
    )
    if event.visitor is None and event.document is None and event.contact is None:
        wrong(fields.line, "signing.visitor: missing; give it, or a document or contact that says who signed")
    if event.visitor in event.co_signers:
        wrong(fields.line, f"signing.co_signers: {event.visitor} is the one who signs; name the others only")
    return event


def _staff(at: float, fields: Fields, settings: Settings) -> Evidence:
    mark = evidence.StaffMark(at, fields.text("visitor"), fields.maybe_moment("until", settings.timezone))
    if mark.until is not None and mark.until <= at:
        wrong(fields.line, "staff.until: not after `at`; give a later time, or leave it out")
    return mark


def _split(at: float, fields: Fields, _: Settings) -> Evidence:
    return evidence.Split(at, fields.words("visitors", 2))


def _merge(at: float, fields: Fields, _: Settings) -> Evidence:
    return evidence.Merge(at, fields.words("visitors", 2))


def _review(at: float, fields: Fields, settings: Settings) -> Evidence:
    fields.text("attribution")
    review = evidence.Review(
        at,
        fields.text("visitor"),
        fields.moment("visit_at", settings.timezone),
        fields.choice("attribution", evidence.ATTRIBUTIONS) or "",
        fields.word("partner"),
        fields.word("reason") or "",
    )
    if review.attribution == "channel" and review.partner is None:
        wrong(fields.line, "review.partner: missing; a channel verdict names its partner")
    if review.attribution != "channel" and review.partner is not None:
        wrong(fields.line, f"review.partner: given, but the verdict is {review.attribution}; leave it out")
    return review


def _erased(at: float, fields: Fields, _: Settings) -> Evidence:
    return evidence.Erased(at, fields.text("visitor"))


_READERS: dict[str, Callable[[float, Fields, Settings], Evidence]] = {
    "sighting": _sighting,
    "pass": _pass,
    "check_in": _check_in,
    "referral": _referral,
    "withdraw": _withdraw,
    "signing": _signing,
    "staff": _staff,
    "split": _split,
    "merge": _merge,
    "review": _review,
    "erased": _erased,
}


def _document(number: str | None) -> str | None:
    return None if number is None else evidence.document(number, KEY)


def _given(fields: Fields, *, masked: bool) -> Contact:
    fields.text("contact")
    found = fields.contact("contact", KEY, masked=masked)
    return found if found is not None else Contact("")


def _check_names(events: tuple[Evidence, ...], lines: tuple[int, ...]) -> None:
    """Every referral and signing has its own id, and a withdrawal names a referral that there is."""
    referrals: set[str] = set()
    signings: set[str] = set()
    for event, line in zip(events, lines, strict=True):
        if isinstance(event, evidence.Referral):
            if event.referral in referrals:
                wrong(line, f"referral.id: {event.referral} is taken; give each referral its own, a renewal too")
            referrals.add(event.referral)
        elif isinstance(event, evidence.Signing):
            if event.signing in signings:
                wrong(line, f"signing.id: {event.signing} is taken; give each signing its own")
            signings.add(event.signing)
    for event, line in zip(events, lines, strict=True):
        if isinstance(event, evidence.Withdrawal) and event.referral not in referrals:
            wrong(line, f"withdraw.referral: there is no referral {event.referral}; name one of this file")
