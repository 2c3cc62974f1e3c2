"""The command as a user runs it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nvr_bridge.__main__ import main

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, for a script."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one line with which it failed."""
        assert self.code == 1, (self.code, self.out, self.err)
        assert self.out == ""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("nvr-bridge: ")
        return lines[0]


class Shell:
    """Runs commands in a folder with a `bridge.yaml`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> Ran:
        """Run a command on a thread of this process, which saves the second that a new one takes to load."""
        return await asyncio.to_thread(self._run, arguments, stdin, environment)

    def _run(self, arguments: Sequence[str], stdin: str, environment: dict[str, str]) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        kept = dict(os.environ), sys.stdin
        code = 0
        try:
            os.environ.update({"COLUMNS": "200", **environment})
            sys.stdin = io.StringIO(stdin)
            with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main(arguments)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            os.environ.clear()
            os.environ.update(kept[0])
            sys.stdin = kept[1]
        return Ran(code, out.getvalue(), err.getvalue())

    async def process(self, *arguments: str, before: str = "", **environment: str) -> Ran:
        """Run a command in a process of its own, after the Python statement `before`."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("NVR_BRIDGE_")}
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-X",
                "utf8",
                "-c",
                f"{before}\nfrom nvr_bridge.__main__ import main\nmain()",
                *arguments,
            ),
            cwd=self.folder,
            env={**inherited, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())
