"""Print one closing line for several pytest reports. Usage: summary.py [--no-skips] REPORT.xml …

Exits 1 when a report is missing or has failures, and with `--no-skips` when a test was skipped.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def main() -> int:
    """Add the reports up."""
    no_skips = "--no-skips" in sys.argv[1:]
    total = failed = skipped = 0
    for name in (argument for argument in sys.argv[1:] if not argument.startswith("--")):
        if not Path(name).exists():
            print(f"summary: {name} was not written: its run ended before its tests did")
            failed += 1
            continue
        for suite in ET.parse(name).getroot().iter("testsuite"):  # noqa: S314 - a report that we have just written
            total += int(suite.get("tests", 0))
            failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped += int(suite.get("skipped", 0))
            for case in suite.iter("testcase"):
                for skip in case.iter("skipped"):
                    print(f"skipped: {case.get('classname')}.{case.get('name')}: {skip.get('message')}")
    print(f"{max(0, total - failed - skipped)} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed or (no_skips and skipped) else 0


if __name__ == "__main__":
    sys.exit(main())
