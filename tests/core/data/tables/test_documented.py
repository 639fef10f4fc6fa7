"""What docs/tables.md tells to write runs, each block with the package that it is for, where that is installed."""

from __future__ import annotations

import importlib.util
import io
from functools import partial
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import errata
from core.data.tables.loss_table import LossTable
from tests.conftest import REPOSITORY
from tests.support import documented
from tests.support.diagnoses import draw_picture
from tests.support.tables import png

PAGE = REPOSITORY / "docs/tables.md"
N = 6


def block(heading: str, number: int = 0) -> str:
    return documented.block(PAGE, heading, number)


@pytest.fixture(autouse=True)
def at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(code: str, **names: Any) -> pd.DataFrame:
    """The table that the code writes."""
    documented.run_python(code, **names)
    (written,) = Path().glob("val*.*")
    return pd.read_csv(written) if written.suffix == ".csv" else pd.read_parquet(written)


def test_every_block_has_a_test() -> None:
    tested = Path(__file__).read_text("utf-8").count("(block(")
    assert len(documented.blocks(PAGE, "python")) == tested - 1  # this line counts too


def test_the_first_block_gives_the_columns_that_the_page_names() -> None:
    table = run(block(""))
    assert list(table) == ["id", "label", "prediction", "cross_entropy", "camera"]
    for name in table:
        assert f"`{name}`" in PAGE.read_text("utf-8")
    np.testing.assert_allclose(table["cross_entropy"], [np.log1p(np.exp(-2)), np.log1p(np.exp(1))])


def torch_world() -> dict[str, Any]:
    torch = pytest.importorskip("torch")
    images, labels = torch.randn(N, 3), torch.arange(N) % 2
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, labels), batch_size=4)
    paths, model = [f"{i}.png" for i in range(N)], torch.nn.Linear(3, 2)
    names = {"paths": paths, "names": ["cat", "dog"], "model": model, "loader": loader, "device": "cpu"}
    losses = torch.nn.functional.cross_entropy(model(images), labels, reduction="none")
    return names | {"wanted": losses.detach().numpy()}


def test_the_torch_loop_runs() -> None:
    world = torch_world()
    table = run(block("A PyTorch loop"), **world)
    assert table["id"].tolist() == world["paths"]
    assert table["label"].tolist() == ["cat", "dog"] * (N // 2)
    np.testing.assert_allclose(table["cross_entropy"], world["wanted"], rtol=1e-5)


def test_pictures_of_a_dataset_travel_in_the_table() -> None:
    torch = pytest.importorskip("torch")
    pictures = [Image.new("RGB", (8, 6), (40 * i, 0, 0)) for i in range(N)]
    model, data = torch.nn.Linear(8 * 6 * 3, 2), [(picture, i % 2) for i, picture in enumerate(pictures)]

    def transform(picture: Image.Image) -> Any:
        return torch.tensor(np.asarray(picture).reshape(-1) / 255, dtype=torch.float32)

    table = run(block("A PyTorch loop", 1), data=data, model=model, transform=transform, names=["cat", "dog"])
    assert table["label"].tolist() == ["cat", "dog"] * (N // 2)
    for row, picture in enumerate(pictures):
        assert Image.open(io.BytesIO(table["image"][row])).tobytes() == picture.tobytes()


def test_a_data_set_of_torch_stands_in_for_files(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")

    class Pictures(torch.utils.data.Dataset):
        classes = ("cat", "dog")

        def __len__(self) -> int:
            return 60

        def __getitem__(self, row: int) -> Any:
            return torch.tensor(np.asarray(Image.open(io.BytesIO(draw_picture(row)))) / 255).permute(2, 0, 1), row % 2

    quick = errata.Settings(n_permutations=199, map=False, sensitivity=False, words=False)
    monkeypatch.setattr(errata, "diagnose", partial(errata.diagnose, settings=quick))
    losses = torch.linspace(0, 1, 60).tolist()
    found = documented.run_python(block("A PyTorch loop", 2), data=Pictures(), losses=losses)["found"]
    assert found.samples.class_names == ("cat", "dog")
    assert found.samples.labels.tolist() == [row % 2 for row in range(60)]
    shown = Image.open(io.BytesIO(found.samples.items.read(7)))
    assert shown.tobytes() == Image.open(io.BytesIO(draw_picture(7))).tobytes()


@pytest.mark.filterwarnings("ignore")
def test_the_lightning_callback_runs() -> None:
    lightning, world = pytest.importorskip("lightning.pytorch"), torch_world()

    class Module(lightning.LightningModule):
        def validation_step(self, batch: Any, _: int) -> Any:
            return world["model"](batch[0])

    table = run(block("Lightning"), **world, module=Module())
    np.testing.assert_allclose(table["cross_entropy"], world["wanted"], rtol=1e-5)
    assert Path("val-0.csv").is_file()


@pytest.mark.filterwarnings("ignore")
def test_the_trainer_of_transformers_runs() -> None:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    torch = pytest.importorskip("torch")
    sizes = dict.fromkeys(("hidden_size", "intermediate_size", "vocab_size"), 16)
    names = {"id2label": {0: "bad", 1: "good"}, "label2id": {"bad": 0, "good": 1}}
    config = transformers.BertConfig(num_hidden_layers=1, num_attention_heads=2, **sizes, **names)
    model = transformers.BertForSequenceClassification(config).eval()
    rows = [{"input_ids": [1, 2 + i, 3], "labels": i % 2} for i in range(N)]

    class Rows(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return N

        def __getitem__(self, row: int) -> Any:
            return rows[row]

    settings = transformers.TrainingArguments(output_dir="out", report_to=[], use_cpu=True)
    trainer = transformers.Trainer(model, settings)
    table = run(block("Hugging Face `Trainer`"), trainer=trainer, data=Rows())
    logits = model(torch.tensor([row["input_ids"] for row in rows])).logits
    labels = torch.tensor([row["labels"] for row in rows])
    wanted = torch.nn.functional.cross_entropy(logits, labels, reduction="none").detach().numpy()
    np.testing.assert_allclose(table["cross_entropy"], wanted, rtol=1e-4)
    assert table["label"].tolist() == ["bad", "good"] * (N // 2)
    if importlib.util.find_spec("datasets"):
        columns = {"id": list("abcdef"), "text": [f"text {i}" for i in range(N)]}
        data = import_module("datasets").Dataset.from_list(rows).add_column("id", columns["id"])
        again = errata.from_transformers(trainer, data.add_column("text", columns["text"])).to_pandas()
        assert again[["id", "text"]].to_dict("list") == columns
        np.testing.assert_allclose(again["cross_entropy"], wanted, rtol=1e-4)

    given: list[Any] = []
    transformers.Trainer(model, settings, compute_metrics=lambda found: given.append(found) or {}).evaluate(Rows())
    each = LossTable(class_names=["bad", "good"])
    each.record(labels=given[0].label_ids, logits=given[0].predictions)
    np.testing.assert_allclose(each.to_pandas()["cross_entropy"], wanted, rtol=1e-4)


def pictures() -> list[str]:
    """A folder of three images of each of two classes."""
    paths = [Path("val") / name / f"{i}.png" for name in ("cat", "dog") for i in range(N // 2)]
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(40 * number, (32, 32, 3)))
    return list(map(str, paths))


def test_timm_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a small model of random weights in place of a download."""
    timm, paths = pytest.importorskip("timm"), pictures()
    make = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: make("test_vit", pretrained=False, num_classes=2))
    table = run(block("timm"))
    assert [f"val/{name}" for name in table["id"]] == paths
    assert table["label"].tolist() == [0, 0, 0, 1, 1, 1]
    assert table["cross_entropy"].between(0, 20).all()


def test_ultralytics_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With random weights."""
    torch = pytest.importorskip("torch")
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(Path.cwd()))
    ultralytics, paths = pytest.importorskip("ultralytics"), pictures()
    model = ultralytics.YOLO("yolov8n-cls.yaml", task="classify")
    model.model.names = {0: "cat", 1: "dog"}
    model.model.model[-1].linear = torch.nn.Linear(1280, 2)
    table = run(block("ultralytics"), model=model)
    assert [str(Path(name).relative_to(Path.cwd())) for name in table["id"]] == paths
    assert table["label"].tolist() == ["cat"] * 3 + ["dog"] * 3
    assert table["prediction"].isin(["cat", "dog"]).all()


@pytest.mark.parametrize(("configuration", "part"), [("yolov8n.yaml", "box"), ("yolov8n-seg.yaml", "seg")])
def test_a_detector_of_ultralytics_runs(configuration: str, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With weights by hand: boxes of 120 pixels all over, of one class and with one score."""
    torch = pytest.importorskip("torch")
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(Path.cwd()))
    ultralytics = pytest.importorskip("ultralytics")
    sides = np.linspace(0.1, 0.95, 44)
    for folder in ("images", "labels"):
        Path("data", folder, "val").mkdir(parents=True)
    for row, side in enumerate(sides):
        Path(f"data/images/val/{row}.png").write_bytes(draw_picture(row))
        ends = [0.02 + side, 0.02 + side / 2][: row % 3]
        outlines = [f"0 0.02 0.02 {end} 0.02 {end} {end} 0.02 {end}\n" for end in ends]
        Path(f"data/labels/val/{row}.txt").write_text("".join(outlines))
    Path("data.yaml").write_text(f"path: {Path.cwd()}/data\ntrain: images/val\nval: images/val\nnames: [thing]\n")
    model = ultralytics.YOLO(configuration)
    options = {"imgsz": 128, "workers": 0, "plots": False, "verbose": False, "device": "cpu", "project": "runs"}

    def validated(score: float, **given: Any) -> Any:
        head = model.model.model[-1]
        for branch in (*head.cv2, *head.cv3):
            torch.nn.init.zeros_(branch[-1].weight)
            torch.nn.init.constant_(branch[-1].bias, -9)
        for branch in head.cv3:
            branch[-1].bias.data[0] = score
        return model.val(**options, **given)

    with pytest.raises(errata.InvalidInput, match=r"confidence below 0.01, .* Run model.val\(conf=0.25\)"):
        errata.from_ultralytics(validated(-6, data="data.yaml"))
    if part == "box":
        quick = errata.Settings(n_permutations=199, map=False, sensitivity=False, words=False)
        monkeypatch.setattr(errata, "diagnose", partial(errata.diagnose, settings=quick))
        world = documented.run_python(block("ultralytics", 1), model=SimpleNamespace(val=partial(validated, 2)))
        val = world["val"]
        shown = {column.name for column in world["found"].samples.metadata}
        assert {"objects in the image", "smallest area share"} <= shown
        assert not shown & {"errors_missed", "errors_false"}
        assert val.box.image_metrics["43.png"]["tp"] == 1
    else:
        val = validated(2, data="data.yaml", conf=0.25)
    table = errata.from_ultralytics(val, "data/labels/val").to_pandas()
    rows = table["id"].str.removesuffix(".png").astype(int)
    assert sorted(rows) == list(range(44))
    assert table["objects in the image"].tolist() == [row % 3 for row in rows]
    wanted = np.choose(rows % 3, [np.full(44, np.nan), sides[rows] ** 2, sides[rows] ** 2 / 4])
    np.testing.assert_allclose(table["smallest area share"], wanted, rtol=1e-6)
    measured = list(getattr(val, part).image_metrics.values())
    assert table["loss"].tolist() == [1 - image["f1"] for image in measured]
    assert table["wrong"].tolist() == [image["fp"] + image["fn"] > 0 for image in measured]


def test_an_estimator_of_scikit_learn_runs() -> None:
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    X, y = np.random.default_rng(0).normal(size=(30, 3)), np.array(["cat", "dog", "owl"] * 10)
    table = run(block("scikit-learn"), model=LogisticRegression(), X=X, y=y)
    scores: Any = cross_val_predict(LogisticRegression(), X, y, cv=5, method="predict_proba")
    wanted = -np.log(scores[np.arange(30), np.tile([0, 1, 2], 10)])
    np.testing.assert_allclose(table["cross_entropy"], wanted)
    np.testing.assert_allclose(np.stack(table["embedding"].tolist()), X)


def test_a_pipeline_of_transformers_runs() -> None:
    """A pipeline answers with a list for each text, its classes in the order of their scores."""
    scores = np.linspace(0.1, 0.9, N)

    def classify(texts: list[str], truncation: bool) -> list[list[dict[str, Any]]]:
        pairs = [sorted({"bad": 1 - p, "good": p}.items(), key=lambda pair: -pair[1]) for p in scores]
        return [[{"label": name, "score": score} for name, score in answers] for answers in pairs]

    classify.model = SimpleNamespace(config=SimpleNamespace(id2label={0: "bad", 1: "good"}))  # type: ignore[attr-defined]
    texts = [f"text {i}" for i in range(N)]
    table = run(block("Texts"), classify=classify, texts=texts, labels=["good"] * N)
    np.testing.assert_allclose(table["cross_entropy"], -np.log(scores))
