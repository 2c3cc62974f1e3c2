"""What decisions made of partners' referrals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String(64)


def upgrade() -> None:
    """Add the claims."""
    op.create_table(
        "claims",
        sa.Column("claim_id", _NUMBER, nullable=False),
        sa.Column("referral_id", _ID, nullable=False),
        sa.Column("case_id", _ID, nullable=True),
        sa.Column("outcome", _ID, nullable=False),
        sa.Column("day", _ID, nullable=False),
        sa.Column("decided_at", sa.Double(), nullable=False),
        sa.Column("appealed_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referrals.referral_id"], name="fk_claims_referral_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_claims_case_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("claim_id", name="pk_claims"),
        sa.UniqueConstraint("referral_id", "case_id", name="uq_claims_referral_id"),
    )
    op.create_index("ix_claims_case_id", "claims", ["case_id"])


def downgrade() -> None:
    """Drop the claims."""
    op.drop_table("claims")
