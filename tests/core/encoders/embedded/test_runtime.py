"""How many cores the embedded encoder takes."""

from __future__ import annotations

import pytest

from core.encoders.embedded.lite0_runtime import THREADS, usable_cores


def test_a_process_that_shares_its_machine_takes_no_more_than_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(THREADS, raising=False)
    every = usable_cores()
    monkeypatch.setenv(THREADS, "1")
    assert usable_cores() == 1
    monkeypatch.setenv(THREADS, str(every + 1))
    assert usable_cores() == every
