"""The session that the hub's tests replay is one that this engine could have had: every message has the contract's shape."""

from __future__ import annotations

import json
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from nvr_bridge.arguments import validate
from nvr_bridge.messages import (
    Auth,
    AuthOk,
    EngineStatus,
    EventPush,
    ForgetPush,
    Hello,
    Result,
    StatePush,
    Subscribed,
    ZoneStatus,
)
from nvr_bridge.protocol import ALLOWED, SCHEMA, Command, Role

SESSION = Path(__file__).parents[1] / "hub" / "sessions" / "day.jsonl"
LINES = [json.loads(line) for line in SESSION.read_text(encoding="utf-8").splitlines()]
HEARD = [line["says"] for line in LINES if line["from"] == "engine"]
ASKED = [line["says"] for line in LINES if line["from"] == "hub" and line["says"]]
SHAPES: dict[str, Any] = {
    "hello": Hello,
    "auth_ok": AuthOk,
    "result": Result,
    "state": StatePush,
    "event": EventPush,
    "forget": ForgetPush,
}


def wrong(said: Any, shape: Any, where: str = "") -> list[str]:
    """Where what was said is not of this shape: nothing may be missing, and nothing more may be there."""
    kind, inner = get_origin(shape), get_args(shape)
    if kind is NotRequired:
        return wrong(said, inner[0], where)
    if is_typeddict(shape):
        if not isinstance(said, dict):
            return [f"{where}: {said!r} is no {shape.__name__}"]
        hints = get_type_hints(shape)
        # The contract's annotations are text, which hides from `__required_keys__` what may be left out.
        needed = {key for key, text in shape.__annotations__.items() if "NotRequired" not in str(text)}
        odd = (said.keys() - hints.keys()) | (needed - said.keys())
        found = [f"{where}.{key}: missing, or not in {shape.__name__}" for key in sorted(odd)]
        for key in said.keys() & hints.keys():
            found += wrong(said[key], hints[key], f"{where}.{key}")
        return found
    if kind in (Union, UnionType):
        tried = [wrong(said, one, where) for one in inner]
        return [] if [] in tried else min(tried, key=len)
    if kind is Literal:
        return [] if said in inner else [f"{where}: {said!r}"]
    if kind is list:
        return [it for number, one in enumerate(said) for it in wrong(one, inner[0], f"{where}[{number}]")]
    if kind is dict:
        return [it for key, one in said.items() for it in wrong(one, inner[1], f"{where}.{key}")]
    if shape is Any:
        return []
    fits = isinstance(said, int | float) if shape is float else isinstance(said, shape)
    return [] if fits and (shape is bool or not isinstance(said, bool)) else [f"{where}: {said!r} is no {shape}"]


def test_every_message_of_the_engine_is_of_the_contract() -> None:
    subscribed = {asked["id"] for asked in ASKED if asked["type"] == "subscribe"}
    found = []
    for number, says in enumerate(HEARD):
        found += wrong(says, SHAPES[says["type"]], f"{number}")
        if says["type"] == "result" and says["id"] in subscribed:
            found += wrong(says["result"], Subscribed, f"{number}.result")
    assert found == [], "make it anew with `script/record`"
    assert {says["type"] for says in HEARD} == set(SHAPES)
    assert HEARD[0]["schema"] == SCHEMA


def test_every_message_of_the_hub_is_one_that_the_engine_takes() -> None:
    for asked in ASKED:
        if asked["type"] == "auth":
            assert wrong(asked, Auth) == []
            continue
        command = Command(asked["type"])
        assert Role.HUB in ALLOWED[command]
        validate(command, {key: value for key, value in asked.items() if key not in ("id", "type")})


def test_nothing_in_it_opens_anything_or_shows_a_machine() -> None:
    written = SESSION.read_text(encoding="utf-8")
    assert {asked["token"] for asked in ASKED if asked["type"] == "auth"} == {"blanked"}
    assert {says["token_id"] for says in HEARD if says["type"] == "auth_ok"} == {"blanked"}
    for text in ("/home", "/root", "/tmp", "/work", "photo", "image", "1391234"):  # noqa: S108 - looked for, not used
        assert text not in written
    assert not any("token" in says for says in HEARD)
    assert len(written) < 200_000


@pytest.mark.parametrize(
    ("said", "shape"),
    [
        ({}, ForgetPush),
        ({"id": 1, "type": "forget", "alias": "a", "visits": ["v"], "name": "Ada"}, ForgetPush),
        ({"id": 1, "type": "forget", "alias": "a", "visits": [1]}, ForgetPush),
        ({"id": True, "type": "forget", "alias": "a", "visits": []}, ForgetPush),
        ({"id": 1, "type": "event", "alias": "a", "visits": []}, ForgetPush),
        ({**next(says for says in HEARD if "zone" in says)["zone"], "armed": None}, ZoneStatus),
        ({**next(says for says in HEARD if "engine" in says)["engine"], "watch": {}}, EngineStatus),
    ],
)
def test_another_shape_is_noticed(said: Any, shape: Any) -> None:
    assert wrong(said, shape)
