"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String(64)
_WORDS = sa.String(255)


def upgrade() -> None:
    """Create everything."""
    _site()
    _consent()
    _visits()
    _ledger()


def downgrade() -> None:
    """Drop everything."""
    for table in (
        *("ledger", "sightings", "events", "visits", "templates", "consents", "visitors"),
        *("tokens", "refusals", "logins", "cameras", "settings"),
    ):
        op.drop_table(table)


def _site() -> None:
    op.create_table(
        "settings",
        sa.Column("key", _WORDS, nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_settings"),
    )
    op.create_table(
        "cameras",
        sa.Column("camera_id", _ID, nullable=False),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("kind", _ID, nullable=False),
        sa.Column("address", _WORDS, nullable=False),
        sa.Column("channel", _WORDS, nullable=False),
        sa.Column("zone_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("camera_id", name="pk_cameras"),
        sa.UniqueConstraint("address", "channel", name="uq_cameras_address"),
    )
    op.create_table(
        "logins",
        sa.Column("address", _WORDS, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_logins"),
    )
    op.create_table(
        "refusals",
        sa.Column("address", _WORDS, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("address", "version", name="pk_refusals"),
    )
    op.create_table(
        "tokens",
        sa.Column("token_id", _ID, nullable=False),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("role", _ID, nullable=False),
        sa.Column("digest", _ID, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("token_id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )


def _consent() -> None:
    op.create_table(
        "visitors",
        sa.Column("visitor_id", _ID, nullable=False),
        sa.Column("alias_tag", _ID, nullable=False),
        sa.Column("alias_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("visitor_id", name="pk_visitors"),
        sa.UniqueConstraint("alias_tag", name="uq_visitors_alias_tag"),
    )
    op.create_table(
        "consents",
        sa.Column("consent_id", _ID, nullable=False),
        sa.Column("visitor_id", _ID, nullable=False),
        sa.Column("zone_id", _ID, nullable=False),
        sa.Column("notice_hash", _ID, nullable=False),
        sa.Column("language", _ID, nullable=False),
        sa.Column("purpose", _WORDS, nullable=False),
        sa.Column("granted_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("guardian", sa.Boolean(), nullable=False),
        _of_visitor("consents", "CASCADE"),
        sa.PrimaryKeyConstraint("consent_id", name="pk_consents"),
    )
    op.create_index("ix_consents_expires_at", "consents", ["expires_at"])
    op.create_index("ix_consents_visitor_id", "consents", ["visitor_id"])
    op.create_table(
        "templates",
        sa.Column("template_id", _NUMBER, nullable=False),
        sa.Column("visitor_id", _ID, nullable=False),
        sa.Column("consent_id", _ID, nullable=False),
        sa.Column("pack", _ID, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _of_visitor("templates", "CASCADE"),
        sa.ForeignKeyConstraint(
            ["consent_id"], ["consents.consent_id"], name="fk_templates_consent_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("template_id", name="pk_templates"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_templates_consent_id", "templates", ["consent_id"])
    op.create_index("ix_templates_visitor_id", "templates", ["visitor_id"])


def _visits() -> None:
    op.create_table(
        "visits",
        sa.Column("visit_id", _ID, nullable=False),
        sa.Column("visitor_id", _ID, nullable=True),
        sa.Column("zone_id", _ID, nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("last_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("earlier", sa.Integer(), nullable=False),
        _of_visitor("visits", "SET NULL"),
        sa.PrimaryKeyConstraint("visit_id", name="pk_visits"),
    )
    op.create_index("ix_visits_started_at", "visits", ["started_at"])
    op.create_index("ix_visits_visitor_id", "visits", ["visitor_id"])
    op.create_table(
        "events",
        sa.Column("sequence", _NUMBER, nullable=False),
        sa.Column("kind", _ID, nullable=False),
        sa.Column("occurred_at", sa.Double(), nullable=False),
        sa.Column("zone_id", _ID, nullable=False),
        sa.Column("visit_id", _ID, nullable=True),
        sa.Column("visitor_id", _ID, nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        _of_visitor("events", "SET NULL"),
        sa.PrimaryKeyConstraint("sequence", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_visit_id", "events", ["visit_id"])
    op.create_index("ix_events_visitor_id", "events", ["visitor_id"])
    _sightings()


def _sightings() -> None:
    op.create_table(
        "sightings",
        sa.Column("sighting_id", _NUMBER, nullable=False),
        sa.Column("camera_id", _ID, nullable=False),
        sa.Column("zone_id", _ID, nullable=False),
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("reason", _ID, nullable=True),
        sa.Column("visitor_id", _ID, nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("margin", sa.Double(), nullable=True),
        sa.Column("visit_id", _ID, nullable=True),
        _of_visitor("sightings", "SET NULL"),
        sa.PrimaryKeyConstraint("sighting_id", name="pk_sightings"),
        sa.UniqueConstraint("camera_id", "started_at", "track_id", name="uq_sightings_camera_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sightings_visit_id", "sightings", ["visit_id"])
    op.create_index("ix_sightings_visitor_id", "sightings", ["visitor_id"])
    op.create_index("ix_sightings_zone_id", "sightings", ["zone_id", "started_at"])


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("number", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("act", _ID, nullable=False),
        sa.Column("zone_id", _ID, nullable=True),
        sa.Column("subject", _ID, nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("previous", _ID, nullable=False),
        sa.Column("digest", _ID, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_ledger"),
    )


def _of_visitor(table: str, when_deleted: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["visitor_id"], ["visitors.visitor_id"], name=f"fk_{table}_visitor_id", ondelete=when_deleted
    )
