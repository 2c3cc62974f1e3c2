"""What the ledger says of a sighting, of a pass and of a referral that was taken back can be proved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("sightings", "salt", sa.String(64)),
    ("sightings", "ledger", sa.Integer()),
    ("pass_scans", "salt", sa.String(64)),
    ("referrals", "withdrawn_ledger", sa.Integer()),
)


def upgrade() -> None:
    """Add the salts, and the numbers of the entries."""
    for table, name, kind in _COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Drop them."""
    for table, name, _ in _COLUMNS:
        op.drop_column(table, name)
