"""Erasures that were asked for and are not finished."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "erasures",
        sa.Column("visitor_id", sa.String(64), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["visitor_id"], ["visitors.visitor_id"], name="fk_erasures_visitor_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("visitor_id", name="pk_erasures"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("erasures")
