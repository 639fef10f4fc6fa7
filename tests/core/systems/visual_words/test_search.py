"""A patch pasted into some pictures, which then fail, is found by its cells; where nothing is planted nothing is."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.checks.reasons import failing
from core.cli.main import main
from core.data.images.columns import FrameImages
from core.errors import InvalidInput
from core.records import Bool
from core.store import load, save
from core.systems.common.run_pictures import pictures_of
from core.systems.visual_words.crops import CROP_PIXELS, crop_around
from core.systems.visual_words.html import MAX_CROPS, shown_words, visual_page
from core.systems.visual_words.search import VisualSearch, search_words
from core.systems.visual_words.tables import visual_document, visual_table
from core.systems.visual_words.wording import visual_lines
from tests.support.patched import PLANTED, N, planted_run


@pytest.fixture(scope="module")
def planted(cells: Path) -> tuple[VisualSearch, Bool, Bool]:
    run, has, touched = planted_run()
    return search_words(run, size=64, cache=cells), has, touched


@pytest.mark.slow
def test_the_patch_is_the_first_word_and_its_cells_lie_on_it(planted: tuple[VisualSearch, Bool, Bool]) -> None:
    search, has, touched = planted
    first = search.findings[0]
    assert first.confirmed
    assert first.p == pytest.approx(1 / 200)
    assert first.rows[has].mean() > 0.9
    assert first.rows[~has].mean() < 0.1
    assert search.words.share_on(first.word, touched) > 0.9
    assert first.among_failures > 0.8 > 0.2 > first.elsewhere
    assert search.words.perplexity > 0.5 * 64


@pytest.mark.slow
def test_a_words_p_is_that_of_the_runs_own_family(planted: tuple[VisualSearch, Bool, Bool]) -> None:
    search = planted[0]
    told = {i.text: i for i in search.diagnosis.insights if i.confirmed and i.text.startswith("visual word")}
    assert search.findings[0].name in told
    for finding in search.confirmed:
        if finding.name in told:
            insight = told[finding.name]
            assert insight.p == finding.p
            assert insight.scope == finding.scope
            np.testing.assert_array_equal(insight.mask, finding.rows)
            assert insight.effect.value == pytest.approx(finding.effects.excess_loss.value)


@pytest.mark.slow
def test_words_are_made_without_a_look_at_the_losses(planted: tuple[VisualSearch, Bool, Bool], cells: Path) -> None:
    run = planted[0].diagnosis
    other = replace(run, outcomes=replace(run.outcomes, loss=np.random.default_rng(1).permutation(run.outcomes.loss)))
    found = search_words(other, size=64, cache=cells)
    np.testing.assert_array_equal(planted[0].words.maps, found.words.maps)
    assert not found.confirmed
    assert visual_lines(found)[0].startswith("No visual word goes with failure more than chance allows.")


@pytest.mark.slow
def test_each_picture_has_one_word_a_cell_and_its_nearest_cell_is_that_word(
    planted: tuple[VisualSearch, Bool, Bool],
) -> None:
    words = planted[0].words
    flat = words.maps.reshape(N, -1)
    assert flat.shape[1] == 196
    rows, at = np.nonzero(words.present)
    np.testing.assert_array_equal(flat[rows, words.cell[rows, at]], at)
    np.testing.assert_array_equal(words.present.sum(1), [len(set(row)) for row in flat.tolist()])
    assert np.isfinite(words.distance[words.present]).all()
    assert np.isinf(words.distance[~words.present]).all()


@pytest.mark.slow
def test_what_is_shown_is_escaped_and_complete(planted: tuple[VisualSearch, Bool, Bool]) -> None:
    search = planted[0]
    ids = tuple(f"<b>{i}</b>" for i in search.diagnosis.samples.ids)
    search = replace(search, diagnosis=replace(search.diagnosis, samples=replace(search.diagnosis.samples, ids=ids)))
    page = visual_page(search, shown_words(search, pictures_of(search.diagnosis)))
    assert "<b>1" not in page
    assert page.count("data:image/webp") >= MAX_CROPS
    assert page.count("<script") == 0
    document = visual_document(search)
    assert [word["name"] for word in document["words"]] == [finding.name for finding in search.findings]
    table = visual_table(search)
    assert len(table) == N
    assert table[search.findings[0].name].to_numpy()[PLANTED:].mean() < 1


def test_a_crop_shows_its_cell_also_at_the_edge() -> None:
    grey = io.BytesIO()
    Image.new("RGB", (140, 280), "grey").save(grey, "PNG")
    for cell in (0, 13, 97, 195):
        image = Image.open(io.BytesIO(crop_around(grey.getvalue(), cell, (14, 14))))
        assert image.size == (CROP_PIXELS, CROP_PIXELS)
        pixels = np.asarray(image.convert("L")).astype(int)
        assert (pixels > 220).any()
        assert (pixels < 60).any()


@pytest.mark.slow
def test_runs_without_pictures_and_other_pictures_are_refused(
    planted: tuple[VisualSearch, Bool, Bool], tmp_path: Path
) -> None:
    run = planted[0].diagnosis
    bare = replace(run, samples=replace(run.samples, items=None))
    with pytest.raises(InvalidInput, match=r"this run has none. Add --images"):
        search_words(bare)
    with pytest.raises(InvalidInput, match="must be 2 to 4,096: got 1"):
        search_words(run, size=1, cache=tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "0.png")
    with pytest.raises(InvalidInput, match=r"159 of the run's 160 images are not in .*, for example '1'"):
        pictures_of(run, tmp_path)


@pytest.mark.slow
def test_the_command_prints_and_writes(
    planted: tuple[VisualSearch, Bool, Bool],
    cells: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ERRATA_CACHE", str(cells))
    save(planted[0].diagnosis, tmp_path / "run.errata")
    assert (
        main(["visual-words", str(tmp_path / "run.errata"), "--words", "64", "--out", str(tmp_path / "words.html")])
        == 0
    )
    out = capsys.readouterr().out
    assert "goes with failure more than chance allows" in out or "go with failure more than" in out
    assert "p = 0.005" in out
    assert "Written:" in out
    assert "<h1>Visual words</h1>" in (tmp_path / "words.html").read_text()
    assert load(tmp_path / "run.errata").samples.items is not None


@pytest.mark.slow
def test_pictures_that_cannot_be_read_neither_have_a_word_nor_lack_it(
    planted: tuple[VisualSearch, Bool, Bool], tmp_path: Path
) -> None:
    """Half of the pictures are damaged, and their losses are lower: nothing in a picture goes with that."""
    run = planted[0].diagnosis
    items, rng = pictures_of(run), np.random.default_rng(3)
    damaged = np.arange(N) % 2 == 0
    store = FrameImages(
        tuple(map(str, range(N))), [b"nothing" if damaged[row] else items.read(row) for row in range(N)]
    )
    loss = rng.gamma(2, 0.25, N) + ~damaged
    found = search_words(
        replace(run, outcomes=replace(run.outcomes, loss=loss)), images=store, size=16, cache=tmp_path / "cache"
    )
    assert found.rows.tolist() == np.flatnonzero(~damaged).tolist()
    assert len(found.diagnosis.samples) == N // 2
    assert not found.confirmed
    assert all(finding.of <= N // 2 for finding in found.findings)
    assert "Skipped 80 of 160 images: they could not be read" in " ".join(visual_lines(found))


@pytest.mark.slow
def test_of_losses_that_are_mostly_equal_only_the_higher_ones_count_as_failures(
    planted: tuple[VisualSearch, Bool, Bool],
) -> None:
    search = planted[0]
    loss = np.where(np.arange(N) < 5, 1.0, 0.0)
    outcomes = replace(search.diagnosis.outcomes, loss=loss, errors=None)
    assert failing(replace(search.diagnosis, outcomes=outcomes)).sum() == 5


@pytest.mark.slow
def test_the_superclasses_of_the_run_are_those_of_the_search(
    planted: tuple[VisualSearch, Bool, Bool], monkeypatch: pytest.MonkeyPatch, cells: Path
) -> None:
    run, given = planted[0].diagnosis, []
    monkeypatch.setattr(
        "core.systems.visual_words.search.diagnose_records",
        lambda *_, **said: given.append(said["superclasses"]) or run,
    )
    own = object()
    search_words(replace(run, model=replace(run.model, superclasses=own)), size=16, cache=cells)
    assert given == [own]
