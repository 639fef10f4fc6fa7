"""Sums over nested sets of the highest values, against sorting each row."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from core.records import F32
from core.statistics import compiled as compiling
from core.statistics.compiled import compiled
from core.statistics.levels import level_sums, levels_of, product_sums
from core.statistics.tops import top_positions

KINDS = ("normal", "heavy tails", "ties", "equal", "two lumps", "not finite", "tiny")


def values(kind: str, n: int) -> F32:
    rng = np.random.default_rng([n, KINDS.index(kind)])
    made = {
        "normal": lambda: rng.normal(size=(4, n)),
        "heavy tails": lambda: rng.standard_cauchy((4, n)) ** 5,
        "ties": lambda: rng.integers(-2, 3, (4, n)),
        "equal": lambda: np.full((4, n), -0.25),
        "two lumps": lambda: 1e-6 * rng.normal(size=(4, n)) + rng.integers(0, 2, (4, n)),
        "not finite": lambda: rng.choice([np.inf, -np.inf, 1.0, -3e38, 3e38], (4, n)),
        "tiny": lambda: rng.integers(-5, 6, (4, n)) * 1e-44,
    }
    return np.asarray(made[kind](), np.float32)


@pytest.mark.parametrize("n", [12, 100, 1000, 20_000])
@pytest.mark.parametrize("kind", KINDS)
def test_the_sets_hold_what_a_sort_puts_first(kind: str, n: int) -> None:
    rows, sizes = values(kind, n), [1, n // 10 + 1, n // 10 + 1, n // 4, n // 3, n - 1]
    levels = levels_of(rows, sizes)
    order = top_positions(rows, n)
    for row in range(len(rows)):
        expected = np.empty(n, np.int64)
        expected[order[row]] = (np.array(sizes)[None] <= np.arange(n)[:, None]).sum(1)
        np.testing.assert_array_equal(levels[row], expected)


def test_sums_are_those_of_each_set_and_sizes_may_repeat() -> None:
    rng = np.random.default_rng(0)
    ranked, added = rng.normal(size=(2, 3, 300)).astype(np.float32)
    sizes = [10, 10, 17, 299]
    first, second = level_sums(levels_of(ranked, sizes), added, len(sizes))
    for size, own, squares in zip(sizes, first, second, strict=True):
        top = np.take_along_axis(added, np.argsort(-ranked, axis=1), 1)[:, :size].astype(np.float64)
        np.testing.assert_allclose(own, top.sum(1), rtol=1e-6)
        np.testing.assert_allclose(squares, (top**2).sum(1), rtol=1e-6)


def test_values_of_one_row_serve_all_rows() -> None:
    rng = np.random.default_rng(1)
    ranked, one = rng.normal(size=(3, 50)).astype(np.float32), rng.normal(size=(1, 50)).astype(np.float32)
    levels = levels_of(ranked, [5, 20])
    np.testing.assert_array_equal(level_sums(levels, one, 2), level_sums(levels, np.repeat(one, 3, axis=0), 2))


def test_a_row_has_the_same_sums_alone_and_among_many() -> None:
    ranked, added = np.random.default_rng(2).normal(size=(2, 7, 1237)).astype(np.float32)
    sizes, mean = [12, 400, 1000], np.zeros(7, np.float32)
    together = level_sums(levels_of(ranked, sizes), added, 3), product_sums(ranked, added, mean, mean)
    for row in range(7):
        own, other = ranked[row : row + 1], added[row : row + 1]
        np.testing.assert_array_equal(level_sums(levels_of(own, sizes), other, 3)[..., 0], together[0][..., row])
        np.testing.assert_array_equal(product_sums(own, other, mean[:1], mean[:1])[:, 0], together[1][:, row])


def test_products_are_of_what_lies_apart_from_the_means() -> None:
    first, second = np.random.default_rng(3).gamma(1, 1, (2, 4, 999)).astype(np.float32)
    found = product_sums(first, second, first.mean(1), second.mean(1))
    one, two = (x.astype(np.float64) - x.mean(1, keepdims=True) for x in (first, second))
    np.testing.assert_allclose(found[0], (one**2).sum(1), rtol=1e-5)
    np.testing.assert_allclose(found[1], (one * two).sum(1), rtol=1e-3)
    np.testing.assert_allclose(found[2], ((one * two) ** 2).sum(1), rtol=1e-5)


def test_where_nothing_can_be_kept_a_loop_is_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    njit: Any = numba.njit

    def refuse(signature: str, **how: Any) -> Any:
        asked.append(how)
        if how.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(signature, **how)

    monkeypatch.setattr("numba.njit", refuse)
    doubled = compiled("f8(f8)")(lambda x: 2 * x)
    assert doubled(1.5) == 3
    assert [how.get("cache", False) for how in asked] == [True, False]


def test_the_method_is_imported_without_compiling() -> None:
    code = "import core.discovery.method, sys; print('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_every_module_of_compiled_loops_is_listed() -> None:
    core = Path(compiling.__file__).parent.parent
    holding = [path for path in core.rglob("*.py") if "\n@compiled(" in path.read_text()]
    named = sorted(".".join(("core", *path.relative_to(core).with_suffix("").parts)) for path in holding)
    assert named == sorted(compiling.MODULES)
