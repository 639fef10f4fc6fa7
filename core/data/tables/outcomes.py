"""Compute a loss for each row of a table, with the labels, scores and predictions known beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from core.data.tables.cells import as_numbers, holds_arrays, is_binary, words_of
from core.data.tables.classes import Texts, encode_classes
from core.data.tables.paths import masks_hint
from core.data.tables.recognise import RecognizedColumns
from core.data.tables.roles import snake_case
from core.data.tables.scores import class_scores
from core.errors import InvalidInput, quoted
from core.records import F64, I64, Bool, Outcomes
from core.records.ledger import Ledger
from core.statistics import losses

MaskLoss = Callable[[str, Ledger], F64]
"""Called as mask_loss(kind, ledger): (n,) 1 - Dice or 1 - IoU."""

_OF_MASKS = ("1 - Dice", "1 - IoU")
_SCORE_NAMES = {"accuracy", "acc", "iou", "dice", "score", "auc", "psnr", "ssim", "map", "f1", "correct"}
_ERROR_NAMES = {"err", "error", "errors", "wrong", "incorrect", "mistake"}


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Losses and what is known beside them, of all n rows; rows that the ledger dropped may hold nan or -1."""

    loss: F64
    name: str
    unit: str
    source: str
    class_names: tuple[str, ...] = ()
    labels: I64 | None = None
    scores: F64 | None = None
    logits: F64 | None = None
    predictions: I64 | None = None
    errors: Bool | None = None
    clipped: bool = False
    is_proxy: bool = False
    written: Mapping[str, Texts] = field(default_factory=dict[str, Texts])
    """By column, label and prediction in words, where they are classes."""

    def outcomes(self, rows: I64) -> Outcomes:
        """The record of the rows that stay."""
        loss = self.loss[rows]
        losses.check_magnitude(loss, f"losses {self.name!r}", losses.MIN_SPREAD)
        clip = losses.fitting_clip(loss) if self.clipped else None
        return Outcomes(
            loss,
            self.name,
            self.unit,
            self.source,
            clip,
            is_proxy=self.is_proxy,
            errors=None if self.errors is None else self.errors[rows],
            scores=None if self.scores is None else self.scores[rows],
            predictions=None if self.predictions is None else self.predictions[rows],
        )


def compute_losses(
    frame: pd.DataFrame, recognized: RecognizedColumns, ledger: Ledger, mask_loss: MaskLoss | None = None
) -> Measured:
    """Read or compute the loss of every row; the ledger drops rows without one, with the reason.

    A loss column comes first, unless only the columns to compute a loss from were named. Then label + probabilities,
    masks, numeric target + prediction, label + prediction, a column of errors, and entropy.

    Raises:
        InvalidInput: no column gives a loss, or the columns break a rule in more than half of the rows.
    """
    kind = _kind(frame, recognized)
    known = _known(frame, recognized, ledger)
    if kind == "column":
        return _from_column(frame, recognized, ledger, known)
    name = kind
    unit = losses.LOSS_UNITS[kind]
    known = replace(known, name=name, unit=unit, clipped=kind == "cross-entropy")
    if kind in _OF_MASKS:
        masks = recognized.roles.masks or ("", "")
        assert mask_loss is not None
        return replace(known, loss=mask_loss(kind, ledger), source=f"masks {masks[0]!r} x {masks[1]!r}")
    if kind in losses.NUMBER_LOSSES:
        source = f"target {recognized.roles.target!r} x {recognized.roles.prediction!r}"
        return replace(known, loss=_regression(frame, recognized, kind, ledger), source=source)
    if kind == "entropy":
        ledger.note(
            "The table has no labels, so the prediction's entropy replaces the loss: "
            "it shows where the model is unsure, not where it is wrong."
        )
        source = f"entropy of {known.source}"
        return replace(known, loss=losses.entropy(_need(known.scores)), is_proxy=True, source=source)
    if kind == "0/1 error":
        if known.errors is None:
            raise InvalidInput(
                "The loss '0/1 error' needs a label and a prediction or probabilities, or a column of errors. "
                "Name them."
            )
        if known.labels is None or known.predictions is None:
            source = f"column {recognized.errors!r}"
        elif known.scores is not None and recognized.roles.prediction is None:
            source = f"label {recognized.roles.label!r} x {known.source}"
        else:
            source = f"label {recognized.roles.label!r} x {recognized.roles.prediction!r}"
        return replace(known, loss=known.errors.astype(np.float64), source=source)
    source = f"label {recognized.roles.label!r} x {known.source}"
    return replace(known, loss=_probabilistic(kind, known, ledger), source=source)


def count_classes(frame: pd.DataFrame, recognized: RecognizedColumns) -> dict[str, int]:
    """Count the rows of each class, by name; {} without labels.

    Raises:
        InvalidInput: the labels cannot be numbered.
    """
    known = _known(frame, recognized, Ledger(len(frame)))
    if known.labels is None:
        return {}
    counts = np.bincount(known.labels[known.labels >= 0], minlength=len(known.class_names))
    return dict(zip(known.class_names, counts.tolist()))


def _kind(frame: pd.DataFrame, recognized: RecognizedColumns) -> str:
    """Choose the loss: "column" or one of `LOSS_KINDS`."""
    roles = recognized.roles
    guessed = recognized.guessed
    has_scores = bool(roles.probabilities or roles.logits)
    computed = {"probabilities", "logits", "prediction", "target", "masks"} & set(roles.named()) - guessed
    if roles.loss is not None and ("loss" not in guessed or (not computed and roles.loss_kind is None)):
        return "column"
    possible = {
        **dict.fromkeys(losses.PROBABILITY_LOSSES, has_scores and roles.label is not None),
        **dict.fromkeys(_OF_MASKS, roles.masks is not None),
        **dict.fromkeys(losses.NUMBER_LOSSES, roles.target is not None and roles.prediction is not None),
        "0/1 error": recognized.errors is not None
        or (roles.label is not None and (has_scores or bool(roles.prediction))),
        "entropy": has_scores,
    }
    if roles.loss_kind is not None:
        if not possible[roles.loss_kind]:
            raise InvalidInput(
                f"Cannot compute the loss {roles.loss_kind!r}: the table lacks {_NEEDS[roles.loss_kind]}. "
                "Name the columns."
            )
        return roles.loss_kind
    named = "label" not in guessed and roles.label is not None and "prediction" in computed
    if named and not computed & {"probabilities", "logits"}:
        return "0/1 error"  # the user named label and prediction, so recognized probabilities do not count
    order = ("cross-entropy", "1 - Dice", "squared error", "0/1 error", "entropy")
    chosen = next((kind for kind in order if possible[kind]), None)
    if chosen is None and roles.prediction is not None:
        raise InvalidInput(
            f"{roles.prediction!r} is the prediction, but no true class was found among the columns "
            f"{quoted(*frame.columns)}. Add a column 'label', or name the true class with --label."
        )
    if chosen is None:
        raise InvalidInput(
            f"No loss found among the columns {quoted(*frame.columns)}. Add or name a loss column, or a label with "
            "probabilities, logits, or predictions. A numeric target with predictions, or a pair of masks, works too. "
            + masks_hint(frame, roles.image, roles.id)
        )
    return chosen


_NEEDS = {
    **dict.fromkeys(losses.PROBABILITY_LOSSES, "a label with probabilities"),
    **dict.fromkeys(_OF_MASKS, "a pair of mask columns"),
    **dict.fromkeys(losses.NUMBER_LOSSES, "a numeric target with a prediction"),
    "0/1 error": "a label with a prediction",
    "entropy": "probabilities",
}


def _known(frame: pd.DataFrame, recognized: RecognizedColumns, ledger: Ledger) -> Measured:
    """Read labels, scores, predictions and errors, as far as columns give them; the loss is still nan."""
    roles = recognized.roles
    n = len(frame)
    class_columns = [roles.label]
    if roles.target is None:
        class_columns.append(roles.prediction)
    written: dict[str, Texts] = {}
    for column in class_columns:
        if column is not None:
            written[column], note = words_of(frame[column])
            if note:
                ledger.note(note)
    labels = written.get(roles.label or "")
    words = written.get(roles.prediction or "")
    scores = class_scores(frame, recognized, () if labels is None else labels, ledger)
    values = logits = k = None
    columns: tuple[str, ...] = ()
    source = ""
    if scores is not None:
        values = scores.values
        logits = scores.logits
        k = values.shape[1]
        columns = scores.classes
        source = scores.source
    if labels is not None and "label" in recognized.guessed and np.mean([t is None for t in labels]) > 0.5:
        ledger.note(f"{roles.label!r} is missing in more than half of the rows, so it is not used as the label.")
        labels = None
    spelled: dict[str, str] = {}
    if recognized.class_names is not None and labels is not None:
        pairs = zip(labels, words_of(frame[recognized.class_names])[0])
        spelled = {word: name for word, name in pairs if word is not None and name is not None}
    classes = encode_classes(labels, words, columns=columns, k=k, class_names=roles.class_names, spelled=spelled)
    if classes.note:
        ledger.note(classes.note)
    if labels is not None and classes.labels is not None:
        column = roles.label
        ledger.drop(np.array([t is None for t in labels]), f"the label {column!r} is missing")
        k_text = f"{len(classes.names)} classes ({', '.join(classes.names[:4])}, ...)"
        ledger.drop(classes.labels < 0, [f"the label is out of range: {t!r} is not in the {k_text}" for t in labels])
    if classes.labels is None and scores is None:
        # predicted words alone cannot be compared with a label
        classes = replace(classes, names=(), predictions=None)
    predictions = _predictions(classes.predictions, values, recognized, ledger)
    errors = None
    if classes.labels is not None and predictions is not None:
        errors = classes.labels != predictions
    elif recognized.errors is not None:
        flags = as_numbers(frame[recognized.errors])
        ledger.drop(np.isnan(flags), f"{recognized.errors!r} is missing")
        errors = flags == (0 if recognized.errors_inverted else 1)
    names = classes.names
    if classes.labels is None and predictions is None:
        names = ()
    known = Measured(np.full(n, np.nan), "", "", source, names, classes.labels, values, logits, predictions, errors)
    return replace(known, written=written)


def _predictions(column: I64 | None, scores: F64 | None, recognized: RecognizedColumns, ledger: Ledger) -> I64 | None:
    """The prediction column, else the most probable class. Rows that the column leaves empty are dropped only without
    scores."""
    best: I64 | None = None
    if scores is not None:
        best = np.nan_to_num(scores, nan=-1.0).argmax(axis=1).astype(np.int64)
    if column is None:
        return best
    standing = ledger.standing()
    name = recognized.roles.prediction
    open_rows = column < 0
    if best is not None:
        differing = int((~open_rows & (column != best) & standing).sum())
        if differing:
            ledger.note(f"{name!r} is not the most probable class in {differing:,} rows: the column is the prediction.")
        return np.where(open_rows, best, column)
    if recognized.roles.loss is not None and 2 * int((open_rows & standing).sum()) > int(standing.sum()):
        ledger.note(f"{name!r} is missing in more than half of the rows, so it is not used.")
        return None
    ledger.drop(open_rows, f"the prediction {name!r} is missing or not one of the classes")
    return column


def _probabilistic(kind: str, known: Measured, ledger: Ledger) -> F64:
    labels = known.labels
    scores = _need(known.scores)
    if labels is None:
        raise InvalidInput(f"The loss {kind!r} needs a label in each row. Name the label column, or use entropy.")
    rows = ledger.kept_rows()
    loss = np.full(len(ledger), np.nan)
    if kind == "cross-entropy" and known.logits is not None:
        loss[rows] = losses.cross_entropy_of_logits(known.logits[rows], labels[rows])
    elif kind == "cross-entropy":
        loss[rows] = losses.cross_entropy(scores[rows], labels[rows])
        floored = int((scores[rows, labels[rows]] < losses.MIN_PROBABILITY).sum())
        if floored:
            smallest = scores[rows].min(where=scores[rows] >= losses.MIN_PROBABILITY, initial=1.0)
            ledger.note(
                f"The label's probability is 0 in {floored:,} rows: it counts as {losses.MIN_PROBABILITY:g} there. "
                f"The smallest above 0 is {smallest:.2g}; smaller ones may have been rounded to 0."
            )
    else:
        loss[rows] = losses.PROBABILITY_LOSSES[kind](scores[rows], labels[rows])
    return loss


def _regression(frame: pd.DataFrame, recognized: RecognizedColumns, kind: str, ledger: Ledger) -> F64:
    target = as_numbers(frame[recognized.roles.target or ""])
    prediction = as_numbers(frame[recognized.roles.prediction or ""])
    ledger.drop(~np.isfinite(target), f"the target {recognized.roles.target!r} is missing or not finite")
    ledger.drop(~np.isfinite(prediction), f"the prediction {recognized.roles.prediction!r} is missing or not finite")
    with np.errstate(invalid="ignore", over="ignore"):
        return losses.NUMBER_LOSSES[kind](target, prediction)


def _from_column(frame: pd.DataFrame, recognized: RecognizedColumns, ledger: Ledger, known: Measured) -> Measured:
    roles = recognized.roles
    column = roles.loss or ""
    if holds_arrays(frame[column]):
        raise InvalidInput(
            f"The loss {column!r} must be one number per sample: it holds arrays. Reduce each, for example to its mean."
        )
    loss = as_numbers(frame[column]).copy()
    missing = frame[column].isna().to_numpy()
    if not np.isfinite(loss).any():
        filled = frame[column][~missing]
        example = ", and no cell is filled"
        if len(filled):
            example = f": its first is {str(filled.iloc[0])[:40]!r}"
        raise InvalidInput(f"The loss {column!r} holds no finite number{example}. Convert it, or name another column.")
    ledger.drop(np.isnan(loss) & missing, f"the loss {column!r} is missing")
    values = [str(value)[:40] for value in frame[column]]
    ledger.drop(np.isnan(loss), [f"the loss {column!r} is not a number: {value!r}" for value in values])
    ledger.drop(np.isinf(loss), f"the loss {column!r} is infinite")
    binary = is_binary(frame[column])
    kind = roles.loss_kind or ""
    if not kind and snake_case(column) == "cross_entropy" and not (loss < 0).any() and not roles.higher_is_better:
        kind = "cross-entropy"
    name = column
    unit = losses.LOSS_UNITS.get(kind, "loss")
    source = f"column {column!r}"
    words = set(snake_case(column).split("_"))
    right = snake_case(column) in ("correct", "is_correct", "right", "hit") and binary
    if roles.higher_is_better or right:
        name = f"negated {column}"
        if binary:
            loss = 1 - loss
            source = f"column {column!r}, subtracted from 1: higher was better"
        else:
            loss = -loss
            source = f"column {column!r}, negated: higher was better"
    elif words & _SCORE_NAMES:
        ledger.note(
            f"Larger values of {column!r} count as worse, though its name sounds like a score. "
            "If higher is better, set higher_is_better."
        )
    known = replace(known, loss=loss, name=name, unit=unit, source=source, clipped=kind == "cross-entropy")
    is_error = right or roles.loss_kind == "0/1 error" or words & _ERROR_NAMES
    if binary and is_error:
        return replace(known, name="0/1 error", unit="error", errors=loss == 1)
    return known


def _need(scores: F64 | None) -> F64:
    if scores is None:
        raise InvalidInput("This loss needs probabilities or logits. Name their columns.")
    return scores
