"""Some of what `script/kill --serve` plays: a whole engine killed while its clients ask, and while it starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_site import Person
from serve_killing import play

pytestmark = [pytest.mark.needs_models, pytest.mark.timeout(300)]


async def test_killed_while_it_serves_nothing_is_half_done(
    tmp_path: Path, models_dir: Path, people: dict[str, Person]
) -> None:
    photos = {name: person.photo for name, person in people.items()}
    book = await play(tmp_path / "site", models_dir, photos, 3, 3)
    assert sum(book.inside.values()) >= 3
    assert book.inside["start"] > 0
    assert book.done.keys() & {"grant", "withdraw", "pass", "page"}
