"""The served page as a program sees it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.support.diagnoses import draw_picture
from tests.support.showcase import make_showcase, write_examples

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    import core.encoders
    from tests.support.showcase import PlainEncoder
    from webapp.app import build_app
    from webapp.server.settings import launch_settings

    with pytest.MonkeyPatch.context() as patch:
        real = core.encoders.load_encoder
        patch.setattr(
            core.encoders,
            "load_encoder",
            lambda name="embedded", **kw: PlainEncoder() if name == "plain" else real(name, **kw),
        )
        demo = build_app(examples=write_examples(tmp_path_factory.mktemp("examples")))
        _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
        yield address
        demo.close()


@pytest.fixture(scope="module")
def client(served: str) -> Any:
    from gradio_client import Client

    return Client(served, verbose=False)


def test_exactly_these_public_endpoints_are_offered(client: Any) -> None:
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {
        "/diagnose",
        "/runs",
        "/findings",
        "/samples",
        "/clusters",
        "/select",
        "/report",
        "/ask",
        "/audit",
        "/predict",
        "/probe",
        "/compare",
        "/compose",
        "/propose",
    }


def test_clusters_are_those_of_the_run(client: Any) -> None:
    said = client.predict(run="example-streets", api_name="/clusters")
    assert [c["id"] for c in said["clusters"]] == [0, 1, 2]
    assert said["n"] == 600


def test_findings_are_read_on_in_samples(client: Any) -> None:
    found = client.predict(run="example-streets", api_name="/findings")
    first = next(entry for entry in found["findings"] if entry["kind"] == "group")
    read = client.predict(run="example-streets", finding=first["number"], n=2, api_name="/samples")
    assert read["total"] == first["size"]
    assert len(read["samples"]) == 2
    assert found["page"] == "?run=example-streets"


def test_a_program_lists_its_own_runs_and_no_other_program_does(client: Any, served: str, tmp_path: Path) -> None:
    from gradio_client import Client, handle_file

    from tests.webapp.compare.test_new_data import files

    table, vectors = files(tmp_path, 60, 8)
    options = {"title": "mine alone"}
    run = client.predict(handle_file(table), None, handle_file(vectors), options, api_name="/diagnose")
    first = client.predict(api_name="/runs")["runs"][0]
    assert (first["run"], first["title"], first["n"]) == (run, "mine alone", 60)
    other = Client(served, verbose=False).predict(api_name="/runs")["runs"]
    assert "example-streets" in [entry["run"] for entry in other]
    assert run not in [entry["run"] for entry in other]


def test_a_shared_run_whose_file_is_gone_is_listed_with_its_problem(client: Any, tmp_path: Path) -> None:
    from webapp.state.runs import RUNS

    gone = RUNS.offer(tmp_path / "gone.errata", "run-99")
    listed = {entry["run"]: entry for entry in client.predict(api_name="/runs")["runs"]}
    assert "cannot be opened" in listed[gone]["problem"]
    assert listed["example-streets"]["n"] == 600


def test_select_counts_what_lies_in_the_polygon(client: Any) -> None:
    xy = make_showcase().map.xy
    middle = float(np.median(xy[:, 0]))
    said = client.predict(
        run="example-streets", polygon=[[middle, -99], [99, -99], [99, 99], [middle, 99]], api_name="/select"
    )
    assert said["count"] == int((xy[:, 0] > middle).sum()) or said["count"] == int((xy[:, 0] >= middle).sum())
    assert len(said["ids"]) == said["count"]
    assert said["exploratory"] is True
    everything = client.predict(
        run="example-streets", polygon=[[-99, -99], [99, -99], [99, 99], [-99, 99]], api_name="/select"
    )
    json.dumps(everything, allow_nan=False)  # with nothing outside there is no difference to tell


def test_a_question_is_answered_with_its_p_its_ids_and_a_sentence(client: Any) -> None:
    said = client.predict(run="example-streets", texts=["in the dark", "in fog"], api_name="/ask")
    first = said["answers"][0]
    assert first["confirmed"] is True
    assert first["support"] == len(first["ids"])
    assert first["observed"]["low"] <= first["observed"]["value"] <= first["observed"]["high"]
    assert "in the dark" in first["sentence"]
    assert said["difference"]["observed"]["value"] > 0


def test_the_audit_lists_every_phrase_in_every_class(client: Any) -> None:
    said = client.predict(run="example-streets", family="light", api_name="/audit")
    assert [cell["scope"] for cell in said] == ["all samples", "bus", "car", "tram"]
    assert len(client.predict(run="example-streets", family="", api_name="/audit")) == 20


def test_findings_are_tried_on_fresh_samples(client: Any, tmp_path: Path) -> None:
    from gradio_client import handle_file

    from tests.webapp.compare.test_new_data import files

    (table, vectors), (fresh, fresh_vectors) = files(tmp_path, 240, 5), files(tmp_path, 240, 6)
    run = client.predict(
        table=handle_file(table),
        images=None,
        embeddings=handle_file(vectors),
        options={"hold_back": 0.25},
        api_name="/diagnose",
    )
    assert client.predict(run=run, api_name="/clusters")["prediction"]["n_fresh"] == 60
    said = client.predict(
        run=run, table=handle_file(fresh), images=None, embeddings=handle_file(fresh_vectors), api_name="/predict"
    )
    assert said["n_fresh"] == 240
    assert len(said["digest"]) == 64
    assert said["rows"][0]["sentence"]


def test_a_probe_runs_on_an_example_and_is_compared_without_changing_it_for_others(client: Any, served: str) -> None:
    from gradio_client import Client

    said = client.predict(run="example-streets", name="zero-shot", settings={}, api_name="/probe")
    assert said["name"] == "zero-shot"
    assert said["accuracy"]["low"] <= said["accuracy"]["value"] <= said["accuracy"]["high"]
    assert said["comparison"]["n"] == 600
    own = {"templates": "own", "own_templates": "a dark {}."}
    again = client.predict(run="example-streets", name="zero-shot", settings=own, api_name="/probe")
    assert again["name"] == "zero-shot, own templates"
    beside = client.predict(run="example-streets", a=said["name"], b=again["name"], api_name="/compare")
    whole = beside["scopes"][0]
    assert whole["fixed"] + whole["broken"] + whole["both"] + whole["neither"] == beside["n"] == 600
    stranger = Client(served, verbose=False)
    with pytest.raises(Exception, match="no result called"):
        stranger.predict(run="example-streets", a="model", b="zero-shot", api_name="/compare")


def test_a_program_brings_a_pool_of_pictures(client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gradio_client import handle_file

    from core.systems.probes.base import Images
    from core.systems.probes.few_shot.pools import ImagePool

    brought: list[bytes] = []

    def read_pool(path: str, *_: Any, samples: Any, **how: Any) -> ImagePool:
        brought.append(Path(path).read_bytes())
        return ImagePool(Images(samples[:8], tuple("abcdefgh")), ("Read.",))

    monkeypatch.setattr("core.systems.probes.few_shot.pools.read_pool", read_pool)
    with zipfile.ZipFile(tmp_path / "pool.zip", "w") as pack:
        pack.writestr("1.png", draw_picture(1))
    pool, own = handle_file(tmp_path / "pool.zip"), {"per_class": "2", "pool_folders": "none"}
    said = client.predict(run="example-streets", name="sus-x", settings=own, pool=pool, api_name="/probe")
    assert brought == [(tmp_path / "pool.zip").read_bytes()]
    assert (said["settings"]["pool"], said["settings"]["pool_folders"]) == ("pool.zip", "none")
    with pytest.raises(Exception, match="does not use a pool"):
        client.predict(run="example-streets", name="zero-shot", settings={}, pool=pool, api_name="/probe")


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("oracle", {}, "Unknown probe"),
        ("zero-shot", {"templates": "81"}, "templates must be one of"),
        ("zero-shot", {"descriptions": "/etc/passwd"}, "must be JSON text"),
        ("coop", {"save": "/tmp/x"}, "path on the server"),
        ("zero-shot", [1], "must be an object"),
    ],
)
def test_a_wrong_probe_or_setting_gets_one_message(client: Any, name: str, settings: Any, said: str) -> None:
    with pytest.raises(Exception, match=said):
        client.predict(run="example-streets", name=name, settings=settings, api_name="/probe")


def test_the_report_is_one_document(client: Any) -> None:
    said = client.predict(run="example-nothing", api_name="/report")
    assert said.lstrip().lower().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("/clusters", {"run": "someone-else"}),
        ("/clusters", {"run": ["someone-else"]}),
        ("/report", {"run": "../../etc/passwd"}),
        ("/select", {"run": "example-streets", "polygon": [[0, "x"]]}),
        ("/select", {"run": "example-streets", "polygon": [[0, 0]] * 5000}),
        ("/ask", {"run": "example-nothing", "texts": ["a dog"]}),
        ("/ask", {"run": "example-streets", "texts": []}),
        ("/ask", {"run": "example-streets", "texts": ["🙂"]}),
        ("/ask", {"run": "example-streets", "texts": ["a" * 5000]}),
        ("/ask", {"run": "example-streets", "texts": {"a": 1}}),
        ("/audit", {"run": "example-streets", "family": "smell"}),
        ("/audit", {"run": "example-nothing", "family": ""}),
    ],
)
def test_a_wrong_question_gets_one_message(client: Any, endpoint: str, said: dict[str, Any]) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError) as caught:
        client.predict(**said, api_name=endpoint)
    assert "Traceback" not in str(caught.value)
    assert len(str(caught.value)) > 20


def test_diagnose_runs_an_upload_and_its_id_is_the_key_to_the_result(client: Any, tmp_path: Path) -> None:
    from gradio_client import handle_file

    vectors = np.random.default_rng(0).normal(size=(80, 6)).astype(np.float32)
    np.save(tmp_path / "vectors.npy", vectors)
    (tmp_path / "losses.csv").write_text(
        "id,badness\n" + "".join(f"s{i},{abs(v):.4f}\n" for i, v in enumerate(vectors[:, 0]))
    )
    files = {
        "table": handle_file(str(tmp_path / "losses.csv")),
        "images": None,
        "embeddings": handle_file(str(tmp_path / "vectors.npy")),
    }
    run = client.predict(**files, options={"loss": "badness", "id": "id", "seed": 3}, api_name="/diagnose")
    said = client.predict(run=run, api_name="/clusters")
    assert said["n"] == 80
    assert said["settings"]["seed"] == 3


@pytest.mark.parametrize(
    "options",
    [
        {"encoder": "local-dir:/etc"},
        {"images": "/etc"},
        [1, 2],
        {"seed": "x"},
        {"loss": 3},
        {"loss": ["loss", "speed"]},
        {"probabilities": "loss"},
        {"conditions": [None]},
        {"texts": "loss"},
        {"masks": ["loss"]},
        {"higher_is_better": "no"},
        {"hold_back": "a third"},
        {"within": "bus"},
    ],
)
def test_diagnose_takes_no_path_no_unknown_option_and_no_wrong_kind(client: Any, tmp_path: Path, options: Any) -> None:
    from gradio_client import handle_file
    from gradio_client.exceptions import AppError

    (tmp_path / "losses.csv").write_text("id,loss\na,1\n")
    with pytest.raises(AppError, match="must be"):
        client.predict(
            table=handle_file(str(tmp_path / "losses.csv")),
            images=None,
            embeddings=None,
            options=options,
            api_name="/diagnose",
        )


@pytest.mark.parametrize(
    "forged", [{"path": "/etc/hostname"}, {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}]
)
def test_a_path_that_was_not_uploaded_is_refused(served: str, forged: dict[str, Any]) -> None:
    config = httpx.get(f"{served}config").json()
    index = next(d["id"] for d in config["dependencies"] if d["api_name"] == "diagnose")
    said = httpx.post(
        f"{served}gradio_api/queue/join",
        json={"data": [forged, None, None, {}], "fn_index": index, "session_hash": f"forger-{len(forged)}"},
    )
    assert said.status_code == 400
    assert "Upload the file" in said.json()["detail"]


@pytest.mark.parametrize("path", ["core/records/diagnosis.py", "requirements.txt", ".git/config"])
def test_no_file_of_the_repository_is_served(served: str, repository: Path, path: str) -> None:
    answer = httpx.get(f"{served}gradio_api/file={repository / path}")
    assert answer.status_code in (403, 404)


def test_the_run_history_is_off_and_no_upload_may_be_boundless(served: str) -> None:
    config = httpx.get(f"{served}config").json()
    assert not config.get("run_history")
    assert config["max_file_size"]
    assert config["analytics_enabled"] is False


def test_a_benchmark_of_composition_is_run_by_name(client: Any) -> None:
    said = client.predict(name="rendered:60", file=None, images=None, options={}, api_name="/compose")
    (found,) = said["results"]
    assert found["n"] == 60
    assert found["headline"] == "image"
    metric = next(m for m in found["metrics"] if m["key"] == "image")
    assert 0 <= metric["value"]["low"] <= metric["value"]["value"] <= metric["value"]["high"] <= 1
    assert metric["chance"] == 0.25


def test_composition_opens_no_path_that_a_program_names(client: Any) -> None:
    for name, options in (
        ("/etc", {}),
        ("server:etc", {}),
        ("rendered:60", {"encoder": "local-dir:/tmp"}),
        ("rendered:60", {"root": "/"}),
    ):
        with pytest.raises(Exception, match=r"Choose|cannot be used|no longer|must be an object"):
            client.predict(name=name, file=None, images=None, options=options, api_name="/compose")
