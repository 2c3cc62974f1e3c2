"""The last event of each zone is found without reading all of them."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_events_zone_id", "events", ["zone_id", "sequence"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_events_zone_id", "events")
