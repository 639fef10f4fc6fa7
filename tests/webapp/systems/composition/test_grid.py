"""The binding grid: which images, which columns, and what each cell says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import core.systems.composition.training.scorers
from core.errors import InvalidInput
from core.records import F64
from core.systems.composition.grid.binding import binding_grid
from core.systems.composition.grid.cells import NO_ATTRIBUTE, VERDICTS
from core.systems.composition.grid.questions import PictureContents
from tests.support.composed import Squares
from tests.webapp.callbacks import press
from tests.webapp.markup.test_html import Tags
from webapp.state.runs import RUNS
from webapp.state.session import Session
from webapp.systems.composition import grid as tab
from webapp.systems.composition.grid import (
    LABEL,
    RUN,
    SCENES,
    GridPlan,
    GridState,
    first_columns,
    grid_at_once,
    make_grid,
    on_grid,
    on_measure,
    on_open,
    on_source,
    scenes,
)
from webapp.systems.composition.grid_view import SIGNS, grid_view
from webapp.systems.composition.models import ModelAccess
from webapp.systems.composition.visit import ComposeState

ACCESS = ModelAccess()


def objects_only(images: Any, texts: Any, shown: tuple[PictureContents, ...]) -> F64:
    """Scores of a model that sees objects and is blind to attributes."""
    rng = np.random.default_rng(0)
    said = np.array(
        [[sum(text.endswith(f" {thing}") for _, thing in one.things) for text in texts] for one in shown], float
    )
    return said + 1e-3 * rng.normal(size=said.shape)


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tab, "N_SCENES", 200)
    tab.scenes.cache_clear()
    monkeypatch.setattr(tab, "scorer_for", lambda key, adapters, access: (key, None))

    def matrix(scorer: Any, images: Any, texts: Any, **kw: Any) -> F64:
        return objects_only(images, texts, tab.scenes("colour", tab.N_SCENES)[1])

    monkeypatch.setattr(core.systems.composition.training.scorers, "matrix_of", matrix)


@pytest.mark.usefixtures("blind")
def test_a_model_blind_to_colour_is_told_so_by_sign_and_words() -> None:
    *_, (job, said, made) = on_grid(Session(), ComposeState(), ACCESS, SCENES, "colour", "shape", "embedded")
    assert job == ""
    assert "Done" in said
    assert made.grid.verdicts[NO_ATTRIBUTE] >= 1
    view = grid_view(made.grid, made.title, "binds")
    assert "Over all images the model does not see the attribute." in view
    assert view.count(">▲</span>") == made.grid.verdicts[NO_ATTRIBUTE]
    assert "embedded on 200 rendered scenes, colour by shape" in Tags(view).text
    assert 'aria-label="blue ball' in view


@pytest.mark.usefixtures("blind")
def test_another_figure_can_be_shown_in_the_cells() -> None:
    made = make_grid(
        Session(), ComposeState(), ACCESS, GridPlan(SCENES, "colour", "shape", "embedded"), lambda *a: None
    )
    changed, view = on_measure(made, press(do="measure", value="sees_object"))
    assert changed.measure == "sees_object"
    assert '<option value="sees_object" selected>' in view
    for binding, value in ((made, "<b>"), (GridState(), "binds")):
        assert not isinstance(on_measure(binding, press(do="measure", value=value))[0], GridState)  # nothing changes


def test_every_verdict_has_a_sign_or_is_none() -> None:
    assert set(SIGNS) == set(VERDICTS)
    signs = [sign for sign, _ in SIGNS.values() if sign]
    assert len(set(signs)) == len(signs) == 4


def test_words_of_the_users_are_escaped_and_small_cells_grey() -> None:
    evil = '<img src=x onerror="1">'
    shown = tuple(PictureContents(i, ((("red", evil)[i % 2], ("cube", "ball")[i // 2 % 2]),)) for i in range(8))
    grid = binding_grid(
        Squares(8), shown, lambda images, texts: np.random.default_rng(1).normal(size=(8, len(texts))), mode="one"
    )
    view = grid_view(grid, evil, "binds")
    tags = Tags(view)
    assert "img" not in tags.names
    assert view.count('class="few"') == 4
    assert "Against every other pair" in tags.text


def test_the_columns_of_the_open_run_are_offered(example: str) -> None:
    state, _, sources, attributes, objects, models = on_open(Session(example), ComposeState(), ACCESS, GridState())
    assert [key for _, key in sources["choices"]] == [RUN, SCENES]
    assert sources["value"] == RUN
    assert objects["value"] == LABEL
    assert attributes["value"] in attributes["choices"]
    assert on_source(Session(example), SCENES)[0]["choices"] == ["colour", "material"]
    assert models["choices"][0][1] == "embedded"
    *skipped, models = on_open(Session(example), ComposeState(), ACCESS, state)
    assert "value" not in str(skipped)  # the grid that is open stays
    assert models["choices"]  # an adapter may have been trained meanwhile
    assert [key for _, key in on_open(Session(), ComposeState(), ACCESS, state)[2]["choices"]] == [SCENES]


@pytest.mark.slow
def test_the_grid_of_the_runs_own_images_is_made_at_once_by_its_vectors(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RUNS.offer(repository / "assets" / "examples" / "nothing_to_find" / "run.errata", "drawn")
    monkeypatch.setattr("core.systems.composition.training.scorers.matrix_of", lambda *_, **__: pytest.fail("embedded"))
    made = grid_at_once(Session(run))
    samples = RUNS.get(run).samples
    assert made.grid is not None
    assert set(made.grid.objects) == set(samples.class_names)
    column = next(column for column in samples.metadata if column.name == first_columns(samples)[0])
    assert not column.measured
    assert set(made.grid.attributes) <= set(column.values)


def test_a_column_or_a_source_that_is_not_there_is_refused(example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tab, "scorer_for", lambda key, adapters, access: (key, None))

    def make(session: Session, source: str, attribute: str, objects: str) -> GridState:
        return make_grid(
            session, ComposeState(), ACCESS, GridPlan(source, attribute, objects, "embedded"), lambda *a: None
        )

    with pytest.raises(InvalidInput, match="Choose one of them"):
        make(Session(), SCENES, "<b>", "shape")
    with pytest.raises(InvalidInput, match="No run is open"):
        make(Session(), RUN, "a", LABEL)
    with pytest.raises(InvalidInput, match="not a category column"):
        make(Session(example), RUN, "nonsense", LABEL)
    with pytest.raises(InvalidInput, match="same column"):
        make(Session(example), RUN, "x", "x")


def test_pictures_that_cannot_be_asked_are_counted() -> None:
    store, shown = scenes("colour", 40)
    odd = (*shown[:-1], replace(shown[-1], things=shown[-1].things[:1]))
    grid = binding_grid(store, odd, lambda images, texts: np.random.default_rng(0).normal(size=(40, len(texts))))
    assert "1 image left out: they do not show exactly two objects" in Tags(grid_view(grid, "", "binds")).text
