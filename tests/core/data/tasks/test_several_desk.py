"""Scores of several labels that are of another kind or order, or reversed, stop the reading; poor ones do not."""

from __future__ import annotations

import numpy as np
import pytest

from core.data.desk.several import check_several
from core.errors import InvalidInput
from core.records.ledger import Ledger

NAMES = tuple("abcde")


def drawn(n=200, signal=2.0, seed=0):
    rng = np.random.default_rng(seed)
    present = rng.random((n, len(NAMES))) < (0.5, 0.4, 0.3, 0.2, 0.1)
    return present, 1 / (1 + np.exp(1 - signal * present - rng.normal(size=present.shape)))


def notes(present, said, role="probabilities", as_is=False):
    ledger = Ledger(len(said), as_is=as_is)
    check_several(present, said, role, NAMES, ledger)
    return ledger.notes


def refused(present, said, role="probabilities"):
    with pytest.raises(InvalidInput) as caught:
        notes(present, said, role)
    assert len(notes(present, said, role, as_is=True)) == 1
    return str(caught.value)


@pytest.mark.parametrize(("signal", "n"), [(2.0, 200), (1.0, 200), (2.0, 15), (0.0, 6), (0.0, 0)])
def test_what_fits_or_is_too_little_to_tell_raises_no_word(signal, n):
    present, said = drawn(n, signal)
    assert notes(present, said) == notes(present, np.log(said / (1 - said)), "logits") == []


@pytest.mark.parametrize(
    ("factor", "advice"), [(1, "name them as probabilities"), (100, "divide them by 100"), (1000, "right columns")]
)
def test_logits_of_which_none_is_below_0_are_refused(factor, advice):
    present, said = drawn()
    assert advice in refused(present, factor * said, "logits")
    assert notes(np.ones_like(present), factor * said, "logits") == []


def test_a_softmax_over_classes_that_come_together_is_refused_and_noted_where_few_do():
    present, said = drawn()
    softmax = said / said.sum(axis=1, keepdims=True)
    assert "200 of 200 rows of probabilities sum to 1" in refused(present, softmax)
    alone = np.eye(5, dtype=bool)[softmax.argmax(axis=1)]
    assert notes(alone, softmax) == []
    alone[:3] = True
    assert [note for note in notes(alone, softmax) if "3 of these have several labels" in note]
    assert notes(present, np.eye(5)[present.argmax(axis=1)]) == []  # an answer of one class is no softmax


@pytest.mark.parametrize("order", [(1, 2, 3, 4, 0), (0, 1, 2, 4, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_scores_in_another_order_are_refused_with_the_classes_that_moved(order, seed):
    present, said = drawn(400, 4.0, seed)
    message = refused(present, said[:, order])
    moved = [f"{NAMES[i]!r} go with scores of {NAMES[order.index(i)]!r}" for i in range(5) if order[i] != i]
    assert all(one in message for one in moved[:3])
    assert message.count("go with") == min(len(moved), 3)


def test_1_for_absent_is_refused_in_all_classes_or_in_one():
    present, said = drawn(signal=4.0)
    assert "for 'a', 'b', 'c', 'd', 'e':" in refused(~present, said)
    present[:, 1] = ~present[:, 1]
    assert "for 'b':" in refused(present, said)


def test_scores_that_are_no_better_or_worse_than_guesses_are_noted():
    present, said = drawn(signal=-0.6)
    assert "worse than chance" in notes(present, said)[0]
    present, said = drawn()
    assert "no better than chance" in notes(present, np.roll(said, 7, axis=0))[0]


@pytest.mark.parametrize("seed", range(20))
def test_rare_classes_and_heads_that_learnt_nothing_are_not_taken_for_reordered(seed):
    present, said = drawn(signal=3.0, seed=seed)
    present[:, 4] = False
    present[seed, 4] = True
    said[:, 2:] = np.random.default_rng(seed).random((200, 3)) * 0.1
    assert notes(present, said) == []
