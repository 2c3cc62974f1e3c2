"""`script/bench`: measure section by section. Figures are milliseconds or counts on one thread of this machine."""

from __future__ import annotations

import argparse
import json
import platform
import sys

from rich.console import Console
from rich.table import Table

from . import attribution, cameras, decode, detect, embed, frame_to_hub, hub, ledger, match
from .measure import Figure, Unavailable

SECTIONS = {
    "decode": decode.run,
    "detect": detect.run,
    "embed": embed.run,
    "match": match.run,
    "attribution": attribution.run,
    "ledger": ledger.run,
    "cameras": cameras.run,
    "frame_to_hub": frame_to_hub.run,
    "hub": hub.run,
}


def main() -> int:
    """Run the sections asked for, and print what they found."""
    parser = argparse.ArgumentParser(prog="script/bench", description="Where the time goes.")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--section", action="append", choices=SECTIONS, help="only this one; may be repeated")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to measure each thing")
    asked = parser.parse_args()
    figures: list[Figure] = []
    missing: dict[str, str] = {}
    for name in asked.section or SECTIONS:
        print(f"bench: {name} …", file=sys.stderr, flush=True)
        try:
            figures.extend(SECTIONS[name](asked.seconds))
        except Unavailable as err:
            missing[name] = str(err)
            print(f"bench: {name}: {err}", file=sys.stderr, flush=True)
    if asked.json:
        print(json.dumps({"machine": _machine(), "figures": [figure.row() for figure in figures], "missing": missing}))
    else:
        _show(figures)
    return 1 if missing else 0


def _machine() -> dict[str, object]:
    name = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - no file, but the kernel's answer
            name = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), name)
    except OSError:  # not Linux
        pass
    return {"processor": name, "python": platform.python_version()}


def _show(figures: list[Figure]) -> None:
    table = Table("section", "what", "value", "reference", "its value", "ratio")
    for figure in figures:
        reference = "" if figure.reference_value is None else f"{figure.reference_value:,.2f} {figure.unit}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        table.add_row(
            figure.section, figure.name, f"{figure.value:,.2f} {figure.unit}", figure.reference, reference, ratio
        )
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
