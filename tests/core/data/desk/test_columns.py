"""Columns that may explain a failure, and are something else."""

from __future__ import annotations

import numpy as np

from tests.support.desk import NAMES, noted, read, right

RIGHT = right()
WRONG = RIGHT.predictions != RIGHT.labels
KNOWN = {"label": NAMES[RIGHT.labels], "prediction": NAMES[RIGHT.predictions], "loss": RIGHT.loss}
RNG = np.random.default_rng(0)


def test_values_for_missing_ones_and_numbers_written_as_texts_are_noted() -> None:
    age = np.where(RNG.random(400) < 0.1, -999, RNG.integers(20, 90, 400))
    assert "'age' is −999 in" in noted({**KNOWN, "age": age})
    assert "'price' is read as texts" in noted({**KNOWN, "price": [f"{x:,.2f}" for x in RNG.normal(2000, 500, 400)]})


def test_a_column_that_leaks_the_answer_is_noted() -> None:
    assert "'sure' separates right from wrong" in noted({**KNOWN, "sure": np.exp(-RIGHT.loss)})
    leaked = np.where(RNG.random(400) < 0.005, "?", np.char.add("as ", NAMES[RIGHT.predictions]))
    assert "'seen'" in noted({**KNOWN, "seen": leaked})


def test_a_blank_before_a_value_makes_no_value_of_its_own() -> None:
    time = np.where(RNG.random(400) < 0.5, "Night", "Day")
    read_as = read({**KNOWN, "time": np.where(RNG.random(400) < 0.3, np.char.add(" ", time), time)})
    assert read_as.samples.metadata[0].values.tolist() == time.tolist()
    assert "Removed spaces around the values of 'time' in" in " ".join(read_as.notes)


def test_columns_that_merely_explain_are_left_alone() -> None:
    weather = np.where(WRONG & (RNG.random(400) < 0.8), "fog", np.where(RNG.random(400) < 0.1, "fog", "sun"))
    honest = {
        "weather": weather,
        "size": RNG.lognormal(0, 2, 400),
        "n": RNG.poisson(3, 400),
        "site": RNG.integers(0, 200, 400),
    }
    assert noted({**KNOWN, **honest, "note": ["seen at 5,5 m"] * 200 + ["seen"] * 200}) == ""
