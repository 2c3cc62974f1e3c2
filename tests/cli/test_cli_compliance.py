"""The compliance pack on the command line, from a running engine."""

from __future__ import annotations

from command import Shell
from small_engine import Site


async def test_the_pack_is_written_from_what_the_engine_says(shell: Shell, site: Site) -> None:
    made = await shell("compliance", "pack", "--out", "pack", "--json")
    assert len(made.json["files"]) == 16
    assert "assessment.zh-Hans.html" in made.json["files"]
    policy = (shell.folder / "pack" / "retention.en.md").read_text(encoding="utf-8")
    assert "| visits, with passes, check-ins, signings, verdicts and reviews | 90 |" in policy
    record = (shell.folder / "pack" / "record.zh-Hans.md").read_text(encoding="utf-8")
    assert "个人信息处理活动记录" in record
    assert "Riverside sales office" in record
    assert "not legal advice" in (await shell("compliance", "pack", "--out", "pack")).out


async def test_without_an_engine_there_is_nothing_to_fill_it_from(shell: Shell) -> None:
    assert "no engine runs" in (await shell("compliance", "pack", "--out", "pack")).complaint
    assert not (shell.folder / "pack").exists()
