"""The table that Errata reads, written while a model is evaluated."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.data.tables.batches import BatchScores, column, numbers, one_length, scores_of, texts, vector
from core.errors import InvalidInput, printable, quoted
from core.files import replacing
from core.records import I64

if TYPE_CHECKING:
    import pandas as pd

SINGULAR = {"id": "ids", "label": "labels", "prediction": "predictions", "loss": "losses"}
"""Columns of the table, and the arguments of `LossTable.record` that fill them."""


class LossTable:
    """One row for each sample of an evaluation: id, label, prediction, loss, and whatever else is recorded.

    Values may be numpy arrays, tensors of torch (on any device, in any precision), TensorFlow or JAX, or lists.
    `errata.diagnose` takes the table as it is, and the file that `save` writes.

    Args:
        ids: of all samples in the order in which they will be recorded, such as the paths of their files; `record`
            then needs none.
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
        self.class_names = tuple(texts(class_names, "class_names"))
        if twice := sorted({name for name in self.class_names if self.class_names.count(name) > 1}):
            raise InvalidInput(f"Each class has a name of its own: {quoted(*twice)} comes twice. Rename one.")
        self.scores = scores
        self._given = None if ids is None else texts(ids)
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
        **columns: Any,
    ) -> None:
        """Add the n samples of a batch.

        Args:
            ids: (n,) what each sample is known by, best the path of its file. None takes the next of the ids given
                at the start, or else numbers the samples.
            labels: (n,) true classes, as numbers or names; or numeric targets, with `predictions`.
            logits: (n, k), or (n,) for two classes: scores before softmax or sigmoid.
            probabilities: (n, k), or (n,) for two classes, in place of logits.
            losses: (n,) larger is worse (`reduction="none"`). None takes the cross-entropy, in nats, of labels and
                scores; with labels and predictions alone the loss is found when the table is read.
            predictions: (n,) None takes the class of the highest score.
            columns: (n,) metadata that may explain a failure (`text=`, `patient=`), (n, d) vectors (`embedding=`), n
                images of PIL, encoded, or as arrays (`image=`), or one value for all.

        Raises:
            InvalidInput: lengths or shapes differ, an id occurs twice, a label is none of the classes, or there is
                nothing to take a loss from. Nothing of the batch is then recorded.
        """
        scores = scores_of(logits, probabilities)
        known = {"labels": labels, "predictions": predictions, "losses": losses}
        arrays = {name: vector(value, name) for name, value in known.items() if value is not None}
        _check_loss(arrays, scores, columns)
        more = {name: column(value, name) for name, value in columns.items()}
        names = None if ids is None else texts(ids)
        n = one_length(ids=names, scores=None if scores is None else scores.values, **arrays, **more)
        if scores is not None and self.class_names and scores.k != len(self.class_names):
            raise InvalidInput(f"There are {len(self.class_names)} class names and {scores.k} scores. Give one each.")
        if scores is not None and scores.are_logits:
            like = self._like_probabilities and scores.like_probabilities()
            if like and len(self) + n > 1:  # one row may sum to 1 by chance
                raise InvalidInput(
                    f"logits are at least 0 and sum to 1 in all {len(self) + n:,} rows, as probabilities do: a softmax "
                    "would flatten them. Record them as probabilities=; of true logits record losses= and predictions=."
                )
            self._like_probabilities = like
        new = {"id": self._ids(names, n), **self._measured(arrays, scores)}
        if both := [name for name in more if name in new]:
            raise InvalidInput(f"{quoted(*both)} is a column that the table makes itself. Rename what you record.")
        self._add(new | {name: values if isinstance(values, list) else [values] * n for name, values in more.items()})

    def to_pandas(self) -> pd.DataFrame:
        """A row for each sample, in the order in which they were recorded.

        Raises:
            InvalidInput: nothing was recorded.
        """
        import pandas as pd

        if not self._seen:
            raise InvalidInput("The table is empty: nothing was recorded. Call record for each batch.")
        try:
            return pd.DataFrame(self._columns)
        except UnicodeEncodeError as error:
            raise InvalidInput(f"A text of the table is no whole text: {error}. Record it as UTF-8.") from error

    def save(self, path: str | Path) -> Path:
        """Write the table, whole or not at all, and return where.

        Args:
            path: .csv or .parquet.

        Raises:
            InvalidInput: another ending, nothing was recorded, or the file cannot be written.
        """
        path = Path(path)
        if (ending := path.suffix.lower()) not in (".csv", ".parquet"):
            raise InvalidInput(f"A LossTable is saved as .csv or .parquet: got {path.name!r}. Name it so.")
        frame = self.to_pandas()
        pictures = [name for name, values in self._columns.items() if any(isinstance(each, bytes) for each in values)]
        if pictures and ending == ".csv":
            raise InvalidInput(f"{quoted(*pictures)} holds images, which no CSV can. Save the table as .parquet.")
        if ending == ".csv":
            self._check_missing()
        with replacing(path) as part:
            _write(frame, part, path)
        return path

    @classmethod
    def joined(cls, parts: Sequence[LossTable], ids: Sequence[str] | None = None) -> LossTable:
        """The table of an evaluation on several devices, of which the k-th rows follow each other, as torch's
        `DistributedSampler` deals samples out.

        Args:
            parts: that of each device, in the devices' order.
            ids: (n,) of all samples in their order, where the parts only number theirs; what follows the last was dealt
                out to fill up, and is left out. None: the parts have ids of their own, and the first row of each stays.

        Raises:
            InvalidInput: there are not as many samples as ids, or the parts' columns differ.
        """
        order = [(part, k) for k in range(max(map(len, parts))) for part in parts if k < len(part)]
        columns = [list(part._columns) for part in parts if len(part)] or [["id"]]
        if any(set(each) != set(columns[0]) for each in columns):
            raise InvalidInput(
                f"Every batch has the same columns. One device had {quoted(*columns[0])}, another others."
            )
        if ids is None:
            first: dict[str, tuple[LossTable, int]] = {}
            for part, k in order:
                first.setdefault(part._columns["id"][k], (part, k))
            ids = list(first)
            order = list(first.values())
        if not len(ids) <= len(order) < len(ids) + len(parts):
            raise InvalidInput(
                f"{len(ids):,} ids were given at the start, and {len(order):,} samples were recorded on {len(parts)} "
                "devices. Give as many ids as there are samples."
            )
        made = cls(class_names=parts[0].class_names, scores=parts[0].scores)
        values = {name: [part._columns[name][k] for part, k in order[: len(ids)]] for name in columns[0]}
        made._add(values | {"id": list(ids)})
        return made

    def _check_missing(self) -> None:
        """Refuse what a CSV could not give back as it was.

        Raises:
            InvalidInput: an id, label or prediction is a text that means a missing value in a CSV.
        """
        from core.data.tables.delimited import MISSING

        for name in ("id", "label", "prediction"):
            lost = next(
                (value for value in self._columns.get(name, ()) if isinstance(value, str) and value in MISSING), None
            )
            if lost is not None:
                raise InvalidInput(f"In a CSV the {name} {lost!r} means a missing value. Save the table as .parquet.")

    def _ids(self, names: list[str] | None, n: int) -> list[str]:
        """(n,) those of the batch, none of which was there before."""
        first = len(self)
        if names is None and self._given is not None:
            names = self._given[first : first + n]
            if len(names) < n:
                raise InvalidInput(
                    f"{len(self._given):,} ids were given at the start, and samples {first + 1:,} to {first + n:,} are "
                    "recorded. Give as many ids as there are samples, and make a new LossTable for each pass."
                )
        names = [str(first + row) for row in range(n)] if names is None else names
        seen = set(names)
        if len(seen) < n or not seen.isdisjoint(self._seen):
            before = set(self._seen)
            again = next(name for name in names if name in before or before.add(name))
            raise InvalidInput(
                f"The id {again!r} was recorded before; each sample has one row. Give ids that differ, and make a new "
                "LossTable for each pass over the data."
            )
        return names

    def _measured(self, arrays: dict[str, npt.NDArray[Any]], scores: BatchScores | None) -> dict[str, list[Any]]:
        """Label, prediction, loss and scores, as far as they are known."""
        new: dict[str, list[Any]] = {}
        truth = None
        k = len(self.class_names) if scores is None else scores.k
        if "labels" in arrays:
            truth, new["label"] = self._classes(arrays["labels"], "labels", k)
        if "predictions" in arrays:
            new["prediction"] = self._classes(arrays["predictions"], "predictions", k)[1]
        elif scores is not None:
            new["prediction"] = [None if c < 0 else self._said(c) for c in scores.best().tolist()]
        if "losses" in arrays:
            new["loss"] = numbers(arrays["losses"], "losses").tolist()
        elif scores is not None and truth is not None:
            new["cross_entropy"] = scores.cross_entropy(truth).tolist()
        if self.scores and scores is not None:
            shown = scores.probabilities()
            new |= {f"prob_{self._said(c)}": shown[:, c].tolist() for c in range(scores.k)}
        return new

    def _said(self, number: int) -> str | int:
        return self.class_names[number] if self.class_names else number

    def _classes(self, values: npt.NDArray[Any], what: str, k: int) -> tuple[I64 | None, list[Any]]:
        """(numbers of the k classes, None where there are none to choose from; what to write of each)."""
        said = values.tolist()
        words = values.dtype.kind in "OUST"
        if k == 0:
            return None, said
        from_one = False
        if not words:
            whole = numbers(values, what)
            from_one = bool(len(whole)) and whole.min() >= 1 and whole.max() == k
            found = np.where(whole == np.round(whole), np.nan_to_num(whole), -1).astype(np.int64)
        elif self.class_names:
            place = {name: number for number, name in enumerate(self.class_names)}
            found = np.array([place.get(str(name), -1) for name in said], np.int64)
        elif what == "predictions":
            return None, said
        else:
            raise InvalidInput(
                f"Labels are names ({quoted(*said, most=3)}), so the order of the scores is not known. "
                "Give it: LossTable(class_names=[...])."
            )
        bad = np.flatnonzero((found < 0) | (found >= k))
        if len(bad):
            classes = quoted(*self.class_names) if self.class_names else f"0 to {k - 1}"
            next_step = (
                "If they are counted from 1, subtract 1; else leave such samples out."
                if from_one
                else "Leave such samples out."
            )
            raise InvalidInput(
                f"The {what} must be of the {k} classes {classes}: got {said[int(bad[0])]!r}. {next_step}"
            )
        return found, [self._said(number) for number in found.tolist()]

    def _add(self, new: dict[str, list[Any]]) -> None:
        if self._columns and set(new) != set(self._columns):
            raise InvalidInput(
                f"Every batch has the same columns. The first had {quoted(*self._columns)}; "
                f"this one has {quoted(*new)}."
            )
        for name, values in new.items():
            self._columns.setdefault(name, []).extend(values)
        self._seen.update(new["id"])


def _write(frame: pd.DataFrame, part: Path, path: Path) -> None:
    try:
        if path.suffix.lower() == ".parquet":
            frame.to_parquet(part, index=False)
        else:
            frame.to_csv(part, index=False, quoting=csv.QUOTE_NONNUMERIC)
    except (ValueError, TypeError, OverflowError, NotImplementedError) as error:  # pyarrow's are of these
        why = ", ".join(map(str, error.args)) if error.args and not isinstance(error, UnicodeError) else str(error)
        raise InvalidInput(
            f"{path.name} cannot be written: {printable(why)[:300]}. Record values of one kind in each column, and "
            "texts that are UTF-8."
        ) from error


def _check_loss(arrays: dict[str, npt.NDArray[Any]], scores: BatchScores | None, columns: dict[str, Any]) -> None:
    for name, instead in SINGULAR.items():
        if name in columns:
            raise InvalidInput(f"LossTable.record takes {instead}=, one for each sample of a batch: got {name}=.")
    if "losses" not in arrays and not ("labels" in arrays and (scores is not None or "predictions" in arrays)):
        raise InvalidInput(
            "There is nothing to take a loss from. Record losses, or labels with logits, probabilities or predictions."
        )
