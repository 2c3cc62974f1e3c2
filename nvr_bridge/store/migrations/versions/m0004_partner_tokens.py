"""Tokens that stand for one partner, and that expire."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.String(64)


def upgrade() -> None:
    """Bind tokens to partners."""
    with op.batch_alter_table("tokens") as batch:
        batch.add_column(sa.Column("partner_id", _ID, nullable=True))
        batch.add_column(sa.Column("expires_at", sa.Double(), nullable=True))
        batch.create_foreign_key("fk_tokens_partner_id", "partners", ["partner_id"], ["partner_id"])


def downgrade() -> None:
    """Drop the partners' tokens, and what bound them."""
    op.execute("DELETE FROM tokens WHERE partner_id IS NOT NULL")
    with op.batch_alter_table("tokens") as batch:
        batch.drop_constraint("fk_tokens_partner_id", type_="foreignkey")
        batch.drop_column("expires_at")
        batch.drop_column("partner_id")
