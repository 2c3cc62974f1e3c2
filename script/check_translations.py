"""Check that integration and pages say the same things in every language, and everything that their code refers to."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
INTEGRATION = ROOT / "custom_components" / "nvr_bridge"
PAGES = ROOT / "nvr_bridge" / "server" / "pages" / "words"  # PAGE.LANGUAGE.json
PLACEHOLDER = re.compile(r"\{(\w+)\}")
USED = re.compile(r"""translation_key\s*=\s*["'](\w+)["']""")


def main() -> int:
    """Print one line for each difference."""
    reference = flat(INTEGRATION / "translations" / "en.json")
    problems = []
    for path in sorted((INTEGRATION / "translations").glob("*.json")):
        problems += differences(path.name, reference, flat(path))
    for english in sorted(PAGES.glob("*.en.json")):
        for path in sorted(PAGES.glob(f"{english.name.split('.')[0]}.*.json")):
            problems += differences(path.name, flat(english), flat(path))
    languages = {path.name.split(".")[1] for path in PAGES.glob("*.json")}
    pages = {path.name.split(".")[0] for path in PAGES.glob("*.json")}
    named = {f"{page}.{language}.json" for page in pages for language in languages}
    problems += [f"{name}: is missing" for name in sorted(named - {path.name for path in PAGES.glob("*.json")})]
    strings = INTEGRATION / "strings.json"
    if strings.exists() and flat(strings) != reference:
        problems.append("strings.json: says other things than translations/en.json")
    words = {word for key in reference for word in key.split(".")}
    for path in sorted(INTEGRATION.glob("*.py")):
        used = USED.findall(path.read_text(encoding="utf-8"))
        problems += [f"{path.name}: en.json has no `{key}`" for key in used if key not in words]
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


def differences(name: str, reference: dict[str, str], other: dict[str, str]) -> list[str]:
    """What a language lacks, or has too much of, beside English."""
    problems = [f"{name}: no {key}" for key in sorted(reference.keys() - other.keys())]
    problems += [f"{name}: {key} is not in English" for key in sorted(other.keys() - reference.keys())]
    for key in sorted(reference.keys() & other.keys()):
        if set(PLACEHOLDER.findall(reference[key])) != set(PLACEHOLDER.findall(other[key])):
            problems.append(f"{name}: {key} has other placeholders than English")
        if not other[key].strip():
            problems.append(f"{name}: {key} is empty")
    return problems


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
