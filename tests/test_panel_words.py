"""What the hub's panel says: the same in both languages, and by the names that the rules themselves use."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from nvr_bridge.consent.interlock import Reason
from nvr_bridge.errors import (
    AskError,
    CredentialsError,
    InvalidError,
    NotADeviceError,
    NoVideoError,
    RetryError,
    StreamEndedError,
    UnreachableError,
)
from nvr_bridge.models import CameraState, CaseState, ReviewAct, ZoneKind
from nvr_bridge.visits.words import NAMES

FRONTEND = Path(__file__).parent.parent / "custom_components" / "nvr_bridge" / "frontend"


def words(language: str) -> dict[str, str]:
    text = (FRONTEND / f"words-{language}.js").read_text(encoding="utf-8")
    table: dict[str, str] = json.loads(text.removeprefix("export default ").removesuffix(";\n"))
    return table


def sources() -> str:
    return "\n".join(
        path.read_text(encoding="utf-8") for path in sorted(FRONTEND.glob("*.js")) if "words-" not in path.name
    )


def test_both_languages_say_the_same() -> None:
    english, chinese = words("en"), words("zh")
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert text, key
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", chinese[key])), key


@pytest.mark.parametrize(("language", "attribute"), [("en", "en"), ("zh", "zh")])
def test_the_rules_names_are_theirs(language: str, attribute: str) -> None:
    table = words(language)
    for kind, names in NAMES.items():
        for key, name in names.items():
            assert table[f"{kind}.{key}"] == getattr(name, attribute)
        assert kind != "risk" or all(f"risk_why.{key}" in table for key in names)


@pytest.mark.parametrize(
    ("kind", "members"),
    [("reason", Reason), ("state", CaseState), ("act", ReviewAct), ("camera", CameraState), ("kind", ZoneKind)],
)
def test_whatever_the_engine_may_say_has_a_name(kind: str, members: Any) -> None:
    assert {f"{kind}.{member.value}" for member in members} <= words("en").keys()


def test_why_a_camera_is_not_online_has_words() -> None:
    waited = (RetryError, UnreachableError, StreamEndedError)
    mended = (AskError, CredentialsError, NotADeviceError, NoVideoError, InvalidError)
    assert {f"camera_why.{error.code}" for error in (*waited, *mended)} <= words("en").keys()


def test_every_word_that_is_asked_for_is_there() -> None:
    asked = set(re.findall(r'\bsay\("([^"]+)"', sources()))
    assert len(asked) > 50
    assert asked <= words("en").keys()


def test_the_pages_run_no_text_and_load_nothing_from_elsewhere() -> None:
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "eval(",
        "new Function",
        "document.write",
        "import(",
    ):
        assert forbidden not in sources()
    assert set(re.findall(r'from "([^"]+)"', sources())) == {
        f"./{path.name}" for path in FRONTEND.glob("*.js") if path.name != "panel.js"
    }
    assert set(re.findall(r"https?://[^\s\"']+", sources())) == {"http://www.w3.org/2000/svg"}
