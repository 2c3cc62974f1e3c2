"""What attribution is decided from: partners and their referrals, passes, check-ins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String(64)
_WORDS = sa.String(255)


def upgrade() -> None:
    """Add the evidence."""
    op.add_column("visits", sa.Column("settled", sa.JSON(), nullable=True))
    _referrals()
    _passes()
    _check_ins()


def downgrade() -> None:
    """Drop the evidence."""
    for table in ("check_ins", "pass_scans", "passes", "referrals", "partners"):
        op.drop_table(table)
    op.drop_column("visits", "settled")


def _referrals() -> None:
    op.create_table(
        "partners",
        sa.Column("partner_id", _ID, nullable=False),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("partner_id", name="pk_partners"),
    )
    op.create_table(
        "referrals",
        sa.Column("referral_id", _ID, nullable=False),
        sa.Column("partner_id", _ID, nullable=False),
        sa.Column("broker_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("contact_full", _ID, nullable=True),
        sa.Column("contact_mask", _ID, nullable=False),
        sa.Column("declared_at", sa.Double(), nullable=False),
        sa.Column("filed_at", sa.Double(), nullable=False),
        sa.Column("expected_at", sa.Double(), nullable=True),
        sa.Column("withdrawn_at", sa.Double(), nullable=True),
        sa.Column("salt", _ID, nullable=False),
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.partner_id"], name="fk_referrals_partner_id"),
        sa.PrimaryKeyConstraint("referral_id", name="pk_referrals"),
    )
    op.create_index("ix_referrals_contact_full", "referrals", ["contact_full"])
    op.create_index("ix_referrals_declared_at", "referrals", ["declared_at"])
    op.create_index("ix_referrals_partner_id", "referrals", ["partner_id", "contact_mask"])


def _passes() -> None:
    op.create_table(
        "passes",
        sa.Column("code_tag", _ID, nullable=False),
        sa.Column("visitor_id", _ID, nullable=False),
        sa.Column("issued_at", sa.Double(), nullable=False),
        _of_visitor("passes"),
        sa.PrimaryKeyConstraint("code_tag", name="pk_passes"),
    )
    op.create_index("ix_passes_visitor_id", "passes", ["visitor_id"])
    op.create_table(
        "pass_scans",
        sa.Column("scan_id", _NUMBER, nullable=False),
        sa.Column("visitor_id", _ID, nullable=False),
        sa.Column("zone_id", _ID, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("visit_id", _ID, nullable=False),
        _of_visitor("pass_scans"),
        sa.PrimaryKeyConstraint("scan_id", name="pk_pass_scans"),
        sqlite_autoincrement=True,
    )
    _index("pass_scans", "at", "visit_id", "visitor_id")


def _check_ins() -> None:
    op.create_table(
        "check_ins",
        sa.Column("check_in_id", _NUMBER, nullable=False),
        sa.Column("visitor_id", _ID, nullable=True),
        sa.Column("contact_full", _ID, nullable=False),
        sa.Column("contact_mask", _ID, nullable=False),
        sa.Column("source", _WORDS, nullable=True),
        sa.Column("zone_id", _ID, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("visit_id", _ID, nullable=False),
        _of_visitor("check_ins"),
        sa.PrimaryKeyConstraint("check_in_id", name="pk_check_ins"),
        sqlite_autoincrement=True,
    )
    _index("check_ins", "at", "contact_full", "visit_id", "visitor_id")


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])


def _of_visitor(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["visitor_id"], ["visitors.visitor_id"], name=f"fk_{table}_visitor_id", ondelete="CASCADE"
    )
