"""The tables. Every change here needs a migration; a test keeps the two alike.

Times are seconds since the Unix epoch (UTC). Numbers that must never be reused (event sequences, template ids)
are AUTOINCREMENT. Columns named `sealed` hold what `consent.vault` encrypted.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

type Data = dict[str, str | int | float | bool | None]

NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up without reuse only on INTEGER
ID = String(64)
WORDS = String(255)
_VISITOR = "visitors.visitor_id"


class Base(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {Data: JSON, float: Double, bytes: LargeBinary}  # noqa: RUF012 - SQLAlchemy reads it as it is


class SettingRow(Base):
    """A value under a key: the engine's id, acknowledgements."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(WORDS, primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


class VisitorRow(Base):
    """A person who agreed to be remembered, or who holds a pass. Readable only with the visitor's own key."""

    __tablename__ = "visitors"

    visitor_id: Mapped[str] = mapped_column(ID, primary_key=True)
    alias_tag: Mapped[str] = mapped_column(ID, unique=True)  # keyed hash, for looking the alias up
    alias_sealed: Mapped[bytes]


class ConsentRow(Base):
    """What a visitor agreed to."""

    __tablename__ = "consents"

    consent_id: Mapped[str] = mapped_column(ID, primary_key=True)
    visitor_id: Mapped[str] = mapped_column(ID, ForeignKey(_VISITOR, ondelete="CASCADE"), index=True)
    zone_id: Mapped[str] = mapped_column(ID)
    notice_hash: Mapped[str] = mapped_column(ID)
    language: Mapped[str] = mapped_column(ID)
    purpose: Mapped[str] = mapped_column(WORDS)
    granted_at: Mapped[float]
    expires_at: Mapped[float] = mapped_column(index=True)
    guardian: Mapped[bool]
    zones: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))  # where they may be recognised
    channel: Mapped[str] = mapped_column(ID, server_default="desk")  # models.Channel
    superseded_at: Mapped[float | None]  # when another one took its place; it is a record from then on


class TemplateRow(Base):
    """An embedding stored with a consent, and never without it."""

    __tablename__ = "templates"
    __table_args__ = ({"sqlite_autoincrement": True},)

    template_id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    visitor_id: Mapped[str] = mapped_column(ID, ForeignKey(_VISITOR, ondelete="CASCADE"), index=True)
    consent_id: Mapped[str] = mapped_column(ID, ForeignKey("consents.consent_id", ondelete="CASCADE"), index=True)
    pack: Mapped[str] = mapped_column(ID)  # whose embedder made it: no other pack's probes compare with it
    # Whether it is sealed with its consent's own key; older ones are with the visitor's.
    own_key: Mapped[bool] = mapped_column(server_default=false())
    sealed: Mapped[bytes]


class AssessmentRow(Base):
    """An impact assessment that a person acknowledged. Rows are only added, until their time is up."""

    __tablename__ = "assessments"
    __table_args__ = ({"sqlite_autoincrement": True},)

    assessment_id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    by_whom: Mapped[str] = mapped_column(WORDS)
    ground: Mapped[str] = mapped_column(String(500))
    profile: Mapped[str | None] = mapped_column(ID)  # that it was made for; None: not told
    acknowledged_at: Mapped[float]
    expires_at: Mapped[float]
    superseded_at: Mapped[float | None]  # when another one took its place


class VisitRow(Base):
    """One stay. Nobody's once the visitor withdrew."""

    __tablename__ = "visits"

    visit_id: Mapped[str] = mapped_column(ID, primary_key=True)
    visitor_id: Mapped[str | None] = mapped_column(ID, ForeignKey(_VISITOR, ondelete="SET NULL"), index=True)
    zone_id: Mapped[str] = mapped_column(ID)
    started_at: Mapped[float] = mapped_column(index=True)
    last_at: Mapped[float]
    ended_at: Mapped[float | None]
    earlier: Mapped[int]
    # The verdict as it was when its evidence was erased.
    settled: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class EventRow(Base):
    """The durable event log."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_zone_id", "zone_id", "sequence"), {"sqlite_autoincrement": True})

    sequence: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    kind: Mapped[str] = mapped_column(ID)
    occurred_at: Mapped[float]
    zone_id: Mapped[str] = mapped_column(ID)
    visit_id: Mapped[str | None] = mapped_column(ID, index=True)
    visitor_id: Mapped[str | None] = mapped_column(ID, ForeignKey(_VISITOR, ondelete="SET NULL"), index=True)
    data: Mapped[Data]


class SightingRow(Base):
    """What a track amounted to. Of somebody unknown it says when, where and why, and nothing else."""

    __tablename__ = "sightings"
    __table_args__ = (
        UniqueConstraint("camera_id", "started_at", "track_id"),
        Index("ix_sightings_zone_id", "zone_id", "started_at"),
        {"sqlite_autoincrement": True},
    )

    sighting_id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    camera_id: Mapped[str] = mapped_column(ID)
    zone_id: Mapped[str] = mapped_column(ID)
    track_id: Mapped[int]
    started_at: Mapped[float]
    at: Mapped[float]
    ended_at: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(ID)  # why nobody was recognised; None: somebody was
    visitor_id: Mapped[str | None] = mapped_column(ID, ForeignKey(_VISITOR, ondelete="SET NULL"), index=True)
    score: Mapped[float | None]
    margin: Mapped[float | None]
    visit_id: Mapped[str | None] = mapped_column(ID, index=True)
    salt: Mapped[str | None] = mapped_column(
        ID
    )  # a known visitor's: with the columns above it gives the ledger's proof
    ledger: Mapped[int | None]  # the number of that entry


class CameraRow(Base):
    """One channel that the engine pulls."""

    __tablename__ = "cameras"
    __table_args__ = (UniqueConstraint("address", "channel"),)

    camera_id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(WORDS)
    kind: Mapped[str] = mapped_column(ID)
    address: Mapped[str] = mapped_column(WORDS)
    channel: Mapped[str] = mapped_column(WORDS)
    zone_id: Mapped[str] = mapped_column(ID)


class LoginRow(Base):
    """The user name and password of one device. `version` rises with every change."""

    __tablename__ = "logins"

    address: Mapped[str] = mapped_column(WORDS, primary_key=True)
    version: Mapped[int]
    sealed: Mapped[bytes]


class RefusalRow(Base):
    """A login that a device refused, and that is not tried again. Outlives the camera: its version is used up."""

    __tablename__ = "refusals"

    address: Mapped[str] = mapped_column(WORDS, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class TokenRow(Base):
    """A client's token, hashed."""

    __tablename__ = "tokens"

    token_id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(WORDS)
    role: Mapped[str] = mapped_column(ID)
    digest: Mapped[str] = mapped_column(ID, unique=True)
    created_at: Mapped[float]
    partner_id: Mapped[str | None] = mapped_column(ID, ForeignKey("partners.partner_id"))  # whose link it is
    expires_at: Mapped[float | None]


class LedgerRow(Base):
    """One processing act, chained to the one before by its hash."""

    __tablename__ = "ledger"

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)
    at: Mapped[float]
    act: Mapped[str] = mapped_column(ID)
    zone_id: Mapped[str | None] = mapped_column(ID)
    subject: Mapped[str | None] = mapped_column(ID)
    data: Mapped[Data]
    previous: Mapped[str] = mapped_column(ID)
    digest: Mapped[str] = mapped_column(ID)


class CheckpointRow(Base):
    """What the ledger was at a moment, signed."""

    __tablename__ = "checkpoints"

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)
    entries: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[str] = mapped_column(ID)
    at: Mapped[float]
    signature: Mapped[bytes]


class PartnerRow(Base):
    """A channel partner: a company."""

    __tablename__ = "partners"

    partner_id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(WORDS)
    added_at: Mapped[float]


class ReferralRow(Base):
    """A partner's claim. Of the contact there is only what its keyed hashes say."""

    __tablename__ = "referrals"
    __table_args__ = (Index("ix_referrals_partner_id", "partner_id", "contact_mask"),)

    referral_id: Mapped[str] = mapped_column(ID, primary_key=True)
    partner_id: Mapped[str] = mapped_column(ID, ForeignKey("partners.partner_id"))
    broker_sealed: Mapped[bytes | None]
    contact_full: Mapped[str | None] = mapped_column(ID, index=True)  # None: it was given masked
    contact_mask: Mapped[str] = mapped_column(ID, index=True)
    declared_at: Mapped[float] = mapped_column(index=True)  # its own time
    filed_at: Mapped[float]  # when it reached this engine
    expected_at: Mapped[float | None]
    withdrawn_at: Mapped[float | None]
    salt: Mapped[str] = mapped_column(ID)  # with the columns above it gives the proof that the ledger holds
    ledger: Mapped[int]  # the number of that entry
    withdrawn_ledger: Mapped[int | None]  # and of the one that says that it was taken back


class PassRow(Base):
    """A code that stands for a visitor. Whoever reads this cannot make the code."""

    __tablename__ = "passes"

    code_tag: Mapped[str] = mapped_column(ID, primary_key=True)  # keyed hash
    visitor_id: Mapped[str] = mapped_column(ID, ForeignKey(_VISITOR, ondelete="CASCADE"), index=True)
    issued_at: Mapped[float]


class PassScanRow(Base):
    """A pass was shown."""

    __tablename__ = "pass_scans"
    __table_args__ = ({"sqlite_autoincrement": True},)

    scan_id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    visitor_id: Mapped[str] = mapped_column(ID, ForeignKey(_VISITOR, ondelete="CASCADE"), index=True)
    zone_id: Mapped[str] = mapped_column(ID)
    at: Mapped[float] = mapped_column(index=True)
    visit_id: Mapped[str] = mapped_column(ID, index=True)
    salt: Mapped[str | None] = mapped_column(ID)  # with the columns above it gives the proof that the ledger holds
    ledger: Mapped[int | None]  # the number of that entry; None for what older versions wrote


class CheckInRow(Base):
    """Somebody gave a contact. Without a visitor the contact stands for the person."""

    __tablename__ = "check_ins"
    __table_args__ = ({"sqlite_autoincrement": True},)

    check_in_id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    visitor_id: Mapped[str | None] = mapped_column(ID, ForeignKey(_VISITOR, ondelete="CASCADE"), index=True)
    contact_full: Mapped[str] = mapped_column(ID, index=True)
    contact_mask: Mapped[str] = mapped_column(ID, index=True)
    source: Mapped[str | None] = mapped_column(WORDS)  # as told; shown, and decides nothing
    zone_id: Mapped[str] = mapped_column(ID)
    at: Mapped[float] = mapped_column(index=True)
    visit_id: Mapped[str] = mapped_column(ID, index=True)
    salt: Mapped[str | None] = mapped_column(ID)  # with the columns above it gives the proof that the ledger holds
    ledger: Mapped[int | None]  # the number of that entry; None for what older versions wrote
