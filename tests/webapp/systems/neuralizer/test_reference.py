"""Reference masks on the page: drawn, measured, and refused where they order nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.files import ASSETS
from core.systems.neuralizer.reference import standin
from core.systems.neuralizer.reference.wording import KEY
from tests.support.diagnoses import make_diagnosis
from tests.webapp.callbacks import last
from tests.webapp.markup.test_html import Tags
from webapp.ask.kept import KeptState
from webapp.explore.closing import on_notes
from webapp.state.runs import RUNS
from webapp.state.session import Session
from webapp.systems.neuralizer.reference import FILES, PART

SCANS = ASSETS / "examples" / "scans"
NOTHING = (None, None, None, None, None)
"""Fields of a folded part were never shown, and give None."""


@pytest.mark.slow
def test_an_example_is_drawn_from_its_own_files_and_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standin, "MAX_LABELED", 24)
    session = Session(RUNS.offer(SCANS / "run.errata"))
    made = last(PART.start(session, KeptState(), *NOTHING))[-1]
    state, line, view, *files = PART.receive(session, KeptState(session.run), made)
    assert state.current is made
    assert "Done" in line
    assert "Rank correlation with the true loss on 24 labeled scans" in Tags(view["value"]).text
    assert [Path(file["value"]).name for file in files] == [name for name, _ in FILES]
    assert RUNS.get(session.run).extras[KEY]["n"] == 100  # as it came along


def test_an_own_run_keeps_the_figures_and_a_refusal_is_said_and_gives_no_number(tmp_path: Path) -> None:
    session = Session(RUNS.add(RUNS.get(RUNS.offer(SCANS / "run.errata"))))
    lines = (SCANS / "table.csv").read_text("utf-8").splitlines()[:9]
    (tmp_path / "few.csv").write_text("\n".join(lines), "utf-8")
    brought = str(tmp_path / "few.csv"), str(SCANS / "images.zip")
    made = last(PART.start(session, KeptState(), *brought, "true_mask", "predicted_mask", ""))[-1]
    said = Tags(made.view).text
    assert "The masks may not stand in for a true one" in said
    assert "Errata offers no stand-in: only 8 labeled scans measured it, and 20 are needed" in said
    assert RUNS.get(session.run).extras[KEY]["offered"] is False
    PART.receive(session, KeptState(session.run), made)
    assert "Errata offers no stand-in" in on_notes(session)["value"]


def test_what_cannot_be_drawn_is_refused_before_any_work() -> None:
    pictures, example = Session(RUNS.add(make_diagnosis())), RUNS.offer(SCANS / "run.errata")
    assert not PART.reopen(pictures, KeptState(example))[0]["visible"]
    assert PART.reopen(Session(example), KeptState(pictures.run))[0]["visible"]
    with pytest.raises(InvalidInput, match="Open a run of scans"):
        last(PART.start(pictures, KeptState(), *NOTHING))
    own = Session(RUNS.add(replace(RUNS.get(example))))
    with pytest.raises(InvalidInput, match="Add the diagnosed scans or clips"):
        last(PART.start(own, KeptState(), *NOTHING))
    with pytest.raises(InvalidInput, match="Add both"):
        last(PART.start(Session(example), KeptState(), "table.csv", None, "", "", ""))
    with pytest.raises(InvalidInput, match="Name both columns"):
        last(PART.start(Session(example), KeptState(), None, None, "true_mask", None, None))
