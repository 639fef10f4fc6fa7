"""Losses that come alone, as an array, a list, or a tensor, and what looks like losses and is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import errata
from core.data.tables.frames import as_frame

QUICK = errata.Settings(n_permutations=199, map=False, sensitivity=False)
N = 240
RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(N, 8)).astype(np.float32)


def test_losses_alone_are_enough() -> None:
    losses = RNG.gamma(2, 0.3, N)
    torch = pytest.importorskip("torch")
    expected = errata.diagnose({"loss": losses}, embeddings=VECTORS, settings=QUICK).fingerprint
    series = pd.Series(losses, name="x")
    for form in (losses, losses[:, None], losses.tolist(), series, torch.tensor(losses, requires_grad=True)):
        assert errata.diagnose(form, embeddings=VECTORS, settings=QUICK).fingerprint == expected


def test_losses_and_vectors_may_be_tensors_of_half_precision() -> None:
    torch = pytest.importorskip("torch")
    losses = np.arange(1, N + 1) / 256  # exact in eight bits of mantissa up to 1
    for kind in (torch.bfloat16, torch.float16):
        tensor = torch.tensor(losses).to(kind)
        run = errata.diagnose(tensor, embeddings=torch.tensor(VECTORS).to(kind), settings=QUICK)
        np.testing.assert_array_equal(run.outcomes.loss, losses)


UNKNOWN = [None if row % 9 == 0 else row / N for row in range(N)]


@pytest.mark.parametrize("name", [None, "loss"])
@pytest.mark.parametrize("values", [UNKNOWN, np.array(UNKNOWN, object), np.ma.masked_invalid(np.array(UNKNOWN, float))])
def test_missing_losses_are_left_out_and_counted(values: Any, name: str | None) -> None:
    table = {name: values} if name else values
    run = errata.diagnose(table, embeddings=VECTORS, settings=QUICK)
    assert run.outcomes.loss.tolist() == [loss for loss in UNKNOWN if loss is not None]
    assert len(run.excluded) == UNKNOWN.count(None)


@pytest.mark.parametrize(
    "values",
    [
        *([0, 1, 1], np.arange(5), ["a", "b"], np.array([True, False]), [1j, 2j], [None, None], ["0.5", "0.25"]),
        *(pd.array([1, None], "Int64"), np.ma.array([1, 2], mask=[True, False]), pd.Series(["a", np.nan])),
        *(pd.date_range("2020", periods=3), pd.to_timedelta([1, 2], "s"), pd.period_range("2020", periods=3, freq="D")),
    ],
)
def test_other_values_alone_are_refused_since_they_could_be_labels(values: Any) -> None:
    with pytest.raises(errata.InvalidInput, match=r"one float per sample: got .*Name what they are"):
        as_frame(values)


def test_several_losses_of_a_sample_are_refused() -> None:
    with pytest.raises(errata.InvalidInput, match=r'one value per sample.* got shape \(3, 2\). .*reduction="none"'):
        as_frame(np.ones((3, 2)))


MOMENTS = pd.date_range("2020", periods=N, freq="h")
LENGTHS = pd.to_timedelta(np.arange(N), "s")


@pytest.mark.parametrize("make", [pd.Series, list, lambda values: pd.array(values).astype("object")])
@pytest.mark.parametrize("values", [MOMENTS, MOMENTS.tz_localize("Asia/Tokyo"), LENGTHS, MOMENTS.to_period("h")])
def test_moments_and_durations_are_no_losses(values: Any, make: Callable[[Any], Any]) -> None:
    with pytest.raises(errata.InvalidInput, match=r"holds no finite number: its first is '.*'. Convert it, or name"):
        errata.diagnose({"loss": make(values)}, embeddings=VECTORS, settings=QUICK)
    table = errata.LossTable()
    with pytest.raises(errata.InvalidInput, match=r"losses must be (real )?numbers"):
        table.record(losses=make(values))
