"""What the user may say about a table: which column plays which part, and how much may be read.

This file imports nothing heavy, so that the command line can build its options from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, cast

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
"""Fields of `Roles` that say how to read columns, and name none."""


SEVERAL = ("texts", "probabilities", "logits", "conditions", "class_names")
"""Fields of `Roles` that take several names."""


READ = "read"
"""Key of `Diagnosis.extras`: by role, the columns that the run was read from, named or recognized."""
COLUMNS = "columns"
"""Key of `Diagnosis.extras`: by role, the columns that were named when the run was made (`Roles.named`); absent where
all were recognized."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column plays which part. None or () means: recognize it by the usual names."""

    id: str | None = None
    """What each row is known by; where there is none, the image's path or the row's number."""
    image: str | None = None
    """Paths of the images inside the archive or folder, or the images themselves."""
    texts: tuple[str, ...] = ()
    """Columns of the text that the model read; the texts of several follow one another, a line each."""
    loss: str | None = None
    """Larger is worse, unless `higher_is_better`."""
    label: str | None = None
    """The true class, as a number or a name."""
    probabilities: tuple[str, ...] = ()
    """One array column, or one column for each class; a star stands for any text, as in "prob_*"."""
    logits: tuple[str, ...] = ()
    """Scores before the softmax, as `probabilities`."""
    prediction: str | None = None
    """The class that the model names, or its number in a regression."""
    target: str | None = None
    """The numeric truth of a regression; its prediction is `prediction`."""
    masks: tuple[str, str] | None = None
    """(true mask, predicted mask): paths to image files, or array columns."""
    group: str | None = None
    """Patient, video or source: rows of one group are kept together."""
    split: str | None = None
    """"train", "test" and the like: kept with each row, and warned of where rows are training data."""
    embedding: str | None = None
    """A vector for each row, in place of an encoder's."""
    loss_kind: str | None = None
    """One of `LOSS_KINDS`, such as "0/1 error" or "squared error". With a loss column it says what the column
    holds; otherwise what to compute."""
    higher_is_better: bool = False
    """The loss column is a score: it is negated, and Outcomes.source says so."""
    conditions: tuple[str, ...] = ()
    """Columns that look like model outputs but are wanted as conditions all the same."""
    class_names: tuple[str, ...] = ()
    """The order of the classes in an array column, or in probability columns whose names don't say it."""

    modality: str | None = None
    """What the files are where their names do not say it: "clip" takes animated images for clips."""
    as_is: bool = False
    """The table is right, however odd it looks: what would stop the reading (`core.data.desk`) becomes a note."""

    def __post_init__(self) -> None:
        for field in SEVERAL:
            if isinstance(name := getattr(self, field), str):  # one name is a list of one, and not of its letters
                object.__setattr__(self, field, (name,))

    def named(self) -> dict[str, tuple[str, ...]]:
        """The columns that the user named, by role."""
        columns = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in NOT_COLUMNS}
        return {role: (c,) if isinstance(c, str) else tuple(c) for role, c in columns.items() if c not in (None, ())}

    def or_of_run(self, extras: Mapping[str, Any]) -> Roles:
        """With id, image, masks and group as they were named for a run, where they are not named here.

        Args:
            extras: the run's; what does not read as names of columns is passed over, since the run may have been
                altered.
        """
        said = extras.get(COLUMNS)
        kept = cast("Mapping[str, Any]", said) if isinstance(said, Mapping) else {}
        found = dict[str, Any]()
        for role, n in (("id", 1), ("image", 1), ("group", 1), ("masks", 2)):
            names = cast("Sequence[Any]", kept.get(role) if isinstance(kept.get(role), list | tuple) else ())
            if getattr(self, role) is None and len(names) == n and all(isinstance(name, str) for name in names):
                found[role] = tuple(names) if role == "masks" else names[0]
        return replace(self, **found)


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
    """Whether the name says that a model wrote the column: one of its words is pred, prob, logit, loss, err, score,
    conf, ..."""
    words = snake_case(name).split("_")
    return any(_MODEL_WORD.fullmatch(word) for word in words) or words[:2] == ["y", "hat"]


def columns_read(extras: Mapping[str, Any]) -> Mapping[str, Any]:
    """As `core.data.samples.DataSet.read`, of a run with these extras; empty where it does not say."""
    said = extras.get(READ)
    return cast("Mapping[str, Any]", said) if isinstance(said, Mapping) else {}
