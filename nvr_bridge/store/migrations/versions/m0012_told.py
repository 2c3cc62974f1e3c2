"""That a verdict was told, and when, can be proved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add when, and what opens the ledger's entry."""
    op.add_column("cases", sa.Column("told_at", sa.Double(), nullable=True))
    op.add_column("cases", sa.Column("salt", sa.String(64), nullable=True))
    op.add_column("cases", sa.Column("ledger", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    for name in ("told_at", "salt", "ledger"):
        op.drop_column("cases", name)
