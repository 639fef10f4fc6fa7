"""Tables from what ultralytics, transformers and scikit-learn return; tests of docs/tables.md run the packages."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline

import errata
from core.data.samples import read_data_set
from core.errors import InvalidInput

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.array(["cat", "dog"] * 20)


def metrics(tp: int, fp: int, fn: int) -> dict[str, float]:
    return {"precision": 0, "recall": 0, "f1": 2 * tp / (2 * tp + fp + fn), "tp": tp, "fp": fp, "fn": fn}


def validation(part: str = "box", **images: dict[str, float]) -> Any:
    """Stands in for `DetMetrics` of ultralytics 8.4, whose predictions all have a confidence above 0.25."""
    px = np.linspace(0, 1, 1000)
    curves = {"px": px, "p_curve": np.minimum(0.5, px + 0.25)[None], "r_curve": np.zeros((1, 1000))}
    curves["p_curve"][:, px < 0.25] = 0.5
    box = SimpleNamespace(image_metrics={"a.png": metrics(1, 9, 9)}, **curves)
    return SimpleNamespace(**{"box": box, part: SimpleNamespace(image_metrics=images, **curves)})


@pytest.mark.parametrize("part", ["box", "seg", "pose"])
def test_a_validation_gives_images_with_loss_error_and_objects(part: str, tmp_path: Path) -> None:
    images = {f"{i:02}.png": metrics(2, i % 2, int(i % 4 == 0)) for i in range(40)}
    (tmp_path / "00.txt").write_text("0 0.5 0.5 0.2 0.1\n0 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.3 0.3\n")
    table = errata.from_ultralytics(validation(part, **images), tmp_path)
    frame = table.to_pandas()
    assert frame["objects in the image"].tolist() == [3 if i % 4 == 0 else 2 for i in range(40)]
    assert frame["smallest area share"][0] == pytest.approx(0.01)
    assert frame["smallest area share"][1:].isna().all()
    read = read_data_set(table, embeddings=X)
    np.testing.assert_allclose(read.outcomes.loss, [1 - image["f1"] for image in images.values()])
    assert read.outcomes.errors is not None
    assert read.outcomes.errors.tolist() == [i % 2 > 0 or i % 4 == 0 for i in range(40)]
    assert {column.name for column in read.samples.metadata} == {"objects in the image", "smallest area share"}


@pytest.mark.parametrize("given", [None, "val", [], pd.DataFrame(), SimpleNamespace(top1=0.5), validation()])
def test_what_is_no_validation_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput, match=r"takes what model.val\(...\) returned .* 8.4.40 on: got"):
        errata.from_ultralytics(given)


def test_losses_on_training_rows_are_too_low_and_those_of_folds_are_not() -> None:
    """The nearest neighbor of a row it was fitted on is that row."""
    model = KNeighborsClassifier(1).fit(X, Y)
    assert (errata.from_sklearn(model, X, Y).to_pandas()["cross_entropy"] < 1e-6).all()
    assert (errata.from_sklearn(model, X, Y, cv=5).to_pandas()["cross_entropy"] > 1).any()


def test_regressors_give_squared_errors_and_classifiers_without_probabilities_answers() -> None:
    numbers = X @ [1.0, 2.0, 3.0] + RNG.normal(size=40)
    model = LinearRegression().fit(X[:20], numbers[:20])
    read = read_data_set(errata.from_sklearn(model, X, numbers))
    np.testing.assert_allclose(read.outcomes.loss, (numbers - model.predict(X)) ** 2)
    ridge = RidgeClassifier().fit(X, Y)
    read = read_data_set(errata.from_sklearn(ridge, pd.DataFrame(X, columns=["a", "b", "c"]), Y), embeddings=X)
    assert read.outcomes.loss.tolist() == (ridge.predict(X) != Y).tolist()
    assert [column.name for column in read.samples.metadata] == ["a", "b", "c"]


@pytest.mark.parametrize("saved", [False, True])
def test_counts_that_a_regressor_predicts_whole_are_numbers(saved: bool, tmp_path: Path) -> None:
    """The nearest neighbor's count is whole, as each true count is, so that the values alone look like classes."""
    counts = np.arange(40) % 7
    model = KNeighborsRegressor(1).fit(X[:20], counts[:20])
    table = errata.from_sklearn(model, X[20:], counts[20:])
    read = read_data_set(table.save(tmp_path / "table.csv") if saved else table)
    assert read.outcomes.name == "squared error"
    np.testing.assert_allclose(read.outcomes.loss, (counts[20:] - model.predict(X[20:])) ** 2)


def test_texts_stand_in_the_table() -> None:
    said = [f"good day {i}" if name == "cat" else f"bad day {i}" for i, name in enumerate(Y)]
    model = make_pipeline(CountVectorizer(), KNeighborsClassifier(3)).fit(said, Y)
    assert errata.from_sklearn(model, pd.Series(said), Y).to_pandas()["text"].tolist() == said


@pytest.mark.parametrize(
    ("estimator", "rows", "truth", "message"),
    [
        (None, X, Y, "takes an estimator with predict: got None"),
        ("model", X, Y, "takes an estimator with predict: got 'model'"),
        (KNeighborsClassifier, X, Y, "takes an estimator with predict: got <class"),
        (KNeighborsClassifier(), X, Y, "is not fitted. Fit it on other rows, or pass cv=5"),
        (KNeighborsClassifier().fit(X, Y), None, Y, "X must have one row per sample: got None"),
        (KNeighborsClassifier().fit(X, Y), "x", Y, "X must have one row per sample: got 'x'"),
        (KNeighborsClassifier().fit(X, Y), [], [], "need a row for each sample: got 0 in X, 0 in y"),
        (KNeighborsClassifier().fit(X, Y), X, Y[:9], "need a row for each sample: got 40 in X, 9 in y"),
        (KNeighborsClassifier().fit(X, Y), X, None, "y must be one value per sample"),
        (KNeighborsClassifier().fit(X, Y), X, "cat", "y must be one value per sample"),
        (KNeighborsClassifier().fit(X, Y), X[:, :2], Y, "KNeighborsClassifier cannot predict these rows: X has 2"),
    ],
)
def test_what_scikit_learn_cannot_predict_is_refused(estimator: Any, rows: Any, truth: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        errata.from_sklearn(estimator, rows, truth)


def test_a_trainer_gives_logits_and_a_regression_squared_errors() -> None:
    found = SimpleNamespace(predictions=(np.array([[0.0, 2.0]]), None), label_ids=np.array([0]))
    config = SimpleNamespace(num_labels=2, id2label={0: "bad", 1: "good"})
    trainer = SimpleNamespace(model=SimpleNamespace(config=config), predict=lambda _: found)
    frame = errata.from_transformers(trainer, [{}]).to_pandas()
    assert frame[["label", "prediction"]].to_numpy().tolist() == [["bad", "good"]]
    for data in (None, "val", []):
        with pytest.raises(InvalidInput, match="dataset must be a data set with at least one sample: got"):
            errata.from_transformers(trainer, data)
    found.label_ids = None
    with pytest.raises(InvalidInput, match="The dataset has no labels"):
        errata.from_transformers(trainer, [{}])
    config.num_labels = 1
    found.predictions, found.label_ids = np.array([[0.5]]), np.array([2.0])
    assert errata.from_transformers(trainer, [{}]).to_pandas().iloc[0].to_list() == ["0", 2.0, 0.5]
    for given in (None, "trainer", [], LinearRegression()):
        with pytest.raises(InvalidInput, match=r"takes a transformers.Trainer with its model: got"):
            errata.from_transformers(given, [{}])
