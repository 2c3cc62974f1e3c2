"""What a consent covers, how it was given and when another took its place; impact assessments with their history."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add them, and take over the assessment that there was."""
    op.add_column("consents", sa.Column("zones", sa.JSON(), nullable=True))
    op.add_column("consents", sa.Column("channel", sa.String(64), nullable=False, server_default="desk"))
    op.add_column("consents", sa.Column("superseded_at", sa.Double(), nullable=True))
    table = op.create_table(
        "assessments",
        sa.Column("assessment_id", _NUMBER, nullable=False),
        sa.Column("by_whom", sa.String(255), nullable=False),
        sa.Column("ground", sa.String(500), nullable=False),
        sa.Column("profile", sa.String(64), nullable=True),
        sa.Column("acknowledged_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("superseded_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("assessment_id", name="pk_assessments"),
        sqlite_autoincrement=True,
    )
    found = op.get_bind().execute(sa.text("SELECT value FROM settings WHERE key = 'assessment'")).scalar_one_or_none()
    held = json.loads(found) if isinstance(found, str) else found
    if held:
        times = {key: held[key] for key in ("ground", "acknowledged_at", "expires_at")}
        op.bulk_insert(table, [{"by_whom": held["by"], "profile": None, "superseded_at": None, **times}])
        op.execute("DELETE FROM settings WHERE key = 'assessment'")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("assessments")
    for column in ("superseded_at", "channel", "zones"):
        op.drop_column("consents", column)
