"""Links to visitors' own pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "links",
        sa.Column("token_tag", sa.String(64), nullable=False),
        sa.Column("visitor_id", sa.String(64), nullable=False),
        sa.Column("issued_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["visitor_id"], ["visitors.visitor_id"], name="fk_links_visitor_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_tag", name="pk_links"),
    )
    op.create_index("ix_links_visitor_id", "links", ["visitor_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("links")
