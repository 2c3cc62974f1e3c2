"""The proof of an erasure finds what is left wherever it hides, and finds nothing where nothing is."""

from __future__ import annotations

import base64
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from store_site import NOW, Site, face
from test_erasure import busy_visitor
from test_receipts import receipts

from nvr_bridge.consent import master
from nvr_bridge.consent.erasure_check import Copy, verify
from nvr_bridge.errors import AskError
from nvr_bridge.evidence.receipt import Receipt

NUMBER = "13800138000"


class Story:
    """A visitor who was erased, the folder they were erased from, and a copy of it from before."""

    def __init__(self, site: Site, folder: Path, receipt: Receipt, alias: str, visitor_id: str) -> None:
        self.live = site.data_dir
        self.copy = Copy(folder, folder / "keys", [NUMBER])
        self.receipt = receipt
        self.alias = alias
        self.visitor_id = visitor_id

    def found(self) -> set[tuple[str, str]]:
        outcome = verify(self.receipt, self.live, self.copy)
        assert outcome.problems == []
        assert outcome.proved is not bool(outcome.found)
        return {(Path(each.where).name, each.what) for each in outcome.found}


@pytest.fixture
async def story(site: Site, tmp_path: Path) -> Story:
    granted, _ = await busy_visitor(site), await busy_visitor(site, person=2)
    visitor_id = granted.consent.visitor_id
    await site.db.checkpoint()
    shutil.copytree(site.data_dir, tmp_path / "copy")
    withdrawn = await site.records.withdraw(visitor_id, NOW + 60)
    receipt = await receipts(site).take(withdrawn.receipt)
    return Story(site, tmp_path / "copy", receipt, granted.alias, visitor_id)


def test_who_was_in_the_copy_is_nowhere_any_more(story: Story) -> None:
    outcome = verify(story.receipt, story.live, story.copy)
    assert outcome.proved
    assert outcome.in_copy == {"template": 3, "alias": 1, "reason": 0}
    assert outcome.files >= 6
    assert outcome.attempts > 10


def vector() -> np.ndarray:
    return face(1, look=2)


PLANTED: dict[str, tuple[Callable[[Story], bytes], str]] = {
    "f32": (lambda _: vector().astype("<f4").tobytes(), "template f32"),
    "a piece": (lambda _: vector().astype("<f4").tobytes()[1001:1024], "template f32"),
    "f16": (lambda _: vector().astype("<f2").tobytes(), "template f16"),
    "i8": (lambda _: np.rint(vector() * 127).astype("i1").tobytes(), "template i8"),
    "i8, cut": (lambda _: (vector() * 127).astype("i1").tobytes(), "template i8"),
    "hexadecimal": (lambda _: vector().tobytes().hex().encode(), "template in hexadecimal"),
    "base64": (lambda _: base64.b64encode(b"x" + vector().tobytes()), "template in base64"),
    "alias": (lambda story: story.alias.encode(), "alias"),
    "shouted": (lambda story: story.alias.upper().replace(" ", "-").encode(), "alias"),
    "utf-16": (lambda story: story.alias.encode("utf-16"), "alias"),
    "contact": (lambda _: b'{"contact":"13800138000"}', "contact"),
    "id": (lambda story: story.visitor_id.encode(), "visitor's id"),
}


@pytest.mark.parametrize(
    ("kind", "place"),
    [*((kind, "engine.log") for kind in PLANTED), ("a piece", "bridge.db"), ("f16", "keys/site.key.new")],
)
def test_what_is_left_is_found_wherever_it_lies(story: Story, kind: str, place: str) -> None:
    make, what = PLANTED[kind]
    with (story.live / place).open("ab") as file:
        file.write(b"\0" * 4097 + make(story) + b"\0" * 100)
    assert story.found() == {(Path(place).name, what)}


def test_over_the_border_of_what_is_read_at_once(story: Story) -> None:
    (story.live / "big").write_bytes(b"\0" * ((1 << 22) - 1000) + vector().tobytes()[:1100] + b"\0")
    assert story.found() == {("big", "template f32")}


def test_an_erasure_that_only_said_so_is_found_out(story: Story) -> None:
    shutil.copytree(story.copy.keys_dir, story.live / "keys", dirs_exist_ok=True)
    assert {what for _, what in story.found()} == {"key", "visitor's id", "template, opened with a key of today",
        "alias, opened with a key of today", "consent's id"}  # fmt: skip


def test_a_row_that_came_back_under_somebody_elses_key_is_opened(site: Site, story: Story) -> None:
    connection = sqlite3.connect(story.live / "bridge.db", isolation_level=None)
    consent_id, pack, visitor_id = connection.execute("SELECT consent_id, pack, visitor_id FROM templates").fetchone()
    place = f"template {consent_id} {pack}".encode()
    sealed = site.vault.seal(f"consent:{consent_id}", vector().tobytes(), place)
    connection.execute(
        "INSERT INTO templates (visitor_id, consent_id, pack, own_key, sealed) VALUES (?, ?, ?, 1, ?)",
        [visitor_id, consent_id, pack, sealed],
    )
    connection.close()
    assert ("bridge.db, decrypted template", "template f32") in story.found()


def test_without_a_copy_only_names_are_looked_for(story: Story) -> None:
    outcome = verify(story.receipt, story.live, None)
    assert (outcome.proved, outcome.in_copy, outcome.files) == (True, None, 0)
    restored = verify(story.receipt, story.copy.data_dir, None)
    assert {each.what for each in restored.found} == {"visitor", "key"}
    assert restored.problems == ["entry: this site's ledger does not have it"]


def test_a_copy_without_the_visitor_proves_nothing(story: Story) -> None:
    with pytest.raises(AskError, match="does not have the receipt's visitor"):
        verify(story.receipt, story.live, replace(story.copy, data_dir=story.live))


def test_keys_of_another_time_prove_nothing(story: Story) -> None:
    with pytest.raises(AskError, match="does not open; give the keys of the same time"):
        verify(story.receipt, story.live, replace(story.copy, keys_dir=story.live / "keys"))


def test_a_rotated_key_changes_nothing(story: Story) -> None:
    master.rotate(story.live / "keys", None, None)
    assert story.found() == set()


def test_looking_changes_nothing(story: Story) -> None:
    def content() -> dict[Path, bytes]:
        files = (path for path in story.copy.data_dir.rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in files if not path.name.endswith("-shm")}  # where readers lock

    before = content()
    assert story.found() == set()
    assert content() == before
