"""A server that others reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from webapp.state.quotas import SHARED, quotas, set_quotas


@pytest.fixture
def shared() -> Iterator[None]:
    """Its quotas; afterwards those from before."""
    before = quotas()
    set_quotas(SHARED)
    yield
    set_quotas(before)
