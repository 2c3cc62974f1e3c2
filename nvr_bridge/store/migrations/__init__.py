"""Alembic's migrations, run in code whenever the store is opened."""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from ...errors import AskError

_ALEMBIC = threading.Lock()  # its `op` and `context` are globals of the process


def migrate(connection: Connection, revision: str = "head") -> None:
    """Bring the store up to this program's schema, or to an older one, inside the caller's transaction.

    Raises `AskError` for a store that a newer version of this program has written.
    """
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with _ALEMBIC:
        try:
            command.upgrade(config, revision)
        except CommandError as err:
            raise AskError(
                f"store: its schema is not known ({err}); update this program to the version that wrote it"
            ) from err
