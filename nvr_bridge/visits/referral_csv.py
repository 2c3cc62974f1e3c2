"""A list of referrals as CSV, as partners and sales offices keep it in a spreadsheet. Pure.

The first row names the columns, in any order: `partner` and `contact`, and if wanted `broker`, `declared`, `expected`.
Times are ISO 8601, or local to the site. What is wrong with a row is said without repeating what it holds.
A partner's own list needs no `partner` and has no `declared`: what a partner files counts from then.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ..errors import InvalidError
from ..store.referrals import Filing
from .evidence import contact
from .fields import instant

REQUIRED = ("partner", "contact")
OPTIONAL = ("broker", "declared", "expected")
OWN = (("contact",), ("partner", "broker", "expected"))  # required and optional in a partner's own list
ROWS = 5_000  # filed in one transaction, for which everybody else waits
LONGEST = {"partner": 63, "broker": 80}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file: what it asks to file, or what is wrong with it."""

    number: int  # of the line in the file, from 1
    filing: Filing | None = None
    problem: str = ""


def read_filings(text: str, key: bytes, timezone: ZoneInfo, partner: str | None = None) -> list[Line]:
    """Every row that is not blank, its contact hashed under `key`. Raises `InvalidError` for what is no such list.

    `partner` is whose own list it is, if it is one.
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    found: list[Line] = []
    try:
        names = _header(next(rows, []), own=partner is not None)
        for row in rows:
            if any(cell.strip() for cell in row):
                found.append(_line(rows.line_num, names, row, key, timezone, partner))
            if len(found) > ROWS:
                raise InvalidError(f"csv: more than {ROWS:,} referrals; import them in parts")
    except csv.Error as err:
        raise InvalidError(f"csv: line {rows.line_num}: is no CSV ({err}); save it again as CSV in UTF-8") from None
    if not found:
        raise InvalidError("csv: holds no referrals; give one to a row, below the row that names the columns")
    return found


def _header(row: list[str], *, own: bool) -> list[str]:
    names = [cell.strip().lower() for cell in row]
    required, optional = OWN if own else (REQUIRED, OPTIONAL)
    known = {*required, *optional}
    if any(names.count(name) != 1 for name in required) or not set(names) <= known or len(set(names)) < len(names):
        raise InvalidError(
            f"csv: the first row must name the columns {' and '.join(required)}, and may name {', '.join(optional)}"
        )
    return names


def _line(number: int, names: list[str], row: list[str], key: bytes, timezone: ZoneInfo, partner: str | None) -> Line:
    if len(row) != len(names):
        return Line(number, problem=f"has {len(row)} cells; the first row names {len(names)} columns")
    cells = {name: cell.strip() for name, cell in zip(names, row, strict=True)}
    if partner is not None and cells.setdefault("partner", partner) not in {"", partner}:
        return Line(number, problem="partner: is another one; a partner files for itself alone, so leave it out")
    cells["partner"] = partner or cells["partner"]
    for name in REQUIRED:
        if not cells[name]:
            return Line(number, problem=f"{name}: is empty; give it")
    for name, longest in LONGEST.items():
        if len(cells.get(name, "")) > longest:
            return Line(number, problem=f"{name}: is longer than {longest} characters; shorten it")
    try:
        given = contact(cells["contact"], key)
    except InvalidError as err:
        return Line(number, problem=str(err))
    times: dict[str, float | None] = {}
    for name in ("declared", "expected"):
        try:
            times[name] = instant(cells[name], timezone) if cells.get(name) else None
        except InvalidError:
            return Line(
                number, problem=f"{name}: is no time, or one that clocks skip or show twice; write 2026-03-02T09:00"
            )
    return Line(number, Filing(cells["partner"], given.full, given.mask, cells.get("broker") or None, **times))
