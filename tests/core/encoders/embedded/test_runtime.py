"""How many cores the embedded encoder takes."""

from __future__ import annotations

import pytest

from core.encoders.embedded.lite0_runtime import THREADS, usable_cores
from core.errors import InvalidInput


def test_a_process_that_shares_its_machine_takes_no_more_than_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(THREADS, raising=False)
    every = usable_cores()
    monkeypatch.setenv(THREADS, "1")
    assert usable_cores() == 1
    monkeypatch.setenv(THREADS, str(every + 1))
    assert usable_cores() == every


@pytest.mark.parametrize("said", ["0", "-1", "two", "1.5", "²"])
def test_a_number_of_cores_that_is_none_is_refused_with_the_variable_named(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(THREADS, said)
    with pytest.raises(InvalidInput, match=f"{THREADS}.*got '{said}'"):
        usable_cores()
