"""Signings, the staff and corrections of who is who; which entry of the ledger a pass scan or check-in has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String(64)


def upgrade() -> None:
    """Add them."""
    op.add_column("pass_scans", sa.Column("ledger", sa.Integer(), nullable=True))
    op.add_column("check_ins", sa.Column("salt", _ID, nullable=True))
    op.add_column("check_ins", sa.Column("ledger", sa.Integer(), nullable=True))
    for table in ("check_ins", "referrals"):  # for reading only the evidence that concerns a visit
        op.create_index(f"ix_{table}_contact_mask", table, ["contact_mask"])
    _signings()
    _staff()
    _corrections()


def downgrade() -> None:
    """Drop them."""
    for table in ("corrected", "corrections", "staff_marks", "co_signers", "signings"):
        op.drop_table(table)
    for table in ("check_ins", "referrals"):
        op.drop_index(f"ix_{table}_contact_mask", table)
    op.drop_column("check_ins", "ledger")
    op.drop_column("check_ins", "salt")
    op.drop_column("pass_scans", "ledger")


def _signings() -> None:
    op.create_table(
        "signings",
        sa.Column("signing_id", _ID, nullable=False),
        sa.Column("visitor_id", _ID, nullable=True),
        sa.Column("document", _ID, nullable=True),
        sa.Column("contact_full", _ID, nullable=True),
        sa.Column("contact_mask", _ID, nullable=True),
        sa.Column("zone_id", _ID, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("visit_id", _ID, nullable=False),
        sa.Column("salt", _ID, nullable=True),
        sa.Column("ledger", sa.Integer(), nullable=True),
        sa.Column("settled", sa.JSON(), nullable=True),
        _of_visitor("signings", "SET NULL"),
        sa.PrimaryKeyConstraint("signing_id", name="pk_signings"),
    )
    _index("signings", "at", "contact_full", "contact_mask", "document", "visit_id", "visitor_id")
    op.create_table(
        "co_signers",
        sa.Column("signing_id", _ID, nullable=False),
        sa.Column("visitor_id", _ID, nullable=False),
        sa.Column("salt", _ID, nullable=False),
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["signing_id"], ["signings.signing_id"], name="fk_co_signers_signing_id", ondelete="CASCADE"
        ),
        _of_visitor("co_signers"),
        sa.PrimaryKeyConstraint("signing_id", "visitor_id", name="pk_co_signers"),
    )
    _index("co_signers", "visitor_id")


def _staff() -> None:
    op.create_table(
        "staff_marks",
        sa.Column("mark_id", _NUMBER, nullable=False),
        sa.Column("visitor_id", _ID, nullable=False),
        sa.Column("from_at", sa.Double(), nullable=False),
        sa.Column("until_at", sa.Double(), nullable=True),
        sa.Column("told_at", sa.Double(), nullable=False),
        sa.Column("ledger", sa.Integer(), nullable=False),
        _of_visitor("staff_marks"),
        sa.PrimaryKeyConstraint("mark_id", name="pk_staff_marks"),
        sqlite_autoincrement=True,
    )
    _index("staff_marks", "visitor_id")


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("correction_id", _NUMBER, nullable=False),
        sa.Column("kind", _ID, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("correction_id", name="pk_corrections"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "corrected",
        sa.Column("correction_id", _NUMBER, nullable=False),
        sa.Column("visitor_id", _ID, nullable=False),
        sa.Column("salt", _ID, nullable=False),
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["corrections.correction_id"], name="fk_corrected_correction_id", ondelete="CASCADE"
        ),
        _of_visitor("corrected"),
        sa.PrimaryKeyConstraint("correction_id", "visitor_id", name="pk_corrected"),
    )
    _index("corrected", "visitor_id")


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])


def _of_visitor(table: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["visitor_id"], ["visitors.visitor_id"], name=f"fk_{table}_visitor_id", ondelete=ondelete
    )
