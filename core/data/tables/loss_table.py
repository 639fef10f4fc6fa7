"""Write the table that Errata reads while a model is evaluated."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.annotations import check_arguments
from core.data.tables.batches import BatchScores, column, common_length, numbers, scores_of, texts, vector
from core.errors import InvalidInput, printable, quoted
from core.files import as_path, replacing
from core.records import I64

if TYPE_CHECKING:
    import pandas as pd

COLUMN_ARGUMENTS = {
    "id": "ids",
    "label": "labels",
    "prediction": "predictions",
    "loss": "losses",
    "regression_target": "targets",
}
"""Columns of the table, and the arguments of `LossTable.record` that fill them."""


class LossTable:
    """One row for each sample of an evaluation: id, label, prediction, loss, and whatever else is recorded.

    Values may be numpy arrays, tensors of torch (on any device, in any precision), TensorFlow or JAX, or lists.
    `errata.diagnose` takes the table as it is, and the file that `save` writes.

    Args:
        ids: ids of all samples in recording order, like the paths of their files; `record` then needs none.
        class_names: names of the classes in the order of the scores; labels and predictions are written by name.
        scores: also write the probability of each class, a column "prob_<class>" each.

    Example:
        >>> table = LossTable(class_names=("cat", "dog"))
        >>> table.record(["a.png", "b.png"], [0, 1], logits=[[2.0, 0.0], [1.0, 0.0]], camera=["left", "right"])
        >>> table.to_pandas().round(2)
              id label prediction  cross_entropy camera
        0  a.png   cat        cat           0.13   left
        1  b.png   dog        cat           1.31  right
    """

    def __init__(
        self, ids: Iterable[Any] | None = None, *, class_names: Sequence[Any] = (), scores: bool = False
    ) -> None:
        check_arguments(LossTable, ids, class_names=class_names, scores=scores)
        self.class_names = tuple(texts(class_names, "class_names"))
        twice = sorted({name for name in self.class_names if self.class_names.count(name) > 1})
        if twice:
            raise InvalidInput(f"Class names must differ: {quoted(*twice)} occurs twice. Rename one.")
        self.scores = scores
        self._known_ids = None if ids is None else texts(ids)
        self._columns: dict[str, list[Any]] = {}
        self._seen: set[str] = set()
        self._like_probabilities = True

    def __len__(self) -> int:
        return len(self._seen)

    def record(
        self,
        ids: Any = None,
        labels: Any = None,
        *,
        logits: Any = None,
        probabilities: Any = None,
        losses: Any = None,
        predictions: Any = None,
        targets: Any = None,
        **columns: Any,
    ) -> None:
        """Add the n samples of a batch.

        Args:
            ids: (n,) id of each sample, best the path of its file. None takes the next of the ids passed at the start,
                or else numbers the samples.
            labels: (n,) true classes, as numbers or names.
            logits: (n, k), or (n,) for two classes: scores before softmax or sigmoid.
            probabilities: (n, k), or (n,) for two classes, in place of logits.
            losses: (n,) larger is worse (`reduction="none"`). None takes the cross-entropy, in nats, of labels and
                scores; with labels and predictions alone the loss is computed when the table is read.
            predictions: (n,) None takes the class of the highest score.
            targets: (n,) true numbers of a regression, with `predictions`, in place of labels.
            columns: (n,) metadata that may explain a failure (`text=`, `patient=`), (n, d) vectors (`embedding=`), n
                images of PIL, encoded, or as arrays (`image=`), or one value for all.

        Raises:
            InvalidInput: lengths or shapes differ, an id occurs twice, a label is not one of the classes, or nothing
                gives a loss. Nothing of the batch is then recorded.
        """
        scores = scores_of(logits, probabilities)
        known = {"labels": labels, "predictions": predictions, "losses": losses, "targets": targets}
        arrays = {name: vector(value, name) for name, value in known.items() if value is not None}
        _check_loss(arrays, scores, columns)
        more = {name: column(value, name) for name, value in columns.items()}
        names = None if ids is None else texts(ids)
        if scores is None:
            n = common_length(ids=names, **arrays, **more)
        else:
            n = common_length(ids=names, scores=scores.values, **arrays, **more)
            self._check_scores(scores, n)
        new = {"id": self._ids(names, n), **self._measured(arrays, scores)}
        both = [name for name in more if name in new]
        if both:
            raise InvalidInput(f"The table writes {quoted(*both)} itself. Rename the column you record.")
        for name, values in more.items():
            new[name] = values if isinstance(values, list) else [values] * n
        self._add(new)

    def to_pandas(self) -> pd.DataFrame:
        """A row for each sample, in the order in which they were recorded.

        Raises:
            InvalidInput: nothing was recorded.
        """
        import pandas as pd

        if not self._seen:
            raise InvalidInput("The table is empty. Call record for each batch.")
        try:
            return pd.DataFrame(self._columns)
        except UnicodeEncodeError as error:
            raise InvalidInput(f"A text of the table is not valid UTF-8: {error}. Record it as UTF-8.") from error

    def save(self, path: str | Path) -> Path:
        """Write the table, whole or not at all, and return its path.

        Args:
            path: .csv or .parquet.

        Raises:
            InvalidInput: another ending, nothing was recorded, or the file cannot be written.
        """
        path = as_path(path)
        ending = path.suffix.lower()
        if ending not in (".csv", ".parquet"):
            raise InvalidInput(f"A LossTable is saved as .csv or .parquet: got {path.name!r}. Rename it.")
        frame = self.to_pandas()
        pictures = [name for name, values in self._columns.items() if any(isinstance(each, bytes) for each in values)]
        if pictures and ending == ".csv":
            raise InvalidInput(f"A CSV cannot hold the images in {quoted(*pictures)}. Save the table as .parquet.")
        if ending == ".csv":
            self._check_missing()
        with replacing(path) as part:
            try:
                if path.suffix.lower() == ".parquet":
                    frame.to_parquet(part, index=False)
                else:
                    frame.to_csv(part, index=False, quoting=csv.QUOTE_NONNUMERIC)
            except (ValueError, TypeError, OverflowError, NotImplementedError) as error:  # pyarrow's are of these
                why = str(error)
                if error.args and not isinstance(error, UnicodeError):
                    why = ", ".join(map(str, error.args))
                raise InvalidInput(
                    f"Cannot write {path.name}: {printable(why)[:300]}. "
                    "Record one type of value in each column, and texts in UTF-8."
                ) from error
        return path

    @classmethod
    def joined(cls, parts: Sequence[LossTable], ids: Sequence[str] | None = None) -> LossTable:
        """Join the tables of an evaluation on several devices: first row of each, then second, and so on, the order in
        which torch's `DistributedSampler` deals samples out.

        Args:
            parts: the table of each device, in the devices' order.
            ids: (n,) ids of all samples in order, where the parts only number theirs; samples after the last are
                padding and left out. None: the parts have their own ids, and the first row of each id stays.

        Raises:
            InvalidInput: there are not as many samples as ids, or the parts' columns differ.
        """
        check_arguments(cls.joined, parts, ids)
        parts = list(parts)
        if not parts:
            raise InvalidInput("No table to join. Pass the table of each device.")
        order = list[tuple[LossTable, int]]()
        for k in range(max(map(len, parts))):
            order += [(part, k) for part in parts if k < len(part)]
        columns = [list(part._columns) for part in parts if len(part)] or [["id"]]
        for names in columns:
            if set(names) != set(columns[0]):
                raise InvalidInput(
                    f"Every device must record the same columns: one has {quoted(*columns[0])}, another "
                    f"{quoted(*names)}. Record the same in each batch."
                )
        if ids is None:
            first: dict[str, tuple[LossTable, int]] = {}
            for part, k in order:
                first.setdefault(part._columns["id"][k], (part, k))
            ids = list(first)
            order = list(first.values())
        ids = list(ids)
        if not len(ids) <= len(order) < len(ids) + len(parts):
            raise InvalidInput(
                f"{len(ids):,} ids at the start, but {len(order):,} samples recorded on {len(parts)} devices. "
                "Pass one id per sample."
            )
        table = cls(class_names=parts[0].class_names, scores=parts[0].scores)
        values = {name: [part._columns[name][k] for part, k in order[: len(ids)]] for name in columns[0]}
        table._add(values | {"id": ids})
        return table

    def _check_scores(self, scores: BatchScores, n: int) -> None:
        """Refuse scores that do not fit the class names, and probabilities that were recorded as logits."""
        if self.class_names and scores.k != len(self.class_names):
            raise InvalidInput(f"{len(self.class_names)} class names for {scores.k} scores. Pass one name per score.")
        if scores.are_logits:
            like = self._like_probabilities and scores.like_probabilities()
            if like and len(self) + n > 1:  # one row may sum to 1 by chance
                raise InvalidInput(
                    f"logits look like probabilities: all {len(self) + n:,} rows sum to 1. Record them as "
                    "probabilities=. If they are logits, record losses= and predictions=."
                )
            self._like_probabilities = like

    def _check_missing(self) -> None:
        """Refuse an id, label or prediction that reads as a missing value in a CSV."""
        from core.data.tables.delimited import MISSING

        for name in ("id", "label", "prediction"):
            for value in self._columns.get(name, ()):
                if isinstance(value, str) and value in MISSING:
                    raise InvalidInput(
                        f"In a CSV the {name} {value!r} means a missing value. Save the table as .parquet."
                    )

    def _ids(self, names: list[str] | None, n: int) -> list[str]:
        """(n,) ids of the batch, all of them new."""
        first = len(self)
        if names is None:
            names = [str(first + row) for row in range(n)]
            if self._known_ids is not None:
                names = self._known_ids[first : first + n]
        if len(names) < n:
            raise InvalidInput(
                f"{len(self._known_ids or ()):,} ids at the start, but samples {first + 1:,} to {first + n:,} are "
                "recorded. Pass one id per sample, and use a new LossTable for each pass."
            )
        seen = set(names)
        if len(seen) < n or not seen.isdisjoint(self._seen):
            before = set(self._seen)
            again = next(name for name in names if name in before or before.add(name))
            raise InvalidInput(
                f"The id {again!r} was recorded twice: each sample has one row. "
                "Pass unique ids, and use a new LossTable for each pass over the data."
            )
        return names

    def _measured(self, arrays: dict[str, npt.NDArray[Any]], scores: BatchScores | None) -> dict[str, list[Any]]:
        """Columns of label, prediction, loss and scores, as far as they are known."""
        new: dict[str, list[Any]] = {}
        truth = None
        k = len(self.class_names)
        if scores is not None:
            k = scores.k
        if "labels" in arrays:
            truth, new["label"] = self._classes(arrays["labels"], "labels", k)
        if "targets" in arrays:
            new["regression_target"] = numbers(arrays["targets"], "targets").tolist()
        if "predictions" in arrays:
            new["prediction"] = self._classes(arrays["predictions"], "predictions", k)[1]
        elif scores is not None:
            new["prediction"] = [None if c < 0 else self._written_class(c) for c in scores.best().tolist()]
        if "losses" in arrays:
            new["loss"] = numbers(arrays["losses"], "losses").tolist()
        elif scores is not None and truth is not None:
            new["cross_entropy"] = scores.cross_entropy(truth).tolist()
        if self.scores and scores is not None:
            shown = scores.probabilities()
            new |= {f"prob_{self._written_class(c)}": shown[:, c].tolist() for c in range(scores.k)}
        return new

    def _written_class(self, number: int) -> str | int:
        return self.class_names[number] if self.class_names else number

    def _classes(self, values: npt.NDArray[Any], what: str, k: int) -> tuple[I64 | None, list[Any]]:
        """(numbers of the k classes, None without known classes; the value to write for each)."""
        written = values.tolist()
        words = values.dtype.kind in "OUST"
        if k == 0:
            return None, written
        next_step = "Leave these samples out."
        if not words:
            whole = numbers(values, what)
            if len(whole) and whole.min() >= 1 and whole.max() == k:
                next_step = "If they count from 1, subtract 1."
            codes = np.where(whole == np.round(whole), np.nan_to_num(whole), -1).astype(np.int64)
        elif self.class_names:
            code_of_name = {name: number for number, name in enumerate(self.class_names)}
            codes = np.array([code_of_name.get(str(name), -1) for name in written], np.int64)
        elif what == "predictions":
            return None, written
        else:
            raise InvalidInput(
                f"Labels are names ({quoted(*written, most=3)}), so the order of the scores is unknown. "
                "Use LossTable(class_names=[...])."
            )
        bad = np.flatnonzero((codes < 0) | (codes >= k))
        if len(bad):
            classes = quoted(*self.class_names) if self.class_names else f"0 to {k - 1}"
            raise InvalidInput(
                f"The {what} must be one of the {k} classes {classes}: got {written[int(bad[0])]!r}. {next_step}"
            )
        return codes, [self._written_class(number) for number in codes.tolist()]

    def _add(self, new: dict[str, list[Any]]) -> None:
        if self._columns and set(new) != set(self._columns):
            raise InvalidInput(
                f"Every batch must have the same columns: the first has {quoted(*self._columns)}, "
                f"this one {quoted(*new)}. Record the same in each batch."
            )
        for name, values in new.items():
            self._columns.setdefault(name, []).extend(values)
        self._seen.update(new["id"])


def _check_loss(arrays: dict[str, npt.NDArray[Any]], scores: BatchScores | None, columns: dict[str, Any]) -> None:
    for name, instead in COLUMN_ARGUMENTS.items():
        if name in columns:
            raise InvalidInput(f"LossTable.record takes {instead}=, one per sample of a batch: got {name}=.")
    if "targets" in arrays:
        if "predictions" not in arrays or "labels" in arrays or scores is not None:
            raise InvalidInput(
                "targets are numbers and go with predictions alone. Record classes as labels, without targets."
            )
    elif "losses" not in arrays and not ("labels" in arrays and (scores is not None or "predictions" in arrays)):
        raise InvalidInput(
            "The batch has no loss. Record losses, or labels with logits, probabilities, or predictions."
        )
