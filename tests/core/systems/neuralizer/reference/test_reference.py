"""Masks from low-loss scans of the same upload, and a stand-in loss that is refused where it orders nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.cli.main import main
from core.data.images.outlines import COLOURS, REFERENCE_COLOUR
from core.data.tables.roles import COLUMNS, Roles
from core.errors import InvalidInput
from core.records import Diagnosis
from core.store import load, save
from core.systems.neuralizer.network import Neuralizer
from core.systems.neuralizer.reference import html as page, masks as of_masks
from core.systems.neuralizer.reference.masks import ReferenceMasks, dice_losses, reference_masks
from core.systems.neuralizer.reference.read import MaskSquares, read_squares
from core.systems.neuralizer.reference.standin import Standin, _groups, measure_standin, rank_correlation
from core.systems.neuralizer.reference.wording import KEY, reference_lines
from core.systems.neuralizer.weights import read_network
from research.examples.planted_scans import plant_scans, write_planted
from research.weights.neuralizer.drawn_scans import SIDE
from tests.support.commands import report_of
from tests.support.showcase import make_showcase
from webapp.explore.overview import notes_section

N, UNKNOWN = 40, 8


@pytest.fixture(scope="module")
def network() -> Neuralizer:
    return read_network()[0]


@pytest.fixture(scope="module")
def upload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 scans, a quarter with a bias field; the last 8 have no true mask."""
    folder = tmp_path_factory.mktemp("upload")
    table = write_planted(plant_scans(N, share=0.25, side=SIDE), folder)
    frame = pd.read_csv(table)
    frame.loc[N - UNKNOWN :, "true_mask"] = None
    frame.to_csv(table, index=False)
    return folder


@pytest.fixture(scope="module")
def scans(upload: Path) -> MaskSquares:
    return read_squares(upload / "scans.csv", upload, SIDE)


def run_of(scans: MaskSquares, groups: Sequence[int] | None = None) -> Diagnosis:
    """A run whose first samples are the labeled scans, with their losses."""
    made = make_showcase()
    known = np.flatnonzero(scans.labelled)
    ids = (*(scans.ids[k] for k in known), *made.samples.ids[len(known) :])
    loss = made.outcomes.loss.copy()
    true, predicted = scans.of(scans.structures[0])
    loss[: len(known)] = dice_losses(predicted, true)[known]
    numbers = None if groups is None else np.resize(np.array(groups, np.int64), len(ids))
    samples = replace(made.samples, ids=ids, groups=numbers, modality="scan", items=None)
    return replace(made, samples=samples, outcomes=replace(made.outcomes, loss=loss))


@pytest.fixture(scope="module")
def measured(scans: MaskSquares, network: Neuralizer) -> Standin:
    return measure_standin(run_of(scans), scans, network)[0]


def test_scans_without_a_true_mask_are_read_and_told_apart(scans: MaskSquares) -> None:
    planted = plant_scans(N, share=0.25, side=SIDE)
    assert scans.labelled.tolist() == [True] * (N - UNKNOWN) + [False] * UNKNOWN
    assert scans.structures == (0,)
    assert scans.images.shape == (N, 1, SIDE, SIDE)
    true, predicted = scans.of(0)
    assert (true[3, 0] == planted.masks[3]).all()
    assert not true[-1].any()
    assert predicted[-1].any()


def test_a_true_mask_that_is_named_and_not_there_makes_no_unlabelled_scan(upload: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(upload / "scans.csv")
    frame.loc[0, "true_mask"] = "gone.png"
    frame.loc[1, "predicted_mask"] = None
    frame.to_csv(tmp_path / "scans.csv", index=False)
    found = read_squares(tmp_path / "scans.csv", upload, SIDE)
    assert found.ids[0] == "scan0002.nii.gz"
    assert any("true mask" in note for note in found.notes)
    frame["true_mask"] = None
    frame.to_csv(tmp_path / "none.csv", index=False)
    with pytest.raises(InvalidInput):
        read_squares(tmp_path / "none.csv", upload, SIDE)


@pytest.mark.slow
@pytest.mark.parametrize(("wrong", "said"), [(2**64 - 1, "the limit is 2,147,483,647"), (None, "more than 64 values")])
def test_a_mask_of_no_classes_is_left_out_with_the_reason(wrong: int | None, said: str, tmp_path: Path) -> None:
    table = ["file,true_mask,predicted_mask"]
    for k in range(3):
        voxels = np.arange(8 * 3 * 9, dtype=np.uint64).reshape(8, 3, 9)
        mask = voxels if wrong is None and k == 1 else np.where(voxels > 50, wrong if wrong and k == 1 else 1, 0)
        np.savez(tmp_path / f"s{k}.npz", volume=voxels.astype(np.float32))
        np.savez(tmp_path / f"m{k}.npz", volume=mask.astype(np.uint64))
        table.append(f"s{k}.npz,m{k}.npz,m{k}.npz")
    (tmp_path / "table.csv").write_text("\n".join(table))
    found = read_squares(tmp_path / "table.csv", tmp_path, 16, Roles(modality="scan"))
    assert len(found) == 2
    assert said in " ".join(found.notes)


def test_the_reference_is_better_than_vote_and_control_on_white_matter(measured: Standin) -> None:
    (one,) = measured.structures
    assert one.n == measured.n == N - UNKNOWN
    assert one.dice["network"].low > one.dice["vote"].high
    assert one.dice["control"].high < 0.4
    assert one.gain.low > 0


@pytest.mark.slow
def test_a_stand_in_is_offered_where_it_orders_the_labelled_scans(measured: Standin) -> None:
    assert measured.best == "network"
    assert not measured.refusal
    assert measured.correlation["network"].value > measured.correlation["control"].value + 0.2
    assert np.isfinite(measured.standin["network"]).all()
    assert np.isnan(measured.loss[~measured.labelled]).all()
    said = reference_lines(measured.document())
    assert "the network is better" in said[0]
    assert "may stand in for the loss of 8 scans" in said[-1]


@pytest.mark.slow
def test_a_stand_in_that_orders_nothing_is_refused_and_so_are_few_labels(
    measured: Standin, scans: MaskSquares, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, known = np.random.default_rng(0), measured.labelled
    shuffled = rank_correlation(
        rng.permutation(measured.loss[known]), measured.standin["network"][known], None, looks=2
    )
    bad = replace(measured, correlation={**measured.correlation, "network": shuffled, "vote": shuffled})
    assert "may be as low as" in bad.refusal
    assert reference_lines(bad.document())[-1].startswith("Errata offers no stand-in: its rank correlation")
    assert "and 20 are needed" in replace(measured, n=19).refusal
    monkeypatch.setattr(page, "_draw_outlines", lambda *_: "")
    masks: Any = [SimpleNamespace(rows=np.arange(N))]
    said = [one.line for one in page.shown_scans(scans, bad, masks, N)]
    assert ["disagreement" in line for line in said] == [True] * (N - UNKNOWN) + [False] * UNKNOWN
    assert set(said[-UNKNOWN:]) == {"no true mask"}
    assert all("disagreement" in one.line for one in page.shown_scans(scans, measured, masks, N))


def test_a_reference_mask_is_drawn_in_a_colour_of_its_own_and_the_legend_names_it(
    scans: MaskSquares, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = list[Image.Image]()
    monkeypatch.setattr(page, "webp", lambda picture: drawn.append(picture) or b"")
    way = {"network": np.ones((N, 1, SIDE, SIDE), np.bool_)}
    page._draw_outlines(scans, [ReferenceMasks(0, np.arange(N), way)], 0, 0, "network")
    colours = {tuple(pixel) for pixel in np.asarray(drawn[0]).reshape(-1, 3).tolist()}
    assert REFERENCE_COLOUR in colours
    assert COLOURS[0] not in colours
    assert "the reference mask is the light green line" in page.LEGEND


def test_no_example_is_the_target_or_of_its_patient(
    scans: MaskSquares, network: Neuralizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list[tuple[int, list[int]]]()

    def spy(network: Neuralizer, images: object, true: np.ndarray, row: int, chosen: np.ndarray) -> dict[str, object]:
        seen.append((row, chosen.tolist()))
        return {way: true[row] for way in of_masks.WAYS}

    monkeypatch.setattr(of_masks, "_masks_by_way", spy)
    groups = np.arange(N) // 4
    reference_masks(scans, network, np.arange(N), groups)
    assert all(groups[row] not in groups[chosen] and len(chosen) == 8 for row, chosen in seen)
    assert all(max(chosen) < N - UNKNOWN for _, chosen in seen)
    reference_masks(scans, network, np.arange(N), None)
    assert all(row not in chosen for row, chosen in seen)
    with pytest.raises(InvalidInput, match="Only 0 labeled scans of others hold the mask"):
        reference_masks(scans, network, np.arange(N), np.zeros(N, np.int64))


def test_a_scan_without_a_true_mask_is_of_its_patients_group(scans: MaskSquares) -> None:
    diagnosis = run_of(scans, range(len(make_showcase().samples)))
    of_run = np.where(scans.labelled, np.arange(N), -1)
    patients = (*(f"p{k}" for k in range(N - 2)), "p5", None)
    found = _groups(diagnosis, replace(scans, patients=patients), of_run)
    assert found is not None
    assert found[: N - UNKNOWN].tolist() == list(range(N - UNKNOWN))
    assert found[-2:].tolist() == [5, -1]


def test_the_best_examples_come_first(scans: MaskSquares, network: Neuralizer) -> None:
    (few,) = reference_masks(scans, network, np.array([0]), examples=3)
    (many,) = reference_masks(scans, network, np.array([0]), examples=8)
    true = scans.of(0)[0][:1]
    assert dice_losses(few.masks["network"], true)[0] < 0.35
    assert dice_losses(many.masks["network"], true)[0] < 0.35


@pytest.mark.slow
def test_the_command_keeps_its_result_with_the_run_and_writes_no_number_that_it_refuses(
    upload: Path,
    scans: MaskSquares,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, out = tmp_path / "run.errata", tmp_path / "out"
    save(run_of(scans), run)
    asked = ["reference", str(run), "--table", str(upload / "scans.csv"), "--images", str(upload), "--out", str(out)]
    monkeypatch.setattr("core.systems.neuralizer.reference.standin.MIN_LABELED", 33)
    assert main([*asked, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["offered"] is False
    assert said["n_unlabelled"] == UNKNOWN
    table = pd.read_csv(out / "reference.csv")
    assert table["standin"].notna().tolist() == table["labelled"].tolist()
    kept = load(run)
    assert kept.extras[KEY] == said
    assert "Errata offers no stand-in: only 32" in notes_section(kept)
    assert "Reference masks" in report_of(run)
    assert "your model&#39;s mask the blue dashes" in (out / "reference.html").read_text("utf-8")
    assert main([*asked, "--masks", "true_mask"]) == 2
    assert "two columns" in capsys.readouterr().err


@pytest.fixture
def renamed(upload: Path, tmp_path: Path) -> Path:
    """The same table with columns that no one would recognize."""
    names = {"file": "nifti", "true_mask": "drawn", "predicted_mask": "said"}
    pd.read_csv(upload / "scans.csv").rename(columns=names).to_csv(tmp_path / "renamed.csv", index=False)
    return tmp_path / "renamed.csv"


@pytest.mark.slow
def test_the_columns_of_the_run_need_no_naming_again_and_may_be_named(
    upload: Path, scans: MaskSquares, renamed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare, told = tmp_path / "bare.errata", tmp_path / "told.errata"
    save(run_of(scans), bare)
    columns = {"image": ("nifti",), "masks": ("drawn", "said")}
    save(replace(run_of(scans), extras={COLUMNS: columns}), told)
    given = ["--table", str(renamed), "--images", str(upload), "--out", str(tmp_path / "out"), "--json"]
    assert main(["reference", str(bare), *given]) == 2
    assert "If 'nifti', 'drawn', 'said' hold masks" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main(["reference", str(told), *given]) == 0
    of_run = json.loads(capsys.readouterr().out)
    assert of_run["n"] == N - UNKNOWN
    assert main(["reference", str(bare), *given, "--image", "nifti", "--masks", "drawn", "said"]) == 0
    assert json.loads(capsys.readouterr().out) == of_run
