"""Cases and their reviews. Visits that there are already get their cases here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from nvr_bridge import codes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String(64)
_WORDS = sa.String(255)


def upgrade() -> None:
    """Add them."""
    cases = _cases()
    _reviews()
    visits = sa.table("visits", sa.column("visit_id"), sa.column("started_at"))
    connection = op.get_bind()
    taken: set[str] = set()
    for visit_id, started_at in connection.execute(sa.select(visits.c.visit_id, visits.c.started_at)).all():
        while (case_id := codes.new(8)) in taken:
            pass
        taken.add(case_id)
        row = {"case_id": case_id, "visit_id": visit_id, "state": "proposed", "opened_at": started_at}
        connection.execute(cases.insert().values(row))


def downgrade() -> None:
    """Drop them."""
    op.drop_table("reviews")
    op.drop_table("cases")


def _cases() -> sa.Table:
    cases = op.create_table(
        "cases",
        sa.Column("case_id", _ID, nullable=False),
        sa.Column("visit_id", _ID, nullable=False),
        sa.Column("state", _ID, nullable=False),
        sa.Column("told", sa.JSON(), nullable=True),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.visit_id"], name="fk_cases_visit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", name="pk_cases"),
        sa.UniqueConstraint("visit_id", name="uq_cases_visit_id"),
    )
    op.create_index("ix_cases_state", "cases", ["state"])
    return cases


def _reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("review_id", _NUMBER, nullable=False),
        sa.Column("case_id", _ID, nullable=False),
        sa.Column("act", _ID, nullable=False),
        sa.Column("state", _ID, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("attribution", _ID, nullable=True),
        sa.Column("partner", _ID, nullable=True),
        sa.Column("seen", sa.JSON(), nullable=True),
        sa.Column("token_id", _ID, nullable=True),
        sa.Column("token_name", _WORDS, nullable=True),
        sa.Column("user_id", _WORDS, nullable=True),
        sa.Column("referral_id", _ID, nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("salt", _ID, nullable=True),
        sa.Column("ledger", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_reviews_case_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("review_id", name="pk_reviews"),
        sqlite_autoincrement=True,
    )
    for column in ("at", "case_id", "referral_id"):
        op.create_index(f"ix_reviews_{column}", "reviews", [column])
