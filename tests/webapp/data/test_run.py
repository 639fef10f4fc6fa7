"""The form of "New run": what stands in it reaches the run, and what cannot be used is refused before the run
begins."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from core.data.tasks.options import TaskOptions
from core.discovery.settings import EmbeddingSettings
from core.errors import InvalidInput
from core.files import default_cache
from core.records import Embeddings, FailureMap, Progress, no_progress
from tests.support.detections import make
from tests.support.diagnoses import make_diagnosis
from tests.support.visits import serve
from webapp.data import run as your_data
from webapp.data.following import on_run, refine_map
from webapp.data.run import AUTOMATIC, make_run, read_phrases, read_share
from webapp.explore.overview import notes_section
from webapp.markup.images import picture
from webapp.state.caches import cache_of
from webapp.state.choices import ROLE_NAMES
from webapp.state.quotas import AT_HOME, SHARED, quotas, set_quotas
from webapp.state.runs import RUNS


def the_form(phrases: str | None) -> tuple[Any, ...]:
    return (
        "table.csv",
        None,
        None,
        "",
        AUTOMATIC,
        False,
        "embedded",
        phrases,
        0.1,
        7,
        0.25,
        ["bus"],
        False,
        *([None] * len(ROLE_NAMES)),
        "rows",
        None,
    )


def test_own_phrases_and_settings_reach_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.txt"
    own.write_text("light: by torchlight\nwith a red collar\n")
    seen: dict[str, Any] = {}

    def run(given: Any, roles: Any, encoder: str, settings: Any, progress: Any, **kwargs: Any) -> str:
        seen.update(kwargs, encoder=encoder, alpha=settings.alpha, seed=settings.seed, within=settings.within)
        return "run"

    monkeypatch.setattr(your_data, "run_diagnosis", run)
    job = make_run((), None, *the_form(str(own))).start()
    assert job.wait(60)
    assert job.result == "run"
    settings = {"alpha": 0.1, "seed": 7, "within": ("bus",)}
    assert seen == {"hold_back": 0.25, "vocabulary": own, "encoder": "embedded", "run": job.id, **settings}


def test_chosen_masks_reach_the_run_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(your_data, "run_diagnosis", lambda given, roles, *_, **__: seen.append(roles.masks))
    columns = [("out", "", ()), ("gt", "", ())]
    picked = {"true mask": "gt", "predicted mask": "out"}
    said = [*the_form(None)[: -len(ROLE_NAMES) - 2], *(picked.get(role) for role in ROLE_NAMES), "rows", None]
    assert make_run(columns, None, *said).start().wait(10)
    assert seen == [("gt", "out")]


def test_own_phrases_are_what_core_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def diagnose(data: Any, embedding: EmbeddingSettings, **kwargs: Any) -> Any:
        given.update(vocabulary=embedding.vocabulary)
        raise InvalidInput("far enough")

    monkeypatch.setattr("core.data.tasks.read.read_task", lambda *_: None)
    monkeypatch.setattr("core.diagnose.diagnose_data_set", diagnose)
    with pytest.raises(InvalidInput, match="far enough"):
        your_data.run_diagnosis(
            TaskOptions(),
            your_data.Roles(),
            "embedded",
            your_data.make_settings(0.05, 0, quick_map=True),
            no_progress,
            vocabulary=tmp_path,
        )
    assert given["vocabulary"] == tmp_path


def test_phrases_that_cannot_be_read_are_refused_before_the_run_begins(tmp_path: Path) -> None:
    assert read_phrases(None) is None
    empty, broken = tmp_path / "empty.txt", tmp_path / "broken.json"
    empty.write_text("# nothing\n")
    broken.write_text("{")
    with pytest.raises(InvalidInput, match="Add some"):
        make_run((), None, *the_form(str(empty)))
    with pytest.raises(InvalidInput, match=r"broken\.json"):
        read_phrases(str(broken))


def test_the_part_to_hide_is_one_of_three() -> None:
    assert [read_share(share) for share in (0.0, 0.25, 0.33)] == [0.0, 0.25, 0.33]
    for wrong in (None, 0.9, "a third", -1):
        with pytest.raises(InvalidInput, match="nothing, a quarter, a third"):
            read_share(wrong)


def test_classes_to_search_inside_are_names() -> None:
    for none in (None, [], ()):
        assert your_data.make_settings(0.05, 0, none, quick_map=True).within == ()
    for wrong in ("bus", [3], {"bus": 1}, ["bus"] * 1001):
        with pytest.raises(InvalidInput, match="must be a list of at most 1,000 names"):
            your_data.make_settings(0.05, 0, wrong, quick_map=True)


def test_a_seed_that_is_no_number_is_refused() -> None:
    for seed in (float("inf"), float("nan"), None):
        with pytest.raises(InvalidInput, match="alpha and seed must be numbers"):
            your_data.make_settings(0.05, seed, quick_map=True)


def test_the_result_says_which_classes_were_searched(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table, vectors = tmp_path / "table.csv", tmp_path / "vectors.npy"
    names = ["bus", "tram", "car"]
    table.write_text("id,label,loss\n" + "".join(f"{i},{names[i % 3]},{rng.random()}\n" for i in range(180)))
    np.save(vectors, rng.normal(size=(180, 8)).astype(np.float32))
    given = TaskOptions(table=table, embeddings=vectors)
    settings = replace(your_data.make_settings(0.05, 0, ["tram"], quick_map=True), n_permutations=100, alpha=0.2)
    run = your_data.run_diagnosis(given, your_data.Roles(), "embedded", settings, no_progress)
    said = "Searched all samples, and inside tram only, as you chose beforehand."
    assert said in RUNS.get(run).notes
    assert said in notes_section(RUNS.get(run))
    wrong = replace(settings, within=("plane",))
    with pytest.raises(InvalidInput, match="Cannot search inside 'plane'"):
        your_data.run_diagnosis(given, your_data.Roles(), "embedded", wrong, no_progress)


def test_vectors_are_kept_from_one_run_to_the_next_and_never_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    given = list[Any]()

    def diagnose(data: Any, embedding: EmbeddingSettings, **kwargs: Any) -> Any:
        given.append(embedding.cache)
        raise InvalidInput("far enough")

    monkeypatch.setattr("core.data.tasks.read.read_task", lambda *_: None)
    monkeypatch.setattr("core.diagnose.diagnose_data_set", diagnose)
    before = quotas()
    try:
        for limits, visit in ((AT_HOME, ""), (SHARED, "ann"), (SHARED, "ben"), (SHARED, "")):
            set_quotas(limits)
            serve(visit)
            settings = your_data.make_settings(0.05, 0, quick_map=True)
            with pytest.raises(InvalidInput, match="far enough"):
                your_data.run_diagnosis(TaskOptions(), your_data.Roles(), "embedded", settings, no_progress)
    finally:
        set_quotas(before)
    assert given == [default_cache(), cache_of("ann"), cache_of("ben"), None]
    assert cache_of("ann") != cache_of("ben")


@pytest.mark.parametrize("looks", [False, True])
def test_the_better_map_is_drawn_whether_or_not_the_page_stays_open(
    looks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_draw = Event()

    def drawn(embeddings: Embeddings, *, seed: int, progress: Progress) -> FailureMap:
        while not may_draw.wait(0.05):
            progress("map", 0, 1)  # raises where it was stopped
        return FailureMap(np.ones((len(embeddings), 2), np.float32), "umap")

    diagnosis = make_diagnosis()
    monkeypatch.setattr("core.data.tasks.read.read_task", lambda *_: None)
    monkeypatch.setattr("core.diagnose.diagnose_data_set", lambda *_, **__: diagnosis)
    monkeypatch.setattr("core.embeddings.projection.umap_map", drawn)
    followed = list(on_run((), None, *the_form(None)))  # to its end, as a page does
    run = followed[-1][2]
    assert RUNS.get(run).map.method == "pca"
    page = refine_map(run)
    if looks:
        assert next(page) is False
    page.close()  # the tab is closed
    may_draw.set()
    until = time.monotonic() + 20
    while RUNS.get(run).map.method == "pca" and time.monotonic() < until:
        time.sleep(0.05)
    assert RUNS.get(run).map.method == "umap"
    assert list(refine_map(run))[-1]


def test_each_task_of_the_form_is_read_as_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(your_data, "run_diagnosis", lambda task, roles, *_, **__: seen.append((task, roles)))

    def pressed(task: str, table: str, images: str | None = None, second: str | None = None, **picked: Any) -> None:
        _, _, *settings = the_form(None)[: -len(ROLE_NAMES) - 2]
        chosen = [picked.get(role) for role in ROLE_NAMES]
        assert make_run((), None, table, images, *settings, *chosen, task, second).start().wait(10)

    made = make(tmp_path).write()
    pressed("detections", str(made.predictions), "images.zip", str(made.truth))
    task, _ = seen.pop()
    assert (task.table, task.images) == (None, Path("images.zip"))
    assert (task.detections, task.truth) == (made.predictions, made.truth)
    pressed("masks", "table.csv")
    assert seen.pop()[0] == TaskOptions(Path("table.csv"), per_class=True)
    pressed("labels", "table.csv", labels=["true_cat", "true_dog"], logits=["logit_cat", "logit_dog"])
    task, roles = seen.pop()
    assert task == TaskOptions(Path("table.csv"), labels=("true_cat", "true_dog"))
    assert roles.logits == ("logit_cat", "logit_dog")
    with pytest.raises(InvalidInput, match="Detections need the images"):
        pressed("detections", str(made.predictions), None, str(made.truth))
    with pytest.raises(InvalidInput, match="Choose them in Fix columns"):
        pressed("labels", "table.csv")
    with pytest.raises(InvalidInput, match="The task must be one of"):
        pressed("everything", "table.csv")


def test_detections_run_from_the_form_and_show_their_boxes(tmp_path: Path) -> None:
    made = make(tmp_path).write()
    images = shutil.make_archive(str(tmp_path / "images"), "zip", made.pictures)
    settings = list(the_form(None)[4:13])
    settings[7] = []  # classes to search inside
    inputs = [str(made.truth), images, None, "", *settings, *([None] * len(ROLE_NAMES)), "detections"]
    job = make_run((), None, *inputs, str(made.predictions)).start()
    assert job.wait(300)
    diagnosis = RUNS.get(str(job.result))
    assert diagnosis.outcomes.name == "missed"
    assert f"/{RUNS.link(str(job.result))}/0/whole?" in picture(diagnosis, 0)
