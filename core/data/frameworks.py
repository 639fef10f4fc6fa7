"""Loss tables from what other packages return: a validation of ultralytics, a Trainer of transformers, an estimator."""

# pyright: basic
# (none of these packages is a dependency but scikit-learn, so their objects have no types here)
from __future__ import annotations

from collections.abc import Mapping, Sized
from pathlib import Path
from typing import Any

import numpy as np

from core.data.tables.batches import numbers, vector
from core.data.tables.loss_table import LossTable
from core.data.tasks.detection.yolo import read_truth
from core.errors import InvalidInput, printable

LOW = 0.01
"""Confidence below which boxes are counted by ultralytics' `val` (from 0.001 on), and by no deployed detector."""


def from_ultralytics(val: Any, labels: str | Path | None = None) -> LossTable:
    """One row for each image that a detector, segmenter, or pose model was validated on, by file name.

    The loss is 1 - F1 at an IoU of 0.5, of masks or key points where the model has them. An image is wrong where an
    object is missed or a box is false. `objects in the image` may explain that, and with `labels` also the area of the
    smallest object, as a share of the image.

    Args:
        val: what `model.val(data=..., conf=0.25)` returned, from ultralytics 8.4.40 on, with the confidence that you
            deploy.
        labels: folder, zip or tar of the label files in YOLO's form.

    Raises:
        InvalidInput: `val` holds no metrics for each image, or those of boxes with a confidence near 0; or the labels
            cannot be read.

    Example:
        >>> val = model.val(data="data.yaml", conf=0.25)  # doctest: +SKIP
        >>> run = errata.diagnose(errata.from_ultralytics(val, "labels/val"), images="images/val")  # doctest: +SKIP
    """
    metrics = None
    for part in ("pose", "seg", "box"):
        metrics = metrics or getattr(val, part, None)
    found: Any = getattr(metrics, "image_metrics", None)
    if not isinstance(found, Mapping) or not found:
        raise InvalidInput(
            "from_ultralytics takes what model.val(...) returned for a detector, segmenter, or pose model, from "
            f"ultralytics 8.4.40 on: got {type(val).__name__} without image_metrics. Use LossTable for other models."
        )
    start = np.asarray(getattr(metrics, "px", ())) < LOW
    for curve in (getattr(metrics, "p_curve", ()), getattr(metrics, "r_curve", ())):
        curve = np.asarray(curve)
        if curve.ndim == 2 and curve.size and np.ptp(curve[:, start], axis=1).any():
            raise InvalidInput(
                f"The validation counts boxes with a confidence below {LOW}, so hardly any image is right. "
                "Run model.val(conf=0.25), or with the confidence that you deploy."
            )
    counts = {name: np.array([image[name] for image in found.values()]) for name in ("tp", "fp", "fn")}
    columns: dict[str, Any] = {
        "objects in the image": counts["tp"] + counts["fn"],
        "wrong": counts["fp"] + counts["fn"] > 0,
        "errors_missed": counts["fn"],
        "errors_false": counts["fp"],
    }
    if labels is not None:
        boxes = read_truth(Path(labels), list(found))
        smallest = np.full(len(found), np.inf)
        np.minimum.at(smallest, boxes.image, boxes.xywh[:, 2] * boxes.xywh[:, 3])
        columns["smallest area share"] = np.where(np.isfinite(smallest), smallest, np.nan)
    table = LossTable()
    table.record(list(found), losses=[1 - image["f1"] for image in found.values()], **columns)
    return table


def from_transformers(trainer: Any, dataset: Any) -> LossTable:
    """One row for each sample of a data set, as a Trainer of transformers predicts it.

    Texts, numbers and images of a data set of Hugging Face stand in the table too; a column `id` names the rows.

    Args:
        trainer: `transformers.Trainer` of a classifier, or of a regression with one output.
        dataset: samples with labels that the model was not trained on, as `trainer.predict` takes them.

    Raises:
        InvalidInput: one of the two is something else, the data set has no labels, or see `LossTable.record`.
    """
    config = getattr(getattr(trainer, "model", None), "config", None)
    if config is None or not callable(getattr(trainer, "predict", None)):
        raise InvalidInput(
            f"from_transformers takes a transformers.Trainer with its model: got {type(trainer).__name__}. "
            "For a pipeline, use LossTable."
        )
    if isinstance(dataset, (str, bytes)) or not isinstance(dataset, Sized) or not len(dataset):
        raise InvalidInput(
            f"dataset must be a data set with at least one sample: got {_short(dataset)}. "
            "Pass the one that you evaluate."
        )
    found = trainer.predict(dataset)
    labels = found.label_ids
    if labels is None:
        raise InvalidInput("The dataset has no labels, so no loss is known. Add the column that the model trains on.")
    scores = found.predictions
    if isinstance(scores, (tuple, list)):  # logits, then hidden states
        scores = scores[0]
    columns = dict[str, Any]()
    features = getattr(dataset, "features", None) or {}
    for name, feature in features.items():
        if type(feature).__name__ in ("Value", "Image") and name not in ("label", "labels", "label_ids"):
            data: Any = dataset
            columns[name] = list(data.with_format(None)[name])
    ids = columns.pop("id", None)
    if config.num_labels == 1:
        return _of_numbers(labels, scores, ids, columns)
    names = [config.id2label[number] for number in range(config.num_labels)]
    table = LossTable(class_names=names)
    table.record(ids, labels, logits=scores, **columns)
    return table


def from_sklearn(estimator: Any, X: Any, y: Any, *, cv: Any = None) -> LossTable:
    """One row for each row of X, as an estimator of scikit-learn predicts it.

    Losses on rows that the estimator was fitted on are too low. Pass held-out rows, or `cv`: a copy of the
    estimator that was fitted on other rows then predicts each row.

    Args:
        estimator: a classifier or a regressor, fitted unless `cv` is given.
        X: what the estimator takes. Columns of a DataFrame and texts stand in the table too, and an array as vectors.
        y: (n,) true classes or numbers.
        cv: None predicts with the estimator as it is; else the folds, as `cross_val_predict` takes them, such as 5.

    Raises:
        InvalidInput: the estimator is not fitted, cannot predict X, or X and y differ in length.
    """
    from sklearn.base import is_regressor
    from sklearn.exceptions import NotFittedError
    from sklearn.model_selection import cross_val_predict

    if isinstance(estimator, type) or not callable(getattr(estimator, "predict", None)):
        raise InvalidInput(f"from_sklearn takes an estimator with predict: got {_short(estimator)}. Pass a fitted one.")
    y = vector(y, "y")
    n = _n_rows(X)
    if n != len(y) or not n:
        raise InvalidInput(f"X and y need a row for each sample: got {n:,} in X, {len(y):,} in y. Pass both whole.")
    number = is_regressor(estimator)
    classes: Any = np.unique(y) if cv is not None else getattr(estimator, "classes_", ())
    method = "predict"
    if not number and hasattr(estimator, "predict_proba"):
        method = "predict_proba"
    try:
        if cv is None:
            answers = getattr(estimator, method)(X)
        else:
            answers = cross_val_predict(estimator, X, y, cv=cv, method=method)
    except NotFittedError as error:
        raise InvalidInput("The estimator is not fitted. Fit it on other rows, or pass cv=5.") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(
            f"{type(estimator).__name__} cannot predict these rows: {printable(str(error))[:300]}. Pass X and y as "
            "the estimator takes them."
        ) from error
    columns = dict[str, Any]()
    if hasattr(X, "columns"):
        columns = {str(name): X[name].to_numpy() for name in X.columns}
    elif all(isinstance(each, str) for each in X):
        columns = {"text": list(X)}
    elif getattr(X, "ndim", 0) == 2 and isinstance(X, np.ndarray):
        columns = {"embedding": X}
    ids = columns.pop("id", None)
    if number:
        return _of_numbers(y, answers, ids, columns)
    if method == "predict":
        table = LossTable()
        table.record(ids, y, predictions=answers, **columns)
        return table
    table = LossTable(class_names=classes)
    table.record(ids, [str(each) for each in y.tolist()], probabilities=answers, **columns)
    return table


def _of_numbers(labels: Any, answers: Any, ids: Any, columns: Mapping[str, Any]) -> LossTable:
    """The table of a regression, whose squared errors are computed when it is read."""
    table = LossTable()
    predictions = numbers(vector(answers, "predictions"), "predictions")
    table.record(ids, targets=vector(labels, "labels"), predictions=predictions, **columns)
    return table


def _n_rows(X: Any) -> int:
    shape = getattr(X, "shape", None)  # a sparse matrix has no length
    if shape:
        return shape[0]
    if isinstance(X, (str, bytes)) or not isinstance(X, Sized):
        raise InvalidInput(f"X must have one row per sample: got {_short(X)}. Pass a table, an array, or a list.")
    return len(X)


def _short(value: Any) -> str:
    return printable(repr(value))[:60]
