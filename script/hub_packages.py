"""Print what a Home Assistant with the named integrations needs, as pip requirements, read from the installed release.

Home Assistant installs these itself when it starts; installing them beforehand keeps its first start quick, and lets it
start where there is no network. Run it with the hub's own Python.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import homeassistant.components
from homeassistant.bootstrap import CORE_INTEGRATIONS, DEFAULT_INTEGRATIONS


def main() -> None:
    """Print the requirements of the default integrations, of those named, and of all that they depend on."""
    components = Path(next(iter(homeassistant.components.__path__)))
    todo, seen, requirements = [*CORE_INTEGRATIONS, *DEFAULT_INTEGRATIONS, *sys.argv[1:]], set[str](), set[str]()
    while todo:
        domain = todo.pop()
        if domain in seen:
            continue
        seen.add(domain)
        manifest = json.loads((components / domain / "manifest.json").read_text(encoding="utf-8"))
        requirements.update(manifest.get("requirements", []))
        todo.extend(manifest.get("dependencies", []))
    print("\n".join(sorted(requirements)))


if __name__ == "__main__":
    main()
