"""What a table shows can be typed into the next command."""

from __future__ import annotations

import os
import pty
import sys

import pytest

from nvr_bridge.cli.shared import print_table

COLUMNS = {"alias": "Alias", "zone": "Zone", "purpose": "Purpose", "granted_at": "Granted", "expires_at": "Expires"}
ROW = {
    "alias": "cherry dragonfly 60",
    "zone": "desk",
    "purpose": "recognise my return visits",
    "granted_at": "2026-11-22T03:56:08.609+00:00",
    "expires_at": "2027-02-20T03:56:08.032+00:00",
}


def test_in_a_pipe_every_value_is_whole_and_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [ROW], "Nothing.")
    [line] = [line for line in capsys.readouterr().out.splitlines() if "dragonfly" in line]
    assert all(value in line for value in ROW.values())


def test_on_a_narrow_terminal_the_name_is_whole_and_nothing_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "60")
        monkeypatch.setattr(sys, "stdout", terminal)
        print_table(COLUMNS, [ROW], "Nothing.")
        terminal.flush()
        shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert ROW["alias"] in shown
    letters = "".join(shown.split())
    for word in ("Purpose", "recognise", "visits", "desk"):
        assert word in letters
