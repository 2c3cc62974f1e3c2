"""There is no way to the embedding model but `embed(shot, permit)`, and no permit that the gate did not make.

What a test can call is tried in `test_vision_embed.py` and `test_permit.py`. Here the whole source is searched for another
way, and the type checker is asked about what somebody might write.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nvr_bridge.vision.embed import Embedder

ROOT = Path(__file__).parents[2]
SOURCES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for folder in ("nvr_bridge", "demo")  # what sees people; the bench feeds models noise
    for path in sorted((ROOT / folder).rglob("*.py"))
}


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Where something of this name is called, as a function or as anybody's attribute."""
    for path, tree in SOURCES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
                yield path, node


def named(word: str) -> set[str]:
    """The files in which the word stands as a name, an attribute, an import or a text that `getattr` could take."""
    return {
        path
        for path, tree in SOURCES.items()
        for node in ast.walk(tree)
        if word in (getattr(node, "id", None), getattr(node, "attr", None), getattr(node, "name", None))
        or (isinstance(node, ast.Constant) and node.value == word)
    }


def function(path: str, name: str) -> ast.FunctionDef:
    [found] = [node for node in ast.walk(SOURCES[path]) if isinstance(node, ast.FunctionDef) and node.name == name]
    return found


def test_sessions_of_the_runtime_are_made_and_run_in_one_file() -> None:
    assert named("InferenceSession") == {"nvr_bridge/vision/graph.py"}
    assert named("onnxruntime") <= {
        "nvr_bridge/vision/graph.py",
        "nvr_bridge/cli/app.py",  # which says that it is not installed
        "nvr_bridge/gallery.py",  # which has it loaded first
    }


def test_the_embedders_model_is_given_to_the_embedder_alone() -> None:
    where = [
        (path, ast.unparse(node))
        for path, tree in SOURCES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and any(ast.unparse(each) == "Part.EMBEDDER" for each in node.args)
    ]
    [(path, made)] = list(calls("Embedder"))
    assert path == "nvr_bridge/vision/sessions.py"
    assert ast.unparse(made.args[0]) == "graph(Part.EMBEDDER)"
    assert [(each, text) for each, text in where if text.startswith("graph(")] == [(path, "graph(Part.EMBEDDER)")]
    assert ast.unparse(made.args[1]) == "spend"


def test_nobody_reaches_into_another_object_for_a_model_or_the_book() -> None:
    reached = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, tree in SOURCES.items()
        if not path.startswith("nvr_bridge/devices/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"_graph", "_session", "_book"}
        and ast.unparse(node.value) != "self"
    ]
    assert reached == []
    assert {name for name in dir(Embedder) if not name.startswith("_")} == {"embed", "runs"}


def test_the_permit_is_spent_before_the_model_runs() -> None:
    embed = function("nvr_bridge/vision/embed.py", "embed")
    first = embed.body[1]  # after the docstring
    assert ast.unparse(first) == "self._spend(permit)"
    runs = [node for node in ast.walk(SOURCES["nvr_bridge/vision/embed.py"]) if isinstance(node, ast.Call)]
    running = [node.lineno for node in runs if ast.unparse(node.func) == "self._graph.run"]
    assert len(running) == 1
    assert first.lineno < running[0] <= (embed.end_lineno or 0)


def test_permits_are_made_by_the_gate_alone() -> None:
    mint = function("nvr_bridge/consent/permit.py", "_mint")
    [(path, made)] = list(calls("Permit"))
    assert path == "nvr_bridge/consent/permit.py"
    assert mint.lineno < made.lineno <= (mint.end_lineno or 0)
    assert {where for where, _ in calls("_mint")} == {path}
    changed = [node for where, node in calls("replace") if node.args and "permit" in ast.unparse(node.args[0])]
    assert changed == []


ATTEMPTS = {
    "embedder.embed(shot)": "Missing positional argument",
    "embedder.embed(shot, None)": 'incompatible type "None"',
    'embedder.embed(shot, "permit")': 'incompatible type "str"',
    "embedder.embed(shot, UnknownReason.NO_ACT)": "incompatible type",
    "embedder.embed(shot, gate.request(track, alone=True))": 'incompatible type "Permit | UnknownReason"',
    "embedder.embed(permit=permit)": "Missing positional argument",
    "embedder._graph.run(permit)": "incompatible type",
    "PermitBook()": "Cannot instantiate abstract class",
    'permit.expires_at = 1e12': "read-only",
    "models.embedder.embed(shot, permit)": 'has no attribute "embed"',
}  # fmt: skip


def test_the_type_checker_refuses_what_has_no_permit(tmp_path: Path) -> None:
    lines = [
        "from nvr_bridge.consent.permit import Gate, PermitBook",
        "from nvr_bridge.models import FaceShot, Permit, Track, UnknownReason",
        "from nvr_bridge.vision.embed import Embedder",
        "from nvr_bridge.vision.sessions import Vision",
        "def tries(",
        "    embedder: Embedder, gate: Gate, shot: FaceShot, track: Track, permit: Permit, models: Vision",
        ") -> None:",
        "    embedder.embed(shot, permit)",
        *(f"    {attempt}" for attempt in ATTEMPTS),
    ]
    (tmp_path / "tries.py").write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--no-color-output", "tries.py"]
    environment = {"MYPYPATH": str(ROOT), "PATH": "", "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache" / "tries")}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    said = [line for line in ran.stdout.splitlines() if line.startswith("tries.py:") and ": error: " in line]
    by_line = {int(line.split(":")[1]): line for line in said}
    assert 8 not in by_line, "with a permit it is right"
    for number, (attempt, complaint) in enumerate(ATTEMPTS.items(), start=9):
        assert complaint in by_line.get(number, ""), (attempt, ran.stdout)


@pytest.mark.parametrize("way", ["__dict__", "__slots__", "getattr", "setattr", "eval", "exec"])
def test_no_stage_goes_round_the_types(way: str) -> None:
    """Where faces and permits are handled, nothing is fetched by a computed name."""
    stages = ("nvr_bridge/vision/", "nvr_bridge/recognise.py", "nvr_bridge/sight.py", "nvr_bridge/consent/permit.py")
    assert [path for path in named(way) if path.startswith((*stages, "nvr_bridge/consent/enrol.py"))] == []
