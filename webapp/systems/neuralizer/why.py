"""Why? In the tab Ask: is it the bias field or noise that scans fail for, or the order, light or cuts of clips? Files
are made for the visitor's own model, and the losses that it gives are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import InvalidInput
from core.files import ASSETS
from core.numbers import count, number
from core.records import Diagnosis, Progress
from core.reports.wording.findings import cluster_title
from core.systems.neuralizer.corrections.names import BY_MODALITY, DEFAULT_ITEMS, FAULT_TITLES, correction_title
from webapp.ask.kept import KeptState, MadeParts, made_parts, receive, reopened, write_files
from webapp.markup.components import upload
from webapp.panels import Page
from webapp.state.choices import IMAGES, TABLES
from webapp.state.downloads import fresh_folder
from webapp.state.events import as_int
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, follow, wire_cancel
from webapp.state.quotas import GIB, STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, shows_errors
from webapp.systems.neuralizer.render import render

if TYPE_CHECKING:
    from core.systems.neuralizer.corrections.explain import CorrectionFinding

MADE = (("corrected.zip", "Files for your model (zip)"), ("altered.json", "What was done to each (JSON)"))
READ = (("corrections.json", "What explains (JSON)"),)
ELSEWHERE = "These files are of another run. Open that run again to see them."
MAX_BYTES = GIB
"""Limit for the files of one export."""
MIN_ITEMS = 5
"""Items of the cluster, and as many others."""
NO_FILES = "This run has only small images of its files. Add the diagnosed scans or clips as a zip or tar."


@dataclass(frozen=True, slots=True, eq=False)
class MadeFiles:
    """Files for a run, or the results of their losses, as shown."""

    run: str
    view: str
    files: tuple[Path, ...]


def kinds(diagnosis: Diagnosis | None) -> tuple[str, ...]:
    """The faults that can be removed from the run's items; () for images and texts."""
    if diagnosis is None:
        return ()
    return BY_MODALITY.get(diagnosis.samples.modality, ())


def usable(diagnosis: Diagnosis | None) -> bool:
    """Whether the run has scans or clips, and a confirmed cluster."""
    return diagnosis is not None and bool(kinds(diagnosis) and diagnosis.clusters)


def intro(diagnosis: Diagnosis | None) -> str:
    """What corrections are for, or what the open run lacks."""
    noun = "sample" if diagnosis is None else diagnosis.samples.modality
    lacks = "kind"
    if usable(diagnosis):
        lacks = ""
    elif kinds(diagnosis):
        lacks = "clusters"
    return render("why_intro.html.j2", noun=noun, lacks=lacks, faults=kinds(diagnosis))


def example_file(run: str, name: str) -> Path | None:
    """A file of that name that came along with an example; None of every other run."""
    if not RUNS.is_example(run):
        return None
    path = RUNS.path(run).parent / name
    return path if path.parent.parent == ASSETS / "examples" and path.is_file() else None


def brought(run: str, file: str | None, name: str) -> Path:
    """What was brought, else what came along with an example.

    Raises:
        InvalidInput: there is neither.
    """
    found = Path(file) if file else example_file(run, name)
    if found is None:
        raise InvalidInput(NO_FILES)
    return found


def make_files(
    session: Session, images: Path, cluster: int, faults: tuple[str, ...], most: int, progress: Progress
) -> MadeFiles:
    """Make the files, as a zip, and what says what they are.

    Raises:
        InvalidInput: the run has no such cluster, a file is missing or damaged, or they are too large together.
    """
    from core.systems.neuralizer.corrections.altered import MANIFEST, read_manifest, zip_altered
    from core.systems.neuralizer.corrections.request import CorrectionRequest, altered_items

    diagnosis = require_run(session)
    request = CorrectionRequest(cluster, faults, most)
    files, about = altered_items(diagnosis, images, request, progress)
    folder = fresh_folder("corrected")
    manifest = zip_altered(folder / MADE[0][0], files, about, MAX_BYTES)
    assert manifest.name == MANIFEST
    items, _ = read_manifest(manifest)
    target = next(candidate for candidate in diagnosis.clusters if candidate.id == cluster)
    title = f"group {target.id + 1}, {cluster_title(diagnosis, target)}"
    view = render("why_made.html.j2", n=count(len(items), "file"), title=title)
    return MadeFiles(session.run, view, (folder / MADE[0][0], manifest))


def read_scores(session: Session, manifest: Path, scores: Path, progress: Progress) -> MadeFiles:
    """What the losses of the files come to.

    Raises:
        InvalidInput: the files were made for another run, or a loss is missing.
    """
    from core.systems.neuralizer.corrections.altered import read_manifest, read_rescored
    from core.systems.neuralizer.corrections.explain import explain_by_corrections, not_the_runs

    diagnosis = require_run(session)
    items, about = read_manifest(manifest)
    progress("read the losses", 0, 1)
    read = read_rescored(items, scores)
    found = explain_by_corrections(diagnosis, about, read)
    note = not_the_runs(diagnosis, read)
    progress("read the losses", 1, 1)
    said = [one.to_dict() for one in found]
    document = {"cluster": about.get("cluster"), "corrections": said, "note": note or None}
    return MadeFiles(session.run, scores_view(diagnosis, found, note), write_files("explained", READ, document))


def scores_view(diagnosis: Diagnosis, found: tuple[CorrectionFinding, ...], note: str = "") -> str:
    """A row for each correction, and whether any explains the cluster; first the note, if there is one."""
    from core.systems.neuralizer.corrections.explain import figures_of

    names = [FAULT_TITLES.get(one.correction, one.correction) for one in found if one.explains]
    noun = diagnosis.samples.modality
    rows = [(correction_title(one.correction), one.effect.n, figures_of(one), one.explains) for one in found]
    unit = diagnosis.outcomes.said_unit
    return render("why_read.html.j2", names=names, rows=rows, noun=noun, unit=unit, note=note)


def on_make(
    session: Session, images: str | None, cluster: int | None, faults: list[str] | None, most: float | None
) -> Iterator[tuple[Any, ...]]:
    """Make the files; yields (job id, status, what was made)."""
    diagnosis = require_run(session)
    if not usable(diagnosis):
        raise InvalidInput("Corrections need a confirmed group of scans or clips. Open a run with one.")
    if cluster is None:
        raise InvalidInput("No group is chosen. Choose one first.")
    if most is None or not MIN_ITEMS <= most <= DEFAULT_ITEMS:  # nan is in no bounds
        raise InvalidInput(f"Choose {MIN_ITEMS} to {DEFAULT_ITEMS} items of the group: got {number(most)}.")
    files = brought(session.run, images, "images.zip")
    picked = tuple(faults or ())
    chosen = as_int(cluster)
    job = Job(lambda progress: make_files(session, files, chosen, picked, int(most), progress))
    yield from follow(job, "The files were not made", None)


def on_made(session: Session, state: KeptState[MadeFiles], made: MadeFiles | None) -> tuple[Any, ...]:
    """Show what was made: returns (state, status, view, downloads)."""
    return receive(session, state, made, MADE, ELSEWHERE)


def on_read(
    session: Session, state: KeptState[MadeFiles], scores: str | None, manifest: str | None
) -> Iterator[tuple[Any, ...]]:
    """Read the losses of the files; yields (job id, status, what they come to)."""
    require_run(session)
    if not scores:
        raise InvalidInput("Add the table of your model’s losses first, with the columns file and loss.")
    own = None if state.current is None or state.run != session.run else state.current.files[1]
    said = Path(manifest) if manifest else own
    if said is None or not said.is_file():
        raise InvalidInput("Add altered.json from the zip, which lists the change of each file.")
    job = Job(lambda progress: read_scores(session, said, Path(scores), progress))
    yield from follow(job, "The losses were not read", None)


def on_told(session: Session, state: KeptState[MadeFiles], made: MadeFiles | None) -> tuple[Any, ...]:
    """Show what explains: returns (state, status, view, downloads)."""
    return receive(session, state, made, READ, ELSEWHERE)


def choices(diagnosis: Diagnosis | None) -> tuple[Any, Any]:
    """(clusters, faults) to choose among in the open run."""
    if diagnosis is None or not usable(diagnosis):
        return gr.update(choices=[], value=None), gr.update(choices=[], value=[])
    clusters = [(f"{one.id + 1}: {cluster_title(diagnosis, one)}", one.id) for one in diagnosis.clusters]
    faults = list(kinds(diagnosis))
    named = [(correction_title(fault), fault) for fault in faults]
    return gr.update(choices=clusters, value=clusters[0][1]), gr.update(choices=named, value=faults)


def on_run(session: Session, made: KeptState[MadeFiles], read: KeptState[MadeFiles]) -> tuple[Any, ...]:
    """The tab is shown: returns (accordion, fields, clusters, faults), then what `reopened` gives of the files and of
    the scores, whose intro is not told twice; there is no accordion where the run is of no scans or clips."""
    there = gr.update(visible=bool(kinds(RUNS.get(session.run)))) if session.run else gr.skip()
    of_files = reopened(session, made, intro, MADE, usable)
    state, _, *of_scores = reopened(session, read, intro, READ, usable)
    changed = bool(session.run) and made.run != session.run
    if not changed:
        return there, gr.skip(), gr.skip(), gr.skip(), *of_files, state, *of_scores
    diagnosis = RUNS.get(session.run)
    return there, gr.update(visible=usable(diagnosis)), *choices(diagnosis), *of_files, state, *of_scores


@dataclass(frozen=True)
class WhyForm:
    """The fields of the accordion."""

    images: gr.File
    cluster: gr.Dropdown
    faults: gr.CheckboxGroup
    most: gr.Slider
    made: MadeParts
    scores: gr.File
    manifest: gr.File
    read: MadeParts


def _fields(diagnosis: Diagnosis | None, first: str) -> WhyForm:
    clusters, faults = choices(diagnosis)
    with gr.Row(elem_classes="bring"):
        with gr.Column(scale=50, min_width=300):
            gr.HTML("<h3>1. Have the files made</h3>", **PLAIN)
            cluster = gr.Dropdown(clusters["choices"], value=clusters["value"], label="Cluster", elem_id="why-cluster")
            taken = gr.CheckboxGroup(
                faults["choices"], value=faults["value"], label="What is suspected", elem_id="why-faults"
            )
            most = gr.Slider(
                MIN_ITEMS,
                DEFAULT_ITEMS,
                DEFAULT_ITEMS,
                step=1,
                label="Items of the group, and as many others",
                elem_id="why-most",
            )
            images = upload(
                "The scans or clips that were diagnosed: zip or tar (an example has its own)", IMAGES, "why-images"
            )
            made = made_parts("why", "Make the files", MADE, first, width=160, interactive=usable(diagnosis))
        with gr.Column(scale=50, min_width=300):
            gr.HTML("<h3>2. Run your model on them, and bring its losses</h3>", **PLAIN)
            scores = upload("A table with the columns file and loss", TABLES, "why-scores")
            manifest = upload("altered.json, if the files were made another time", (".json",), "why-manifest")
            read = made_parts("why-read", "Read the losses", READ, first, width=160, interactive=usable(diagnosis))
    return WhyForm(images, cluster, taken, most, made, scores, manifest, read)


def build(page: Page, tab: gr.Tab) -> None:
    """Lay out the accordion and wire it."""
    session = page.session
    first = page.first
    diagnosis = page.diagnosis
    made, read = (gr.State(KeptState(first), time_to_live=STATE_S) for _ in range(2))
    jobs = [gr.State(""), gr.State("")]
    found = [gr.State(None), gr.State(None)]
    title = "Why? Scans and clips with a suspected fault taken out, for your model to score again"
    with gr.Accordion(title, open=False, visible=bool(kinds(diagnosis)), elem_id="why") as fold:
        said = gr.HTML(intro(diagnosis), elem_id="why-intro", **PLAIN)
        with gr.Column(visible=usable(diagnosis)) as fields:
            form = _fields(diagnosis, first)
    told = [[parts.status, parts.view, *parts.buttons] for parts in (form.made, form.read)]
    given = [session, form.images, form.cluster, form.faults, form.most]
    makes = form.made.run.click(shows_errors(on_make), given, [jobs[0], form.made.status, found[0]], **HEAVY, **PRIVATE)
    makes.success(shows_errors(on_made), [session, made, found[0]], [made, *told[0]], **PRIVATE)
    given = [session, made, form.scores, form.manifest]
    reads = form.read.run.click(shows_errors(on_read), given, [jobs[1], form.read.status, found[1]], **HEAVY, **PRIVATE)
    reads.success(shows_errors(on_told), [session, read, found[1]], [read, *told[1]], **PRIVATE)
    wire_cancel(form.made.cancel, jobs[0])
    wire_cancel(form.read.cancel, jobs[1])
    of_files = [made, said, form.made.run, *told[0]]
    of_scores = [read, form.read.run, *told[1]]
    opened = [fold, fields, form.cluster, form.faults, *of_files, *of_scores]
    tab.select(shows_errors(on_run), [session, made, read], opened, **QUICK)
