"""Check that the integration says the same things in every language, and everything that its code refers to."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

INTEGRATION = Path(__file__).parent.parent / "custom_components" / "nvr_bridge"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
USED = re.compile(r"""translation_key\s*=\s*["'](\w+)["']""")


def main() -> int:
    """Print one line for each difference."""
    reference = flat(INTEGRATION / "translations" / "en.json")
    problems = []
    for path in sorted((INTEGRATION / "translations").glob("*.json")):
        other = flat(path)
        problems += [f"{path.name}: no {key}" for key in sorted(reference.keys() - other.keys())]
        problems += [f"{path.name}: {key} is not in en.json" for key in sorted(other.keys() - reference.keys())]
        for key in sorted(reference.keys() & other.keys()):
            if set(PLACEHOLDER.findall(reference[key])) != set(PLACEHOLDER.findall(other[key])):
                problems.append(f"{path.name}: {key} has other placeholders than en.json")
            if not other[key].strip():
                problems.append(f"{path.name}: {key} is empty")
    strings = INTEGRATION / "strings.json"
    if strings.exists() and flat(strings) != reference:
        problems.append("strings.json: says other things than translations/en.json")
    words = {word for key in reference for word in key.split(".")}
    for path in sorted(INTEGRATION.glob("*.py")):
        used = USED.findall(path.read_text(encoding="utf-8"))
        problems += [f"{path.name}: en.json has no `{key}`" for key in used if key not in words]
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


def flat(path: Path) -> dict[str, str]:
    """A file's texts by dotted key."""
    texts: dict[str, str] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else key, inner)
        else:
            texts[prefix] = str(value)

    walk("", json.loads(path.read_text(encoding="utf-8")))
    return texts


if __name__ == "__main__":
    sys.exit(main())
