"""`docs/protocol.md` says what the code does: every message's keys, every command, every code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, is_typeddict

import pytest
import voluptuous as vol

from nvr_bridge import messages, protocol
from nvr_bridge.arguments import COMMAND_SCHEMAS
from nvr_bridge.consent.interlock import Reason
from nvr_bridge.errors import AskError, BridgeError, BugError, RetryError
from nvr_bridge.models import CameraKind, CameraState, CaseState, EventKind, ZoneKind
from nvr_bridge.problems import MEANT, WAITING, EngineProblem
from nvr_bridge.protocol import ALLOWED, Command

DOC = (Path(__file__).parent.parent.parent / "docs" / "protocol.md").read_text()
MESSAGES = {name: kind for name, kind in vars(messages).items() if is_typeddict(kind)}


def section(title: str) -> str:
    """What is under a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", DOC, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title}"
    return found[1]


def table(text: str) -> list[list[str]]:
    """The cells of the rows of the one table in `text`, without its heading."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def words(cell: str) -> list[str]:
    """What is set in code type."""
    return re.findall(r"`([^`]+)`", cell)


def test_the_constants() -> None:
    values = [row[1].strip("`") for row in table(section("The protocol"))]
    assert values == [
        protocol.PATH,
        protocol.PARTNER_PATH,
        str(protocol.DEFAULT_PORT),
        str(protocol.DEFAULT_TLS_PORT),
        protocol.ZEROCONF_TYPE,
        str(protocol.SCHEMA),
        str(protocol.OLDEST_SCHEMA),
        str(protocol.OUTBOX_LIMIT),
        str(protocol.SIGN_TTL),
    ]


@pytest.mark.parametrize("name", MESSAGES)
def test_a_messages_keys(name: str) -> None:
    keys = {key + ("?" if "NotRequired" in str(kind) else "") for key, kind in MESSAGES[name].__annotations__.items()}
    documented = [words(row[0])[0] for row in table(section(name))]
    assert sorted(documented) == sorted(keys)


@pytest.mark.parametrize("name", [name for name, kind in MESSAGES.items() if "type" in kind.__annotations__])
def test_a_messages_type(name: str) -> None:
    documented = next(words(row[1]) for row in table(section(name)) if words(row[0]) == ["type"])
    annotation = re.search(r"Literal\['(\w+)'\]", str(MESSAGES[name].__annotations__["type"]).replace('"', "'"))
    assert annotation
    assert documented == [annotation[1]]


def test_the_commands_and_their_roles() -> None:
    documented = {words(row[0])[0]: row[1] for row in table(section("Commands"))}
    assert documented == {command.value: ", ".join(sorted(ALLOWED[command])) for command in Command}


@pytest.mark.parametrize("command", list(Command))
def test_a_commands_arguments(command: Command) -> None:
    row = next(row for row in table(section("Commands")) if words(row[0]) == [command.value])
    schema: Any = COMMAND_SCHEMAS[command].schema
    if isinstance(schema, vol.All):
        schema = schema.validators[0]
    keys = [f"{key}{'' if isinstance(key, vol.Required) else '?'}" for key in schema]
    assert sorted(words(row[2])) == sorted(keys)


def test_the_error_codes_and_their_remedies() -> None:
    remedies = {RetryError: "retry", AskError: "ask", BugError: "bug"}

    def tree(kind: type[BridgeError]) -> dict[str, str]:
        found = {kind.code: next((word for base, word in remedies.items() if issubclass(kind, base)), "")}
        for child in kind.__subclasses__():
            found |= tree(child)
        return found

    assert {words(row[0])[0]: row[1] for row in table(section("Errors"))} == tree(BridgeError)


def test_the_reasons_of_the_interlock() -> None:
    assert [words(row[0])[0] for row in table(section("Reasons"))] == [reason.value for reason in Reason]


def test_the_problems() -> None:
    documented = [words(row[0])[0] for row in table(section("Problems"))]
    assert sorted(documented) == sorted({*EngineProblem, *Reason, *WAITING} - MEANT)


def test_the_states_of_a_case() -> None:
    assert [words(row[0])[0] for row in table(section("States of a case"))] == [state.value for state in CaseState]


@pytest.mark.parametrize(
    ("message", "key", "kind"),
    [
        ("EventMessage", "kind", EventKind),
        ("CameraStatus", "state", CameraState),
        ("CameraStatus", "kind", CameraKind),
        ("ZoneStatus", "kind", ZoneKind),
    ],
)
def test_the_words_that_a_key_may_have(message: str, key: str, kind: Any) -> None:
    documented = next(words(row[1]) for row in table(section(message)) if words(row[0]) == [key])
    assert documented == [member.value for member in kind]
