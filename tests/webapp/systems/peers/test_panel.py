"""The fold of other engines: peers asked about the open run, and the images of their slices."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.diagnoses import make_diagnosis
from tests.webapp.callbacks import last
from webapp.ask.kept import KeptState
from webapp.state.runs import RUNS
from webapp.state.session import Session
from webapp.systems.peers.panel import PART, SLICE_IMAGES, slice_tiles


@pytest.fixture
def session():
    return Session(run=RUNS.add(make_diagnosis(n=200)))


def test_engines_are_asked_and_what_they_propose_carries_no_p(session):
    made = last(PART.start(session, KeptState(), ["sliceguard", "spotlight"]))[-1]
    page = made.view
    assert made.run == session.run
    assert "(not tested)" in page
    assert page.index("<h3>spotlight") < page.index("<h3>sliceguard")  # in the table's order
    assert "tested on the other half" in page


def test_a_slice_shows_its_samples_of_highest_loss():
    diagnosis = make_diagnosis(n=200)
    rows = np.arange(0, 200, 4)
    shown = [tile.row for tile in slice_tiles(diagnosis, rows)]
    losses = diagnosis.outcomes.loss
    assert len(shown) == SLICE_IMAGES
    assert min(losses[shown]) >= max(losses[row] for row in rows.tolist() if row not in shown)


def test_no_engine_is_no_question(session):
    with pytest.raises(Exception, match="at least one engine"):
        list(PART.start(session, KeptState(), []))
