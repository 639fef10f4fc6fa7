"""Mistakes with probabilities and logits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tests.mistakes.judging import Mistake
from tests.mistakes.right import NAMES, Brought, World, softmax
from tests.mistakes.words import APART, CODES, SHARES


def _in_alphabet(t: Brought, w: World) -> Brought:
    """The columns as pandas.pivot gives them: in the order of the alphabet."""
    gone: dict[str, Any] = {f"prob_{name}": None for name in NAMES}
    return t.put(**gone).put(**{f"prob_{name}": w.probabilities[:, NAMES.index(name)] for name in sorted(NAMES)})


def _from_one(t: Brought, w: World) -> Brought:
    brought = t.put(label=w.truth + 1)
    assert brought.frame is not None
    return replace(brought, frame=brought.frame[w.truth < 3])


def _clipped(p: Any) -> Any:
    kept = np.where(p < 0.1, 0, p)
    return kept / kept.sum(1, keepdims=True)


def _of_dropout(w: World) -> Any:
    """Losses that went with the predictions of another forward pass."""
    return np.abs(w.loss * np.exp(w.rng.normal(0, 0.5, len(w.loss))) + w.rng.normal(0, 0.2, len(w.loss)))


def _with_background(t: Brought, w: World) -> Brought:
    background = w.rng.normal(-1, 1, len(w.truth))
    return t.each("logit", lambda z: np.c_[background, z[:, :3]]).put(logit_4=w.logits[:, 3])


MISTAKES = [
    Mistake("columns in another order than the numbers of the labels", "numbered shares", CODES, _in_alphabet),
    Mistake("lists in the order of training", "listed shares", CODES,
            lambda t, w: t.put(probabilities=[str(row) for row in w.probabilities.tolist()])),
    Mistake("labels from 1, none of the last class", "numbered shares", CODES, _from_one),
    Mistake("probabilities of other rows", "shares", f"{APART}|{CODES}",
            lambda t, w: t.each("prob", lambda p: p[w.other_rows()])),
    Mistake("percent", "shares", "percent|100",
            lambda t, w: t.each("prob", lambda p: 100 * p)),
    Mistake("percent, named as logits as a message advises", "shares", "percent|100|probabilit",
            lambda t, w: replace(t.each("prob", lambda p: 100 * p), options="--logits prob_*")),
    Mistake("softmax of the softmax", "shares", SHARES,
            lambda t, w: t.each("prob", softmax)),
    Mistake("sigmoid in place of softmax", "shares", SHARES,
            lambda t, w: t.each("prob", lambda p: 1 / (1 + np.exp(-w.logits)))),
    Mistake("a temperature of 100", "shares", SHARES,
            lambda t, w: t.each("prob", lambda p: softmax(w.logits / 100))),
    Mistake("clipped to 0", "shares", "probability is 0|clipp|rounded",
            lambda t, w: t.each("prob", _clipped)),
    Mistake("only 0 and 1", "shares", "probability is 0|0 (and|or) 1|one-hot",
            lambda t, w: t.each("prob", lambda p: np.eye(4)[p.argmax(1)])),
    Mistake("log-probabilities as probabilities", "shares", SHARES,
            lambda t, w: t.each("prob", np.log)),
    Mistake("the probability of the first of two classes", "one share", "chance|below|revers|other class|first|swap",
            lambda t, w: t.each("prob", lambda p: 1 - p)),
    Mistake("losses in bits", "shares and losses", "log|bits|factor|times|differ|computed",
            lambda t, w: t.put(loss=w.loss / np.log(2))),
    Mistake("losses weighted by class", "shares and losses", "weigh|factor|differ|computed",
            lambda t, w: t.put(loss=w.loss * np.array([0.5, 0.8, 1.6, 3.0])[w.truth])),
    Mistake("losses of the training mode", "shares and losses", "differ|computed|dropout|training",
            lambda t, w: t.put(loss=_of_dropout(w))),
    Mistake("probabilities named as logits", "logits", SHARES,
            lambda t, w: t.each("logit", softmax)),
    Mistake("cosines without their scale", "logits", f"{SHARES}|scale",
            lambda t, w: t.each("logit", lambda z: z / 50)),
    Mistake("the background as class 0 of the logits", "logits", f"{CODES}|background", _with_background),
    Mistake("logits named as probabilities", "logits", SHARES,
            lambda t, w: replace(t, options="--probabilities logit_*")),
]  # fmt: skip
