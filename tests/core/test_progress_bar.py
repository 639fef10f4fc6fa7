"""A bar for each step of a diagnosis."""

from __future__ import annotations

import builtins
import io
from typing import Any

import pytest

import errata


def test_each_step_has_a_bar_that_ends_full() -> None:
    pytest.importorskip("tqdm")
    out = io.StringIO()
    show = errata.progress_bar(file=out, mininterval=0, ascii=True)
    for step, total in (("embed", 4), ("permute", 2), ("permute", 2)):
        for done in range(total + 1):
            show(step, done, total)
    ends = [line.split("\r")[-1] for line in out.getvalue().rstrip("\n").split("\n")]
    assert [line.split(": 100%|")[0] for line in ends] == ["embed", "permute", "permute"]
    assert "| 4/4 " in ends[0]


def test_without_tqdm_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def none(name: str, *rest: Any) -> Any:
        if name.startswith("tqdm"):
            raise ImportError(name)
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", none)
    with pytest.raises(errata.MissingDependency, match="pip install tqdm"):
        errata.progress_bar()
