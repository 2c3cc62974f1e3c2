"""What the documents tell a reader to type exists, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from nvr_bridge.cli.app import app
from nvr_bridge.config import load_config

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "AGENTS.md", *(ROOT / "docs").glob("*.md")])
COMMAND = re.compile(r"nvr-bridge ((?:[a-z]+(?:-[a-z]+)* ?)+)((?:[^`\n#]*))")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def by_name(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("document", DOCUMENTS, ids=by_name)
def test_links_lead_somewhere(document: Path) -> None:
    links = LINK.findall(document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=by_name)
def test_commands_and_their_options_exist(document: Path) -> None:
    wrong = []
    whole: Any = typer.main.get_command(app)
    for words, rest in COMMAND.findall(document.read_text(encoding="utf-8")):
        command = whole
        for word in words.split():
            if not hasattr(command, "commands"):
                break  # an argument
            found = command.commands.get(word)
            if found is None:
                wrong.append(f"nvr-bridge {words}: no {word!r}")
                break
            command = found
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        wrong += [
            f"nvr-bridge {words}: no {option}"
            for option in re.findall(r"--[a-z-]+", rest)
            if option not in known | {"--help"}
        ]
    assert wrong == []


def test_scripts_exist() -> None:
    said = {
        name for document in DOCUMENTS for name in re.findall(r"script/([a-z]+)", document.read_text(encoding="utf-8"))
    }
    assert said
    assert {name for name in said if not (ROOT / "script" / name).is_file()} == set()


def test_the_example_settings_are_right(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "bridge.yaml").write_text(example, encoding="utf-8")
    assert load_config(tmp_path / "bridge.yaml").zones.keys() == {"entrance", "desk"}
