"""Mistakes with labels and predictions, and with the file that holds them."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from core.data.tables.loss_table import LossTable
from tests.mistakes.judging import Mistake
from tests.mistakes.right import NAMES, Brought, N, World, named
from tests.mistakes.words import APART, CODES, REPEATED, WRITTEN


def _of_other_rows(t: Brought, w: World) -> Brought:
    order = w.other_rows()
    return t.put(prediction=named(w.guess[order]), loss=w.loss[order])


def _merged_twice(t: Brought, w: World) -> Brought:
    """Predictions merged by a key that two rows share: each row comes twice, the second time with another's."""
    assert t.frame is not None
    n = len(w.guess)
    row = np.repeat(np.arange(n), 2)
    taken = (row + n // 2 * (np.arange(2 * n) % 2)) % n
    twice = t.frame.iloc[row].assign(prediction=named(w.guess[taken]), loss=w.loss[taken])
    return replace(t, frame=twice[: 2 * n - 8])


def _header_inside(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:121], lines[0], *lines[121:]])


def _recorded(t: Brought, w: World, rows: Any, labels: Any, **scores: Any) -> Brought:
    """What `LossTable` writes of these rows."""
    assert t.frame is not None
    written = LossTable(class_names=NAMES)
    more = t.frame[rows]
    written.record(more["id"].tolist(), labels[rows], light=more["light"].tolist(), size=more["size"].tolist(),
                   site=more["site"].tolist(), **{name: values[rows] for name, values in scores.items()})  # fmt: skip
    return replace(t, frame=written.to_pandas())


def _untidy(w: World) -> Any:
    return np.where(w.rng.random(len(w.truth)) < 0.5, named(w.truth), [f" {name.title()}" for name in named(w.truth)])


def _decomposed(codes: Any) -> list[str]:
    return [unicodedata.normalize("NFD", f"é{name}") for name in named(codes)]


def _excel(name: str) -> tuple[str, ...]:
    return (name, *NAMES[1:])


MISTAKES = [
    Mistake("predictions and losses of a shuffled loader", "names", f"{APART}|{CODES}", _of_other_rows),
    Mistake("losses one row further down", "names", APART,
            lambda t, w: t.put(loss=np.roll(w.loss, 1))),
    Mistake("the loss column sorted by itself", "names", APART,
            lambda t, w: t.put(loss=np.sort(w.loss))),
    Mistake("the mean loss of the class", "names", f"{REPEATED}|{APART}",
            lambda t, w: t.put(loss=pd.Series(w.loss).groupby(w.truth).transform("mean"))),
    Mistake("the loss against the predicted class", "names", APART,
            lambda t, w: t.put(loss=-np.log(w.probabilities.max(1)))),
    Mistake("1 where prediction equals label as loss", "names", f"accuracy|correct|score|higher|{APART}",
            lambda t, w: t.put(loss=(~w.wrong).astype(int))),
    Mistake("log-likelihood as loss", "names", f"likelihood|sign|negat|higher|score|{APART}",
            lambda t, w: t.put(loss=-w.loss)),
    Mistake("confidence as loss", "names", f"higher|score|confidence|probabilit|{APART}",
            lambda t, w: t.put(loss=np.exp(-w.loss))),
    Mistake("-1 for missing losses", "names", r"-1\b|missing|sentinel|placeholder|negative",
            lambda t, w: t.put(loss=w.some(-1, w.loss))),
    Mistake("0 for missing losses", "names", r"'loss' is 0 in|missing|lower loss",
            lambda t, w: t.put(loss=w.some(0, w.loss))),
    Mistake("-1 as the class of rows without a label", "numbers", "'-1'",
            lambda t, w: t.put(label=w.some(-1, w.truth))),
    Mistake("255 as the class of rows without a label", "numbers", "'255'",
            lambda t, w: t.put(label=w.some(255, w.truth))),
    Mistake("the second half of the predictions from a shuffled loader", "numbers", f"{APART}|{CODES}",
            lambda t, w: t.put(prediction=np.r_[w.guess[: N // 2], w.rng.permutation(w.guess[N // 2 :])])),
    Mistake("a blank before a value of a condition", "names", "space|blank",
            lambda t, w: t.put(light=[f"{' ' * (i % 3)}{value}" for i, value in enumerate(w.light)])),
    Mistake("labels from 1, predictions from 0", "numbers", CODES,
            lambda t, w: t.put(label=w.truth + 1)),
    Mistake("predictions in reversed order of classes", "numbers", f"{CODES}|revers",
            lambda t, w: t.put(prediction=3 - w.guess)),
    Mistake("labels by LabelEncoder, predictions in the order of training", "numbers", CODES,
            lambda t, w: t.put(label=np.argsort(np.argsort(NAMES))[w.truth])),
    Mistake("the least probable class as prediction", "numbers", CODES,
            lambda t, w: t.put(prediction=w.logits.argmin(1))),
    Mistake("argmax over the batch", "numbers", f"{CODES}|{APART}",
            lambda t, w: t.put(prediction=w.probabilities.reshape(-1, 4, 4).argmax(axis=1).ravel())),
    Mistake("the index as label", "numbers", f"row number|every row|each row|index|values|{CODES}",
            lambda t, w: replace(t.put(index=np.arange(len(w.truth))), options="--label index")),
    Mistake("predictions as tensor(3)", "numbers", WRITTEN,
            lambda t, w: t.put(prediction=[f"tensor({g})" for g in w.guess])),
    Mistake("class_1.0 for class_1", "numbers", WRITTEN,
            lambda t, w: t.put(label=[f"class_{c:.1f}" for c in w.truth], prediction=[f"class_{c}" for c in w.guess])),
    Mistake("float labels", "numbers", WRITTEN,
            lambda t, w: t.put(label=[f"{c:.1f}" for c in w.truth])),
    Mistake("True and False against 1 and 0", "numbers", WRITTEN,
            lambda t, w: t.put(label=w.truth > 1, prediction=(w.guess > 1).astype(int))),
    Mistake("a blank and a capital in half of the labels", "names", WRITTEN,
            lambda t, w: t.put(label=_untidy(w))),
    Mistake("label and prediction swapped", "names", "swap|exchang",
            lambda t, w: t.put(label=named(w.guess), prediction=named(w.truth)), shown=True),
    Mistake("the label copied as prediction", "names", f"every|all .*right|copy|same|no(thing)? .*wrong|{APART}",
            lambda t, w: t.put(prediction=named(w.truth))),
    Mistake("predictions cut to three letters", "names", WRITTEN,
            lambda t, w: t.put(prediction=named(w.guess).astype("U3"))),
    Mistake("accents in two forms of Unicode", "names", f"{WRITTEN}|unicode|accent",
            lambda t, w: t.put(label=_decomposed(w.truth), prediction=[f"é{name}" for name in named(w.guess)])),
    Mistake("b'cat' for cat", "names", f"{WRITTEN}|bytes",
            lambda t, w: t.put(prediction=[str(name.encode()) for name in named(w.guess)])),
    Mistake("None as text for missing predictions", "names", "'None'|missing",
            lambda t, w: t.put(prediction=w.some("None", named(w.guess)))),
    Mistake("nan as text for missing labels", "names", "missing",
            lambda t, w: t.put(label=w.some("nan", named(w.truth)))),
    Mistake("a class that Excel turned into a date", "names", f"{WRITTEN}|date",
            lambda t, w: t.put(label=named(w.truth, _excel("1-Mar")), prediction=named(w.guess, _excel("MARCH1")))),
    Mistake("label_x and label_y of a merge", "names", "label_x|suffix|merge",
            lambda t, w: t.put(label=None, label_x=named(w.truth), label_y=named(w.truth))),
    Mistake("predictions merged by a key that two rows share", "names", "repeat an id|occurs before", _merged_twice),
    Mistake("a line of column names inside the file", "names", "header|column names|names of (the )?columns",
            lambda t, w: replace(t, edit=_header_inside)),
    Mistake("the last line cut off", "names", "last (line|row)|is missing|cut",
            lambda t, w: replace(t, edit=lambda text: text[: text.rindex("s0239") + 10])),
    Mistake("a byte order mark", "names", "byte order",
            lambda t, w: replace(t, edit=lambda text: f"\ufeff{text}")),
    Mistake("a folder that rows were sorted into by their outcome", "names", "sorted_into",
            lambda t, w: t.put(sorted_into=np.where(w.wrong, "check " + named(w.truth), "done"))),
    Mistake("a tag that most often is the prediction", "names", "'tag'",
            lambda t, w: t.put(tag=np.where(w.rng.random(len(w.guess)) < 0.05, "other", named(w.guess)))),
    Mistake("probabilities given to LossTable as logits", "names", "softmax|logits|probabilit|flat|sum",
            lambda t, w: _recorded(t, w, w.truth >= 0, w.truth, logits=w.probabilities)),
    Mistake("labels from 1 given to LossTable, the last class left out as a message advises", "names", CODES,
            lambda t, w: _recorded(t, w, w.truth < 3, w.truth + 1, logits=w.logits)),
]  # fmt: skip
