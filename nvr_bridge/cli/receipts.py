"""Where commands that erase somebody leave the receipt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import InvalidError, RetryError

ReceiptOption = Annotated[
    Path | None, typer.Option("--receipt", help="A new file for the receipt; `nvr-bridge erasure verify` checks it.")
]


@contextmanager
def receipt_file(path: Path | None) -> Iterator[Callable[[Any], None]]:
    """Open the file before anything is erased, because a receipt is given once → what writes it. Without a path: nothing.

    Raises `InvalidError` for a file that is there already or cannot be made, `RetryError` where there is no receipt yet.
    """
    if path is None:
        yield lambda _: None
        return
    try:
        file = path.open("x", encoding="utf-8")
    except OSError as err:
        raise InvalidError(f"--receipt: {path} cannot be made ({err.strerror}); name a new file") from err
    with file:

        def write(receipt: Any) -> None:
            if receipt is None:
                raise RetryError("receipt: the erasure is done, its receipt waits; `nvr-bridge erasure list` shows it")
            file.write(json.dumps(receipt, indent=2, ensure_ascii=False) + "\n")

        try:
            yield write
        finally:
            if file.tell() == 0:
                path.unlink()
