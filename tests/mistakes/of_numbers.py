"""Mistakes with losses alone, with regressions, and with texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from tests.mistakes.judging import Mistake
from tests.mistakes.right import Brought, World
from tests.mistakes.words import APART, CODES, REPEATED, SCALE, SENTINEL, WRITTEN


def _batches(loss: Any, how: Literal["mean", "sum"]) -> Any:
    return pd.Series(loss).groupby(np.arange(len(loss)) // 16).transform(how)


def _semicolons(text: str) -> str:
    """As Excel writes in most of Europe; a whole number has no decimals."""
    rows = [line.split(",") for line in text.splitlines()]
    return "\n".join(";".join([row[0], *(cell.replace(".", ",") for cell in row[1:])]) for row in rows) + "\n"


def _whole(**columns: Any) -> dict[str, list[str]]:
    """Numbers as a spreadsheet shows them, the first a whole one."""
    return {
        name: [f"{round(v) if i == 5 else v:.9g}" for i, v in enumerate(column)] for name, column in columns.items()
    }


def _two_epochs(t: Brought, w: World) -> Brought:
    assert t.frame is not None
    early = t.frame.assign(loss=w.loss * 0.5 + w.rng.exponential(0.9, len(w.loss)))
    return replace(t, frame=pd.concat([early, t.frame], ignore_index=True))


def _dates(codes: Any) -> list[str]:
    """ "3-1" becomes the 1st of March."""
    return ["2024-{:0>2}-{:0>2}".format(*code.split("-")) for code in codes]


def _changed(column: str, change: Callable[[Any], Any]) -> Callable[[Brought, World], Brought]:
    return lambda t, w: t.put(**{column: change(t.values(column))})


def _rounded(t: Brought, w: World) -> Brought:
    whole = {name: np.round(t.values(name)).astype(int) for name in ("target", "prediction")}
    return t.put(target=None, y_true=whole["target"], prediction=whole["prediction"])


def _negative_error(t: Brought, w: World) -> Brought:
    error = t.values("target") - t.values("prediction")
    return replace(t.put(neg_mean_squared_error=-(error**2)), options="--loss neg_mean_squared_error")


MISTAKES = [
    Mistake("accuracy alone called loss", "losses", "accuracy|0 and 1",
            lambda t, w: t.put(loss=(~w.wrong).astype(int)), shown=True),
    Mistake("the logarithm of the loss", "losses", "log|negative",
            lambda t, w: t.put(loss=np.log(w.loss)), shown=True),
    Mistake("-999 for missing losses", "losses", f"{SENTINEL}|-999",
            lambda t, w: t.put(loss=w.some(-999, w.loss))),
    Mistake("9999 for missing losses", "losses", f"{SENTINEL}|9,?999",
            lambda t, w: t.put(loss=w.some(9999, w.loss))),
    Mistake("commas between thousands", "losses", "thousand|comma|largest|worst",
            lambda t, w: t.put(loss=[f"{1000 * v:,.2f}" for v in w.loss])),
    Mistake("infinite where float16 ends", "losses", "infinite",
            lambda t, w: t.put(loss=np.where(w.loss > 2.5, np.inf, w.loss))),
    Mistake("the mean of the batch", "losses", REPEATED,
            lambda t, w: t.put(loss=_batches(w.loss, "mean"))),
    Mistake("the sum of the batch", "losses", REPEATED,
            lambda t, w: t.put(loss=_batches(w.loss, "sum"))),
    Mistake("row numbers as loss", "losses", "row number|count|order|step",
            lambda t, w: t.put(loss=np.arange(len(w.loss)))),
    Mistake("decimal commas in quotes", "losses", "comma",
            lambda t, w: t.put(loss=[f"{v:.6f}".replace(".", ",") for v in w.loss])),
    Mistake("decimal commas beside whole numbers", "losses", "comma",
            lambda t, w: replace(t.put(**_whole(loss=w.loss, size=t.values("size"))), edit=_semicolons)),
    Mistake("percent signs", "losses", "%|percent|number",
            lambda t, w: t.put(loss=[f"{100 * v:.1f}%" for v in w.loss])),
    Mistake("losses of two epochs", "losses", "repeat an id|occurs before", _two_epochs),
    Mistake("ids that Excel cut to 1.23E+11", "losses", "repeat an id|1.23E",
            lambda t, w: t.put(id=[f"{123_000_000_000 + 10_000_000 * i:.2E}" for i in range(len(w.loss))])),
    Mistake("codes that Excel turned into dates", "losses", "date", _changed("site", _dates)),
    Mistake("targets standardized, predictions not", "regression", SCALE,
            _changed("target", lambda v: (v - v.mean()) / v.std())),
    Mistake("milligrams against grams", "regression", SCALE, _changed("prediction", lambda v: 1000 * v)),
    Mistake("logarithms as predictions", "regression", SCALE, _changed("prediction", np.log)),
    Mistake("dots between thousands", "regression", f"thousand|dot|decimal|{SCALE}",
            _changed("target", lambda values: [f"{v:,.0f}".replace(",", ".") for v in values])),
    Mistake("-999 for missing targets", "regression", f"{SENTINEL}|-999",
            lambda t, w: t.put(target=w.some(-999, t.values("target")))),
    Mistake("predictions of other rows", "regression", SCALE,
            lambda t, w: t.put(prediction=t.values("prediction")[w.other_rows()])),
    Mistake("the sign of the prediction", "regression", f"sign|negat|{SCALE}", _changed("prediction", np.negative)),
    Mistake("whole numbers read as classes", "regression", "class|regression|target|numbers", _rounded),
    Mistake("neg_mean_squared_error as loss", "regression", f"sign|negat|higher|score|{SCALE}", _negative_error),
    Mistake("LABEL_0 for negative", "texts", WRITTEN,
            _changed("prediction", lambda v: np.where(v == "negative", "LABEL_0", "LABEL_1"))),
    Mistake("negative and positive exchanged", "texts", f"swap|revers|exchang|{CODES}|{APART}",
            _changed("prediction", lambda v: np.where(v == "negative", "positive", "negative"))),
    Mistake("commas in texts without quotes", "texts", "quotes|columns|cells",
            lambda t, w: replace(t, edit=lambda text: text.replace('"', ""))),
]  # fmt: skip
