"""A consent's templates are sealed with a key of its own. Those that there are keep the visitor's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say of each template whose key it is sealed with."""
    op.add_column("templates", sa.Column("own_key", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Not say it any more."""
    op.drop_column("templates", "own_key")
