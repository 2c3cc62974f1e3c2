"""The rules of AGENTS.md that can be measured: who imports whom, how long things get, what is never written."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "nvr_bridge"
INTEGRATION = ROOT / "custom_components" / "nvr_bridge"
VENDORED = {".venv", ".venv-hub", ".venv-hub-newest", ".cache", ".git", "dist"}

# Imported by all: the nouns, the errors, the contract, and what runs a blocking thing on a thread of its own.
COMMON = {"models", "errors", "protocol", "messages", "worker"}
# What else each part may import, itself apart. A part is a folder or a module directly in the package.
MAY_IMPORT: dict[str, set[str]] = {
    "models": set(),
    "errors": set(),
    "protocol": set(),
    "messages": set(),
    "worker": {"errors"},
    "meters": set(),
    "notices": set(),
    "values": set(),
    "codes": set(),
    "arguments": {"values"},
    "config": {"notices", "values", "visits"},
    "devices": set(),
    "video": set(),
    "vision": set(),
    "events": {"store"},
    "store": {"events", "devices", "consent", "codes", "evidence"},
    "evidence": set(),
    "consent": {"store", "events", "notices", "config", "codes", "evidence"},
    "compliance": {"config", "consent"},
    "visits": {"store", "events"},
}
# Where the parts are put together. These are no stages: nothing but the composition root may import them.
TOGETHER = {
    "consent/capture.py",
    "consent/enrol.py",
    "approach.py",
    "camera.py",
    "engine.py",
    "fleet.py",
    "gallery.py",
    "latest.py",
    "presence.py",
    "recognise.py",
    "service.py",
    "site.py",
    "today.py",
    "watch.py",
}
NATIVE = {"av", "numpy", "onnxruntime", "cv2", "onnx", "usearch", "sqlalchemy", "zeep", "onvif", "cryptography"}
# What a client needs: it is installed without the `engine` extra.
CLIENT_SIDE = [
    "nvr_bridge.models",
    "nvr_bridge.errors",
    "nvr_bridge.protocol",
    "nvr_bridge.client",
    "nvr_bridge.__main__",
]


def sources(*folders: Path) -> list[Path]:
    """Python files that this project wrote."""
    found: list[Path] = []
    for folder in folders:
        for where, below, names in folder.walk():
            below[:] = [name for name in below if name not in VENDORED]  # not even looked into: they are large
            found += [where / name for name in names if name.endswith(".py")]
    return sorted(found)


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[str]:
    """Absolute names of all that a file imports, wherever in the file it does."""
    package = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level] if node.level else ()
            module = ".".join((*above, *(node.module or "").split("."))).strip(".")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def part(name: str) -> str | None:
    """The part of the engine that a dotted name is in, or None for a name elsewhere."""
    words = name.split(".")
    if words[0] != "nvr_bridge" or len(words) == 1:
        return None
    known = (PACKAGE / words[1]).is_dir() or (PACKAGE / f"{words[1]}.py").exists()
    return words[1] if known else None


def test_imports_go_one_way() -> None:
    wrong = []
    for path in sources(PACKAGE):
        mine = path.relative_to(PACKAGE).with_suffix("").parts[0]
        allowed = None if path.relative_to(PACKAGE).as_posix() in TOGETHER else MAY_IMPORT.get(mine)
        for name in imports(path):
            other = part(name)
            if allowed is None or other is None or other == mine:
                continue
            if other not in COMMON | allowed:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_only_the_composition_root_and_the_command_line_import_the_engine() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(PACKAGE)
        if path.relative_to(PACKAGE).parts[0] not in {"engine.py", "cli", "__main__.py"}
        for name in imports(path)
        if part(name) == "engine"
    ]
    assert wrong == []


def test_stages_never_import_the_server() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(PACKAGE)
        if path.relative_to(PACKAGE).parts[0] not in {"engine.py", "service.py", "server", "cli", "__main__.py"}
        for name in imports(path)
        if part(name) == "server"
    ]
    assert wrong == []


@pytest.mark.parametrize("module", ["nvr_bridge.models", "nvr_bridge.errors"])
def test_the_nouns_and_the_errors_need_the_standard_library_only(module: str) -> None:
    third_party = loaded_by(module) - set(sys.stdlib_module_names) - {"nvr_bridge"}
    assert {name for name in third_party if not name.startswith(("_", "sitecustomize"))} == set()


@pytest.mark.parametrize("module", CLIENT_SIDE)
def test_the_client_side_loads_nothing_native(module: str) -> None:
    assert loaded_by(module) & NATIVE == set()


def loaded_by(module: str) -> set[str]:
    """Top-level names of all modules that importing one loads, in a fresh interpreter without site hooks."""
    code = f"import sys; before = set(sys.modules); import {module}; print(*(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.split(".")[0] for name in ran.stdout.split()}


def test_the_integration_stands_alone() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(INTEGRATION)
        for name in imports(path)
        if name.split(".")[0] in {"nvr_bridge", "demo", *NATIVE}
    ]
    assert wrong == []


def test_the_integration_is_thin() -> None:
    assert sum(lines_of_code(path) for path in sources(INTEGRATION)) < 1500


def lines(path: Path) -> int:
    """Lines of a file."""
    return path.read_text(encoding="utf-8").count("\n")


def lines_of_code(path: Path) -> int:
    """Lines of a file that do something: all but the empty ones, comments and docstrings."""
    prose: set[int] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            prose.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    written = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    return sum(number not in prose and bool(line.strip()) and line.strip()[0] != "#" for number, line in written)


def test_files_are_short() -> None:
    long = {str(path.relative_to(ROOT)): lines(path) for path in sources(ROOT) if lines(path) >= 400}
    assert long == {}


def test_the_median_file_is_shorter_still() -> None:
    assert statistics.median(lines(path) for path in sources(PACKAGE, INTEGRATION)) < 150


def test_functions_are_short() -> None:
    long = {}
    for path in sources(ROOT):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length >= 60:
                    long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = length
    assert long == {}


def test_nothing_is_caught_wholesale() -> None:
    broad = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(PACKAGE, INTEGRATION, ROOT / "demo")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
        and not any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
    ]
    assert broad == []


def test_every_queue_is_bounded() -> None:
    unbounded = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(PACKAGE, INTEGRATION)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1].split("[")[0]
        in {"Queue", "SimpleQueue", "LifoQueue", "PriorityQueue"}
        and not node.args
        and not node.keywords
    ]
    assert unbounded == []


# Inferring any of these is forbidden, so no identifier may be named after them.
INFERRED = re.compile(r"(?i)(?<![a-z])(ethnic\w*|emotion\w*|gender\w*|skin_?tone)(?![a-z])")


def test_nothing_is_inferred_about_a_person() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {name}"
        for path in sources(PACKAGE, INTEGRATION)
        for node in ast.walk(tree(path))
        for name in names(node)
        if INFERRED.search(name)
    ]
    assert found == []


def names(node: ast.AST) -> Iterator[str]:
    """Identifiers that a node binds or reads."""
    for field in ("id", "attr", "arg", "name"):
        value = getattr(node, field, None)
        if isinstance(value, str):
            yield value


# Links lead to standards, to Home Assistant, or to this machine: never to wherever a package happened to come from.
LINK = re.compile(r"https?://(?P<host>[\w.-]*\.[a-z]{2,})(?![\w.]*\()")
LINKED_HOSTS = re.compile(
    r"(^|\.)(w3\.org|onvif\.org|xmlsoap\.org|oasis-open\.org|hikvision\.com|isapi\.org|std-cgi\.com|psia-alliance\.org|psia\.org|apache\.org"
    r"|home-assistant\.io|hacs\.xyz|github\.com|rfc-editor\.org|astral\.sh|example|example\.(com|org|net)|local|test|invalid)$"
)
# Paths of one machine, and marks of unfinished work. To-do lists are a platform of the hub's.
STRAY = re.compile(r"/home/\w+|/root/|/work/|/tmp/\w+|(?<!Platform\.)\bTODO\b|\bFIXME\b|\bXXX\b")


def test_the_project_speaks_of_itself_alone() -> None:
    found = []
    for path in tracked():
        if path.name in {"uv.lock", "LICENSE"} or path.suffix in {".png"} or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            foreign = [match["host"] for match in LINK.finditer(line) if not LINKED_HOSTS.search(match["host"])]
            if foreign or STRAY.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert found == []


def test_no_model_or_picture_of_a_person_is_committed() -> None:
    kinds = {".onnx", ".jpg", ".jpeg", ".mp4", ".mkv", ".h264", ".h265", ".npy", ".pb", ".tflite", ".whl", ".tgz"}
    assert [str(path.relative_to(ROOT)) for path in tracked() if path.suffix.lower() in kinds] == []


def tracked() -> list[Path]:
    """Files under version control, or all of the project's where it was unpacked without its history."""
    ran = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=False, cwd=ROOT)
    if ran.returncode == 0 and ran.stdout:
        return [ROOT / name for name in ran.stdout.splitlines() if (ROOT / name).is_file()]
    return sources(ROOT)
