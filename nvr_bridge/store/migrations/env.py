"""Alembic's entry: runs the migrations on the connection that it is handed."""

from __future__ import annotations

from alembic import context

from nvr_bridge.store.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,  # the caller's BEGIN covers DDL too, so a crash leaves no half-made schema
)
with context.begin_transaction():
    context.run_migrations()
