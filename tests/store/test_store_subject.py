"""What a visitor is shown leaves no table out."""

from __future__ import annotations

from nvr_bridge.store import schema_cases, schema_claims, schema_erasures, schema_evidence, schema_links
from nvr_bridge.store.schema import Base
from nvr_bridge.store.subject import TOLD

WHOLE = (schema_cases, schema_claims, schema_erasures, schema_evidence, schema_links)


def test_every_table_with_a_visitor_in_it_is_told() -> None:
    assert WHOLE
    of_visitors = {
        table.name
        for table in Base.metadata.tables.values()
        if any(key.column.table.name == "visitors" for column in table.columns for key in column.foreign_keys)
    }
    assert {row.__tablename__ for row in TOLD} == of_visitors | {"visitors"}


def test_nothing_told_is_sealed_or_a_hash() -> None:
    for row, columns in TOLD.items():
        assert set(columns) <= set(row.__table__.columns.keys())
        assert not {name for name in columns if "sealed" in name or "tag" in name or "contact" in name}
