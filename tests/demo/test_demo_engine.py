"""The demo's day never ends while its story plays."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from demo.engine import noon_zone


@pytest.mark.parametrize("hour", range(24))
def test_it_is_noon_where_the_demo_plays(hour: int) -> None:
    assert datetime(2026, 3, 2, hour, 59, tzinfo=UTC).astimezone(ZoneInfo(noon_zone(hour))).hour == 12
