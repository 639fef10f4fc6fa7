"""Roles of a table's columns, and how to read them, as the user may name them.

This file imports nothing heavy, so that the command line can build its options from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, cast

from core.annotations import check_made

LOSS_KINDS = (
    "cross-entropy",
    "brier",
    "margin",
    "0/1 error",
    "squared error",
    "absolute error",
    "1 - Dice",
    "1 - IoU",
    "entropy",
)


NOT_COLUMNS = ("loss_kind", "higher_is_better", "class_names", "modality", "as_is")
"""Fields of `Roles` on how to read columns, which name no column."""


SEVERAL = ("texts", "probabilities", "logits", "conditions", "class_names")
"""Fields of `Roles` that take several names."""


BY_NAMES = "names"
BY_ORDER = "order"
NOT_RELATED = "none"
RELATIONS = (BY_NAMES, BY_ORDER, NOT_RELATED)
"""What `Roles.group` may say where no column names related rows; a column of that name comes first."""


READ = "read"
"""Key of `Diagnosis.extras`: by role, the columns that the run was read from, named or recognized."""
COLUMNS = "columns"
"""Key of `Diagnosis.extras`: by role, the columns that the user named for the run (`Roles.named`); absent where all
were recognized."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Role of each column. None or () means: recognize it by the usual names."""

    id: str | None = None
    """Id of each row; without it, the image's path or the row's number."""
    image: str | None = None
    """Paths of the images inside the archive or folder, or the images themselves."""
    texts: tuple[str, ...] = ()
    """Columns of the text that the model read; several are joined, a line each."""
    loss: str | None = None
    """Larger is worse, unless `higher_is_better`."""
    label: str | None = None
    """The true class, as a number or a name."""
    probabilities: tuple[str, ...] = ()
    """One array column, or one column for each class; a star stands for any text, as in "prob_*"."""
    logits: tuple[str, ...] = ()
    """Scores before the softmax, as `probabilities`."""
    prediction: str | None = None
    """The predicted class, or the predicted number in a regression."""
    target: str | None = None
    """The numeric truth of a regression; its prediction is `prediction`."""
    masks: tuple[str, str] | None = None
    """(true mask, predicted mask): paths to image files, or array columns."""
    group: str | None = None
    """Column of related rows, like those of one patient, video or source: never split. Without such a column: "names"
    (related by file names), "order" (by the table's order) or "none" (all rows are separate samples)."""
    split: str | None = None
    """"train", "test" and the like: stored with each row; a note warns of training data."""
    embedding: str | None = None
    """A vector for each row, in place of an encoder's."""
    loss_kind: str | None = None
    """One of `LOSS_KINDS`, like "0/1 error" or "squared error". With a loss column it names what the column holds;
    otherwise what to compute."""
    higher_is_better: bool = False
    """The loss column is a score: it is negated, and Outcomes.source notes it."""
    conditions: tuple[str, ...] = ()
    """Columns that look like model outputs but are to be tested as conditions."""
    class_names: tuple[str, ...] = ()
    """The order of the classes in an array column, or in probability columns whose names do not give it."""

    modality: str | None = None
    """Type of the files where their names do not show it: "clip" reads animated images as clips."""
    as_is: bool = False
    """Accept a table that looks odd: checks that would stop the reading (`core.data.desk`) become notes."""

    def __post_init__(self) -> None:
        for field in SEVERAL:
            name = getattr(self, field)
            if isinstance(name, str):  # a single name is a list of one, not of its letters
                object.__setattr__(self, field, (name,))
        check_made(self)

    def named(self) -> dict[str, tuple[str, ...]]:
        """The columns that the user named, by role."""
        columns = dict[str, tuple[str, ...]]()
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in NOT_COLUMNS and value not in (None, ()):
                columns[field.name] = (value,) if isinstance(value, str) else tuple(value)
        return columns

    def or_of_run(self, extras: Mapping[str, Any]) -> Roles:
        """Fill in id, image, masks and group, where they are not named here, from those named for a run.

        Args:
            extras: the run's; values that are not column names are ignored, since the run may have been altered.
        """
        columns = extras.get(COLUMNS)
        if not isinstance(columns, Mapping):
            return self
        run_roles = dict[str, Any]()
        for role, n in (("id", 1), ("image", 1), ("group", 1), ("masks", 2)):
            names: Any = cast("Mapping[str, Any]", columns).get(role)
            if getattr(self, role) is not None or not isinstance(names, list | tuple) or len(names) != n:
                continue
            if all(isinstance(name, str) for name in names):
                run_roles[role] = tuple(names) if role == "masks" else names[0]
        return replace(self, **run_roles)


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MODEL_WORD = re.compile(
    r"(pred|preds|predicted|predictions?|prob|probs|proba|probas|probability|probabilities|logits?|logprobs?|softmax|loss|losses|nll"
    r"|err|errs|errors?|scores?|conf|confs|confidences?|correct|incorrect|wrong|yhat)\d*"
)


@lru_cache(2**15)
def snake_case(name: str) -> str:
    """The name in lower case, its words joined by "_": "PredClass" and "pred class" both give "pred_class"."""
    return re.sub(r"[^a-z0-9]+", "_", _CAMEL.sub("_", name).lower()).strip("_")


def is_model_output(name: str) -> bool:
    """Whether the name is that of a model output: one of its words is pred, prob, logit, loss, err, score, conf, ..."""
    words = snake_case(name).split("_")
    return any(_MODEL_WORD.fullmatch(word) for word in words) or words[:2] == ["y", "hat"]


def columns_read(extras: Mapping[str, Any]) -> Mapping[str, Any]:
    """The columns by role that a run with these extras was read from, as in `core.data.samples.DataSet.read`; {} where
    unknown."""
    columns = extras.get(READ)
    if not isinstance(columns, Mapping):
        return {}
    return cast("Mapping[str, Any]", columns)
