"""Visual words, below the tags of the tab Ask: parts of the open run's images that go with failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.records import Progress
from webapp.ask.kept import KeptState, Made, Part, build_part, wire_map, write_files
from webapp.explore.patches import keep_patches
from webapp.explore.picked import show_selection
from webapp.markup.render import renderer
from webapp.panels import Opening, Page
from webapp.state.caches import own_cache
from webapp.state.jobs import PRIVATE
from webapp.state.session import Session, require_run, shows_errors
from webapp.systems.visual_words.patches import WordPatches

if TYPE_CHECKING:
    from core.systems.visual_words.html import ShownName, ShownWord
    from core.systems.visual_words.search import VisualSearch

FILES = (
    ("visual_words.html", "Visual words (HTML)"),
    ("visual_words.json", "Words (JSON)"),
    ("visual_words_of_samples.csv", "Images (CSV)"),
)
OPEN_WORDS = 3
"""Words shown unfolded where no word is confirmed."""
render = renderer(Path(__file__).parent / "templates")


def make_words(session: Session, progress: Progress) -> Made:
    """Find visual words in the open run's images, and write the files.

    Raises:
        InvalidInput: the run has no images.
    """
    from core.systems.common.run_pictures import pictures_of
    from core.systems.visual_words.html import shown_maps, shown_names, shown_words, visual_page
    from core.systems.visual_words.maps import maps_of
    from core.systems.visual_words.search import search_words
    from core.systems.visual_words.tables import visual_document, visual_table

    diagnosis = require_run(session)
    images = pictures_of(diagnosis)
    search = search_words(diagnosis, images=images, cache=own_cache(), progress=progress)
    words = shown_words(search, images)
    names = shown_names(search, images, diagnosis)
    page = visual_page(search, words, names, shown_maps(search, images))
    paths = write_files("visual", FILES, page, visual_document(search), visual_table(search))
    picks = list[dict[str, Any]]()
    for word in words:
        rows = tuple(search.rows[np.flatnonzero(word.finding.rows)].tolist())
        picks.append({"rows": rows, "title": f"Has {word.finding.name}", "scope": word.finding.scope})
    keep_patches(session.run, WordPatches(maps_of(search), tuple(names)))
    return Made(session.run, words_view(search, words, names), paths, tuple(picks))


def words_view(search: VisualSearch, shown: Sequence[ShownWord], names: Sequence[ShownName] = ()) -> str:
    """The verdict, the clusters named by a word, and each listed word with its crops."""
    from core.systems.visual_words.wording import RULE, unnamed_sentence, verdict

    n_open = len(search.confirmed) or OPEN_WORDS
    return render(
        "visual.html.j2",
        verdict=verdict(search),
        rule=RULE,
        names=names,
        unnamed=unnamed_sentence(search),
        words=shown,
        n_open=n_open,
        notes=search.notes,
    )


def words_work(session: Session, state: KeptState) -> Callable[[Progress], Made]:
    """Return the work that finds the words."""
    return lambda progress: make_words(session, progress)


PART = Part(
    "visual",
    "Visual words",
    "Find visual words",
    FILES,
    failed="The visual words were not found",
    intro=lambda _: render("visual_intro.html.j2"),
    work=words_work,
)


def on_found(session: Session) -> str:
    """Show the words in Findings: returns its pane."""
    return show_selection(session)[1]


def build(page: Page, opening: Opening) -> None:
    """Lay out the accordion and wire it."""
    built = build_part(PART, page, opening)
    for made in built.made:
        made.success(shows_errors(on_found), [page.session], [page.view.pane], **PRIVATE)
    wire_map(page, built, built.view)
