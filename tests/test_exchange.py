"""What docs/exchange.md tells to run runs: with the tools themselves where they are installed, and with stand-ins for
their calls alone, so that our half is run everywhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import errata
from core.records import Diagnosis
from core.store import load, save
from tests.conftest import REPOSITORY
from tests.support import documented
from tests.support.diagnoses import draw_picture
from tests.support.documented import commands, run_command, run_python

PAGE = REPOSITORY / "docs/exchange.md"
QUICK = ["--permutations", "199", "--no-map", "--no-words", "--embeddings", "vectors.npy"]
"""So that no encoder need look at the images."""
N = 60


@pytest.fixture(autouse=True)
def at_work(diagnosis: Diagnosis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run, the table val.csv, and the images and vectors of both."""
    monkeypatch.chdir(tmp_path)
    save(diagnosis, Path("run.errata"))
    for name in diagnosis.samples.ids:
        (Path("val") / name).parent.mkdir(parents=True, exist_ok=True)
        (Path("val") / name).write_bytes(draw_picture(int(name[-8:-4])))
    loss = diagnosis.outcomes.loss
    pd.DataFrame({"file": diagnosis.samples.ids, "loss": loss}).to_csv("val.csv", index=False)
    np.save("vectors.npy", diagnosis.embeddings.vectors)
    return tmp_path


@pytest.fixture
def quick(diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    """`errata.diagnose` with the vectors at hand, and the images as a file of the page's name."""
    settings = errata.Settings(n_permutations=199, map=False, sensitivity=False)
    monkeypatch.setattr(
        errata, "diagnose", partial(errata.diagnose, embeddings=diagnosis.embeddings.vectors, settings=settings)
    )
    Path("val").rename("val.zip")  # a folder serves as well


def python(heading: str, number: int = 0) -> str:
    return documented.block(PAGE, heading, number)


def lines(heading: str, number: int = 0) -> list[list[str]]:
    """The commands of a block of the page, their words each."""
    return commands(documented.block(PAGE, heading, number, "bash"), "python -m core")


def test_every_block_has_a_test() -> None:
    tested = Path(__file__).read_text("utf-8")
    for language, function in {"python": python, "bash": lines}.items():
        assert len(documented.blocks(PAGE, language)) == tested.count(f'{function.__name__}("'), language


class Collection(list[dict[str, Any]]):
    """Stands in for a data set of FiftyOne: what `Dataset.from_dir` would read, without its database."""

    @classmethod
    def from_dir(cls, folder: str, kind: str) -> Collection:
        assert kind == "FiftyOneDataset"
        assert "media_type" in json.loads((Path(folder) / "metadata.json").read_text("utf-8"))
        return cls(json.loads((Path(folder) / "samples.json").read_text("utf-8"))["samples"])


def test_fiftyone_loads_what_is_exported(monkeypatch: pytest.MonkeyPatch, diagnosis: Diagnosis) -> None:
    """Its own importer reads such a folder in tests/core/reports/tables/test_fiftyone.py."""
    shown: list[Any] = []
    types = SimpleNamespace(FiftyOneDataset="FiftyOneDataset")
    made: Any = SimpleNamespace(Dataset=Collection, types=types, launch_app=shown.append)
    monkeypatch.setitem(sys.modules, "fiftyone", made)
    kept, pointing = lines("FiftyOne")
    for words in (kept, pointing):
        if Path("for_fiftyone").exists():
            Path("for_fiftyone").rename("before")
        run_command(words)
        data = run_python(python("FiftyOne"))["data"]
        assert shown.pop() is data
        assert [sample["errata_id"] for sample in data] == list(diagnosis.samples.ids)
        assert all((Path("for_fiftyone") / sample["filepath"]).is_file() for sample in data)
        assert {sample["ground_truth"]["label"] for sample in data} == set(diagnosis.samples.class_names)
        assert any(tag.startswith("errata 0: ") for sample in data for tag in sample["tags"])


def test_what_fiftyone_exported_is_diagnosed(diagnosis: Diagnosis) -> None:
    """As the page says: the fields are the table, tags and plain fields may explain, and what was Errata's may not."""
    run_command(["export", "run.errata", "--what", "fiftyone", "--out", "exported"])
    samples = json.loads(Path("exported/samples.json").read_text("utf-8"))
    for row, sample in enumerate(samples["samples"]):
        sample["tags"] += ["blurred"] if row % 3 == 0 else []
    Path("exported/samples.json").write_text(json.dumps(samples), "utf-8")
    found = diagnose_exported("--as-is")  # its losses are drawn apart from its predictions
    assert {"weather", "tag blurred"} == {c.name for c in found.samples.metadata if not c.measured}
    np.testing.assert_array_equal(found.outcomes.loss, diagnosis.outcomes.loss)


def test_what_fiftyone_itself_writes_is_diagnosed(diagnosis: Diagnosis) -> None:
    """By the exporter that needs no database."""
    fiftyone = pytest.importorskip("fiftyone")
    exporters = pytest.importorskip("fiftyone.utils.data.exporters")
    names = np.array(diagnosis.samples.class_names)
    labels, predictions = diagnosis.samples.labels, diagnosis.outcomes.predictions
    assert labels is not None
    assert predictions is not None
    with exporters.LegacyFiftyOneDatasetExporter("exported") as exporter:
        for row, name in enumerate(diagnosis.samples.ids):
            sample = fiftyone.Sample(filepath=str(Path("val", name).absolute()), tags=["blurred"] * (row % 3 == 0))
            sample["ground_truth"] = fiftyone.Classification(label=names[labels[row]])
            sample["predictions"] = fiftyone.Classification(label=names[predictions[row]], confidence=0.5)
            exporter.export_sample(sample)
    found = diagnose_exported()
    assert "tag blurred" in {column.name for column in found.samples.metadata}
    np.testing.assert_array_equal(found.outcomes.errors, labels != predictions)


def diagnose_exported(*options: str) -> Diagnosis:
    save_under("before")
    (words,) = lines("FiftyOne", 1)
    run_command([*words, *QUICK, *options])
    return load(Path("run.errata"))


def save_under(name: str) -> None:
    """Move the run out of the way of the next one."""
    Path("run.errata").rename(name)


def stood_in() -> Any:
    return SimpleNamespace(get_issues=lambda: issues_of_cleanlab(np.arange(N) % 5 == 0))


def issues_of_cleanlab(found: Any) -> pd.DataFrame:
    """As `Datalab.get_issues` gives them."""
    scores = np.linspace(0, 1, N)
    return pd.DataFrame({"is_label_issue": found, "label_score": scores, "is_dark_issue": ~found, "dark_score": scores})


def clean_learning() -> Any:
    """`CleanLearning`, whose `get_label_issues` the page names beside a Datalab's `get_issues`."""
    classification = pytest.importorskip("cleanlab.classification")
    linear_model = pytest.importorskip("sklearn.linear_model")
    vectors = np.random.default_rng(0).normal(size=(N, 3))
    labels = (vectors[:, 0] > 0).astype(int)
    labels[:5] = 1 - labels[:5]
    lab = classification.CleanLearning(linear_model.LogisticRegression())
    lab.find_label_issues(vectors, labels)
    return SimpleNamespace(get_issues=lab.get_label_issues)


def datalab() -> Any:
    cleanlab = pytest.importorskip("cleanlab")
    pytest.importorskip("datasets")
    vectors = np.random.default_rng(0).normal(size=(N, 3))
    lab = cleanlab.Datalab({"y": (vectors[:, 0] > 0).astype(int)}, label_name="y")
    lab.find_issues(features=vectors, issue_types={"outlier": {}, "near_duplicate": {}})
    return lab


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "make",
    [stood_in, pytest.param(clean_learning, marks=pytest.mark.slow), pytest.param(datalab, marks=pytest.mark.slow)],
)
def test_issues_of_cleanlab_stand_beside_the_rows(make: Callable[[], Any]) -> None:
    lab = make()
    run_python(python("Cleanlab"), lab=lab)
    Path("val").rename("val.zip")  # a folder serves as well
    save_under("before")
    (words,) = lines("Cleanlab")
    run_command([*words, *QUICK, "--as-is"])  # its losses are drawn apart from its predictions
    kept = {column.name: column for column in load(Path("run.errata")).samples.metadata}
    for name in lab.get_issues():
        if name.startswith("is_"):
            assert kept[name].values.tolist() == ["yes" if it else "no" for it in lab.get_issues()[name]]
        elif name.endswith("_score"):
            wanted = lab.get_issues()[name].to_numpy()
            np.testing.assert_allclose(kept[name.replace("_score", "_quality")].values.astype(float), wanted)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_cleanlab_itself_audits_the_samples_of_a_run(diagnosis: Diagnosis) -> None:
    pytest.importorskip("cleanlab")
    pytest.importorskip("datasets")
    lab = run_python(python("Cleanlab", 1))["lab"]
    assert len(lab.get_issues()) == len(diagnosis.samples)
    assert "is_outlier_issue" in lab.get_issues()


def test_the_ensemble_is_a_regressor_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(150, 5))
    losses = vectors[:, 0] ** 2 + 3 * vectors[:, 0]
    names = run_python(python("scikit-learn"), vectors=vectors, losses=losses, new=vectors[:9])
    assert np.corrcoef(names["predicted"], names["losses"])[0, 1] > 0.8
    assert names["mean"].shape == names["spread"].shape == (9,)
    assert (names["spread"] > 0).all()


class Artifact:
    """Stands in for `wandb.Artifact`."""

    def __init__(self, name: str, type: str) -> None:
        self.name, self.type, self.files = name, type, list[dict[str, Any]]()

    def add_file(self, path: str) -> None:
        self.files.append(json.loads(Path(path).read_text("utf-8")))


def test_weights_and_biases_is_given_its_tables(monkeypatch: pytest.MonkeyPatch, diagnosis: Diagnosis) -> None:
    """Its own reader takes such a file in tests/core/cli/test_output.py."""
    logged: list[Any] = []
    run = SimpleNamespace(log_artifact=logged.append, log=logged.append)
    made: Any = SimpleNamespace(Artifact=Artifact, run=run, Table=lambda dataframe: dataframe)
    monkeypatch.setitem(sys.modules, "wandb", made)
    _weights_and_biases(diagnosis)
    artifact, tables = logged
    (table,) = artifact.files
    assert table["_type"] == "table"
    assert table["nrows"] == len(table["data"]) == len(diagnosis.clusters) + len(diagnosis.candidates)
    assert table["ncols"] == len(table["columns"])
    assert "cluster" in set(tables["findings"]["kind"])


@pytest.mark.filterwarnings("ignore")
def test_weights_and_biases_itself_takes_them(
    monkeypatch: pytest.MonkeyPatch, diagnosis: Diagnosis, tmp_path: Path
) -> None:
    """Offline, into a folder."""
    wandb = pytest.importorskip("wandb")
    for name, value in {"MODE": "offline", "DIR": str(tmp_path), "SILENT": "true", "CACHE_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    with wandb.init(project="errata", mode="offline", dir=tmp_path) as run:
        artifact = _weights_and_biases(diagnosis)["artifact"]
        assert list(artifact.manifest.entries) == ["clusters.table.json"]
        assert run.summary["findings"]["nrows"] >= len(diagnosis.clusters)


def test_a_table_of_weights_and_biases_is_diagnosed(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account stands in, the table is of the package itself where that is installed."""
    frame = pd.read_csv("val.csv")
    table: Any = SimpleNamespace(get_dataframe=lambda: frame)
    try:
        import wandb  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError:
        wandb = SimpleNamespace()
        monkeypatch.setitem(sys.modules, "wandb", wandb)  # pyright: ignore[reportArgumentType]
    else:
        table = wandb.Table(dataframe=frame)
    artifact = SimpleNamespace(get={"predictions": table}.get)
    monkeypatch.setattr(wandb, "Api", lambda: SimpleNamespace(artifact=lambda _: artifact), raising=False)
    run = run_python(python("Weights & Biases", 1))["run"]
    np.testing.assert_allclose(run.outcomes.loss, frame["loss"])
    assert run.samples.ids == tuple(frame["file"])


def _weights_and_biases(diagnosis: Diagnosis) -> dict[str, Any]:
    (words,) = lines("Weights & Biases")
    run_command(words)
    return run_python(python("Weights & Biases"), found=diagnosis)


def test_mlflow_is_given_its_tables(monkeypatch: pytest.MonkeyPatch, diagnosis: Diagnosis) -> None:
    """`mlflow.load_table` reads an artifact by pandas, in the form "split", if a tag lists it."""
    logged: dict[str, pd.DataFrame] = {}

    def log_artifact(path: str) -> None:
        logged[path] = pd.read_json(path, orient="split", dtype=False)

    def set_tag(name: str, value: str) -> None:
        assert name == "mlflow.loggedArtifacts"
        assert [listed["path"] for listed in json.loads(value)] == list(logged)

    def log_table(data: pd.DataFrame, artifact_file: str) -> None:
        logged[artifact_file] = data

    made: Any = SimpleNamespace(log_artifact=log_artifact, set_tag=set_tag, log_table=log_table)
    monkeypatch.setitem(sys.modules, "mlflow", made)
    _mlflow(diagnosis)
    assert logged["samples.json"]["id"].tolist() == list(diagnosis.samples.ids)
    assert "cluster" in set(logged["findings.json"]["kind"])


@pytest.mark.filterwarnings("ignore")
def test_mlflow_itself_takes_them_and_gives_a_table_to_diagnose(
    quick: None, monkeypatch: pytest.MonkeyPatch, diagnosis: Diagnosis, tmp_path: Path
) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # mlflow-skinny has no other without a server
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    mlflow.create_experiment("errata", str(tmp_path / "artifacts"))
    mlflow.set_experiment("errata")
    with mlflow.start_run() as run:
        _mlflow(diagnosis)
        mlflow.log_table(pd.read_csv("val.csv"), "predictions.json")
    samples = mlflow.load_table("samples.json", run_ids=[run.info.run_id])
    assert samples["id"].tolist() == list(diagnosis.samples.ids)
    assert "cluster" in set(mlflow.load_table("findings.json", run_ids=[run.info.run_id])["kind"])
    again = run_python(python("MLflow", 1), run_id=run.info.run_id)["run"]
    np.testing.assert_allclose(again.outcomes.loss, diagnosis.outcomes.loss)


def _mlflow(diagnosis: Diagnosis) -> None:
    (words,) = lines("MLflow")
    run_command(words)
    run_python(python("MLflow"), found=diagnosis)
