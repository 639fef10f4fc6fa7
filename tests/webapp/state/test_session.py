"""What a visitor's session holds, and who may open which run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from core.data.samples import DataSet
from core.discovery.prepare import embed
from core.discovery.settings import EmbeddingSettings
from core.errors import Cancelled, InvalidInput
from core.records import Diagnosis, FailureMap
from core.store import save
from webapp.state.downloads import FILES, ready_file
from webapp.state.home import home
from webapp.state.runs import Runs
from webapp.state.session import Session, picked_cluster, selected_rows, shows_errors


def test_a_run_is_found_again_under_an_id_that_cannot_be_guessed(diagnosis: Diagnosis) -> None:
    runs = Runs()
    one, other = runs.add(diagnosis), runs.add(diagnosis)
    assert one != other
    assert len(one) >= 22  # 128 bits in base64
    np.testing.assert_array_equal(runs.get(one).outcomes.loss, diagnosis.outcomes.loss)


@pytest.mark.parametrize("run", ["", "nope", "../../etc", "example-streets"])
def test_an_unknown_id_opens_nothing(run: str) -> None:
    with pytest.raises(InvalidInput, match="no longer has this run"):
        Runs().get(run)


def test_a_removed_run_is_gone_and_an_example_stays(diagnosis: Diagnosis, tmp_path: Path) -> None:
    save(diagnosis, tmp_path / "streets" / "run.errata")
    runs = Runs()
    own, example = runs.add(diagnosis), runs.offer(tmp_path / "streets" / "run.errata")
    folder = runs.path(own)
    for run in (own, example, "unknown"):
        runs.remove(run)
    assert not folder.exists()
    assert len(runs.get(example).samples) == 60
    with pytest.raises(InvalidInput):
        runs.get(own)


def test_a_better_map_takes_the_place_of_the_quick_one_under_the_same_id(diagnosis: Diagnosis) -> None:
    runs = Runs()
    run = runs.add(diagnosis)
    before = runs.path(run)
    runs.replace(run, replace(diagnosis, map=FailureMap(np.ones((60, 2), np.float32), "umap")))
    assert runs.get(run).map.method == "umap"
    assert not before.exists()


def test_two_results_that_are_added_to_a_run_at_once_both_stay(diagnosis: Diagnosis) -> None:
    runs, started = Runs(), threading.Barrier(2)
    run = runs.add(diagnosis)

    def add(note: str) -> None:
        started.wait(60)
        runs.change(run, lambda now: replace(now, notes=(*now.notes, note)))

    threads = [threading.Thread(target=add, args=(note,)) for note in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {"one", "two"} <= set(runs.get(run).notes)


def test_a_selection_is_a_cluster_a_candidate_a_row_or_an_outline(diagnosis: Diagnosis) -> None:
    cluster = diagnosis.clusters[1]
    np.testing.assert_array_equal(
        selected_rows(Session("r", cluster=1), diagnosis), np.flatnonzero(cluster.membership >= 0.5)
    )
    np.testing.assert_array_equal(
        selected_rows(Session("r", candidate=0), diagnosis), np.flatnonzero(diagnosis.candidates[0].membership >= 0.5)
    )
    assert selected_rows(Session("r", row=4), diagnosis).tolist() == [4]
    wide = ((-9.0, -9.0), (9.0, -9.0), (9.0, 9.0), (-9.0, 9.0))
    assert len(selected_rows(Session("r", polygon=wide), diagnosis)) == 60
    assert not Session("r").picked
    assert Session("r", row=0).picked


@pytest.mark.parametrize(
    "session",
    [Session("r", cluster=9), Session("r", cluster=-1), Session("r", candidate=5), Session("r", candidate=-1)],
)
def test_a_cluster_that_is_not_there_is_refused(session: Session, diagnosis: Diagnosis) -> None:
    what, number = ("group", session.cluster) if session.cluster is not None else ("hint", session.candidate)
    assert number is not None
    with pytest.raises(InvalidInput, match=rf"has \d+ {what}s?, not number {number + 1}"):
        picked_cluster(session, diagnosis)


def test_errors_of_the_user_become_one_message_and_other_errors_pass() -> None:
    def refuse() -> None:
        raise InvalidInput("alpha must lie between 0 and 1: got 7<a href=//x>.")

    def stop() -> Iterator[int]:
        yield 1
        raise Cancelled("The run was stopped.")

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(gr.Error, match="got 7<a href"):  # the page escapes it, once
        shows_errors(refuse)()
    stream = shows_errors(stop)()
    assert next(stream) == 1
    with pytest.raises(gr.Error, match="stopped"):
        next(stream)
    with pytest.raises(ZeroDivisionError):
        shows_errors(fail)()


def test_a_package_that_is_missing_is_named_and_a_module_of_ours_is_a_fault() -> None:
    def needs(name: str) -> Iterator[None]:
        yield None
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    with pytest.raises(gr.Error, match=r"needs open_clip_torch\. Run `pip install open_clip_torch`"):
        list(shows_errors(needs)("open_clip"))
    with pytest.raises(ModuleNotFoundError):
        list(shows_errors(needs)("core.systems.probes.none_such"))


@pytest.mark.parametrize(("text", "least", "most"), [("Too short.", 10, 10), ("long " * 100, 20, 60)])
def test_an_error_goes_away_by_itself_once_it_can_have_been_read(text: str, least: float, most: float) -> None:
    def refuse() -> None:
        raise InvalidInput(text)

    with pytest.raises(gr.Error) as shown:
        shows_errors(refuse)()
    assert shown.value.duration is not None
    assert least <= shown.value.duration <= most


def test_an_error_names_the_boxes_of_the_page(diagnosis: Diagnosis) -> None:
    def refuse() -> None:
        embed(DataSet(replace(diagnosis.samples, items=None), diagnosis.outcomes, None, (), ()), EmbeddingSettings())

    with pytest.raises(gr.Error) as shown:
        shows_errors(refuse)()
    assert "--" not in shown.value.message
    assert (
        'Add "Images" (zip or tar), "Text" (under "Fix columns") or "Your own embeddings" (npy' in shown.value.message
    )


def test_downloads_of_an_example_are_copies_outside_its_folder(diagnosis: Diagnosis, tmp_path: Path) -> None:
    run = tmp_path / "repository" / "run.errata"
    save(diagnosis, run)
    files = [ready_file(diagnosis, run, name) for name, _ in FILES]
    assert [path.name for path in files] == [name for name, _ in FILES]
    assert all(path.stat().st_size > 100 and path.is_relative_to(home()) for path in files)
    assert list(run.parent.iterdir()) == [run]
