"""How messages say a number of bytes."""

from __future__ import annotations

import pytest

from core.limits import byte_size


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1,023 bytes"),
        (2**16, "64 KiB"),
        (200 * 2**20, "200 MiB"),
        (1.55 * 2**20, "1.6 MiB"),
        (2**30, "1 GiB"),
        (5000 * 2**30, "5,000 GiB"),
    ],
)
def test_a_size_is_whole_or_has_one_tenth_and_its_unit_is_true(n: float, said: str) -> None:
    assert byte_size(n) == said
