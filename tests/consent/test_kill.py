"""Some of what `script/kill` plays: `kill -9` while visitors agree, withdraw, are erased and purged, and keys are rotated."""

from __future__ import annotations

from pathlib import Path

from killing import play


async def test_killed_at_random_moments_nothing_is_half_done(tmp_path: Path) -> None:
    played = await play(tmp_path, 10, 5)
    assert sum(played.inside.values()) == 10
    assert sum(played.inside.values()) > played.inside["nothing"]
    assert played.done["grant"] > 5
    assert played.gone
