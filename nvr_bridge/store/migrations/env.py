"""Alembic's entry: runs the migrations on the connection that it is handed, inside the transaction that it is in.

SQLite's transactions cover changes of the schema too, so a crash leaves no half-made one.
"""

from __future__ import annotations

from alembic import context

from nvr_bridge.store import (  # noqa: F401 - their tables are part of the whole
    schema_cases,
    schema_changes,
    schema_claims,
    schema_erasures,
    schema_evidence,
    schema_links,
    schema_receipts,
)
from nvr_bridge.store.schema import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
