"""Models scored one beside the other on one benchmark."""

from __future__ import annotations

import re

import numpy as np

from core.records import no_progress
from core.systems.composition.commands.score_models import NOT_COMPARED, run_lines, score_models
from tests.support.benchmarks import Given, pairs, pictured, random_scores


def test_an_adapter_is_compared_with_its_encoder_on_items_that_it_did_not_learn_from() -> None:
    made = pairs(12)
    plain = Given(random_scores(made, np.random.default_rng(0)))
    adapted = Given(random_scores(made, np.random.default_rng(1)), "adapted", "adapted", taught=frozenset(range(5)))
    ran = score_models(pictured(made), [plain, adapted], no_progress)
    assert [len(result.ids) for result in ran.results] == [12, 7]
    assert ran.comparison is not None
    assert ran.comparison.rows[0].n == 7
    told = "\n".join(run_lines(ran))
    assert "5 of 12 items were in this adapter's training. On those it shows memory, not skill, so they are" in told
    assert re.search(r"Left out: 5 \w+ because the adapter learned from it\.", told)


def test_models_to_which_no_item_is_new_are_told_each_by_itself() -> None:
    made = pairs(12)
    halves = [
        Given(
            random_scores(made, np.random.default_rng(i)), f"half {i}", f"half {i}", taught=frozenset(range(i, 12, 2))
        )
        for i in range(2)
    ]
    ran = score_models(pictured(made), halves, no_progress)
    assert ran.comparison is None
    assert NOT_COMPARED in ran.results[1].notes
