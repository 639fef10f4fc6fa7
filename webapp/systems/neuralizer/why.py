"""The part Why? of the tab Ask: whether errors come from bias field or noise of scans, or from order, light or cuts of
clips. Errata writes files for the visitor's model, and reads its losses for them."""

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
    from core.systems.neuralizer.corrections.explain import CorrectionFigures, CorrectionFinding

MADE = (("corrected.zip", "Files for your model (zip)"), ("altered.json", "Changes by file (JSON)"))
READ = (("corrections.json", "Corrections (JSON)"),)
ELSEWHERE = "These files belong to another run. Open that run again to see them."
MAX_BYTES = GIB
"""Limit for the files of one export together."""
MIN_ITEMS = 5
"""Fewest items of the cluster, and as many others."""
NO_FILES = "This run has only small images of its files. Add the diagnosed scans or clips as a zip or tar."


@dataclass(frozen=True, slots=True, eq=False)
class MadeFiles:
    """The files of a run, or the results of their losses, with their view."""

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
    noun = "sample"
    if diagnosis is not None:
        noun = diagnosis.samples.modality
    lacks = "kind"
    if usable(diagnosis):
        lacks = ""
    elif kinds(diagnosis):
        lacks = "clusters"
    return render("why_intro.html.j2", noun=noun, lacks=lacks)


def example_file(run: str, name: str) -> Path | None:
    """The file of that name beside a shipped example; None for other runs."""
    if not RUNS.is_example(run):
        return None
    path = RUNS.path(run).parent / name
    if path.parent.parent != ASSETS / "examples" or not path.is_file():
        return None
    return path


def file_or_example(run: str, file: str | None, name: str) -> Path:
    """The uploaded file, else the one of that name beside an example.

    Raises:
        InvalidInput: neither exists.
    """
    if file:
        return Path(file)
    path = example_file(run, name)
    if path is None:
        raise InvalidInput(NO_FILES)
    return path


def make_files(
    session: Session, images: Path, cluster: int, faults: tuple[str, ...], most: int, progress: Progress
) -> MadeFiles:
    """Write the files as a zip, and their manifest.

    Args:
        most: largest number of items of the cluster, and of others.

    Raises:
        InvalidInput: the run lacks the cluster, a file is missing or damaged, or the files are too large together.
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
    """The corrections that explain the cluster's loss, from the losses of the files.

    Raises:
        InvalidInput: the files belong to another run, or a loss is missing.
    """
    from core.systems.neuralizer.corrections.altered import read_manifest, read_rescored
    from core.systems.neuralizer.corrections.explain import explain_by_corrections, not_the_runs

    diagnosis = require_run(session)
    items, about = read_manifest(manifest)
    progress("read the losses", 0, 1)
    rescored = read_rescored(items, scores)
    findings = explain_by_corrections(diagnosis, about, rescored)
    note = not_the_runs(diagnosis, rescored)
    progress("read the losses", 1, 1)
    corrections = [finding.to_dict() for finding in findings]
    document = {"cluster": about.get("cluster"), "corrections": corrections, "note": note or None}
    return MadeFiles(session.run, scores_view(diagnosis, findings, note), write_files("explained", READ, document))


def scores_view(diagnosis: Diagnosis, findings: tuple[CorrectionFinding, ...], note: str = "") -> str:
    """The note, if any, and a row for each correction, under the verdict."""
    from core.systems.neuralizer.corrections.explain import figures_of

    names = list[str]()
    rows: list[tuple[str, int, CorrectionFigures, bool]] = []
    for finding in findings:
        if finding.explains:
            names.append(FAULT_TITLES.get(finding.correction, finding.correction))
        title = correction_title(finding.correction)
        rows.append((title, finding.effect.n, figures_of(finding), finding.explains))
    noun = diagnosis.samples.modality
    unit = diagnosis.outcomes.said_unit
    return render("why_read.html.j2", names=names, rows=rows, noun=noun, unit=unit, note=note)


def on_make(
    session: Session, images: str | None, cluster: int | None, faults: list[str] | None, most: float | None
) -> Iterator[tuple[Any, ...]]:
    """Write the files; yields (job id, status, result)."""
    diagnosis = require_run(session)
    if not usable(diagnosis):
        raise InvalidInput("Corrections need a confirmed group of scans or clips. Open a run with one.")
    if cluster is None:
        raise InvalidInput("No group is chosen. Choose one first.")
    if most is None or not MIN_ITEMS <= most <= DEFAULT_ITEMS:  # also rejects nan
        raise InvalidInput(f"Choose {MIN_ITEMS} to {DEFAULT_ITEMS} items of the group: got {number(most)}.")
    files = file_or_example(session.run, images, "images.zip")
    chosen = as_int(cluster)
    job = Job(lambda progress: make_files(session, files, chosen, tuple(faults or ()), int(most), progress))
    yield from follow(job, "The files were not written", None)


def on_made(session: Session, state: KeptState[MadeFiles], result: MadeFiles | None) -> tuple[Any, ...]:
    """Show the files: returns (state, status, view, downloads)."""
    return receive(session, state, result, MADE, ELSEWHERE)


def on_read(
    session: Session, state: KeptState[MadeFiles], scores: str | None, manifest: str | None
) -> Iterator[tuple[Any, ...]]:
    """Read the losses of the files; yields (job id, status, result)."""
    require_run(session)
    if not scores:
        raise InvalidInput("Add the table of your model’s losses first, with the columns file and loss.")
    path = None
    if manifest:
        path = Path(manifest)
    elif state.current is not None and state.run == session.run:
        path = state.current.files[1]
    if path is None or not path.is_file():
        raise InvalidInput("Add altered.json from the zip, which lists the change of each file.")
    listing = path
    job = Job(lambda progress: read_scores(session, listing, Path(scores), progress))
    yield from follow(job, "The losses were not read", None)


def on_explained(session: Session, state: KeptState[MadeFiles], result: MadeFiles | None) -> tuple[Any, ...]:
    """Show the corrections: returns (state, status, view, downloads)."""
    return receive(session, state, result, READ, ELSEWHERE)


def choices(diagnosis: Diagnosis | None) -> tuple[Any, Any]:
    """Updates of the fields of (clusters, faults) to the run's own."""
    if diagnosis is None or not usable(diagnosis):
        return gr.update(choices=[], value=None), gr.update(choices=[], value=[])
    clusters = list[tuple[str, int]]()
    for cluster in diagnosis.clusters:
        clusters.append((f"{cluster.id + 1}: {cluster_title(diagnosis, cluster)}", cluster.id))
    faults = list(kinds(diagnosis))
    titles = [(correction_title(fault), fault) for fault in faults]
    return gr.update(choices=clusters, value=clusters[0][1]), gr.update(choices=titles, value=faults)


def on_run(session: Session, files: KeptState[MadeFiles], scores: KeptState[MadeFiles]) -> tuple[Any, ...]:
    """Show the tab: returns (accordion, fields, clusters, faults), then `reopened` of the files, and of the scores
    without the intro. The accordion appears only for runs of scans or clips."""
    of_files = reopened(session, files, intro, MADE, usable)
    state, _, *of_scores = reopened(session, scores, intro, READ, usable)
    form = [gr.skip() for _ in range(4)]
    if session.run:
        diagnosis = RUNS.get(session.run)
        form[0] = gr.update(visible=bool(kinds(diagnosis)))
        if files.run != session.run:
            form[1:] = [gr.update(visible=usable(diagnosis)), *choices(diagnosis)]
    return *form, *of_files, state, *of_scores


@dataclass(frozen=True)
class WhyForm:
    """The fields of the accordion."""

    images: gr.File
    cluster: gr.Dropdown
    faults: gr.CheckboxGroup
    most: gr.Slider
    writing: MadeParts
    scores: gr.File
    manifest: gr.File
    reading: MadeParts


def _fields(diagnosis: Diagnosis | None, first: str) -> WhyForm:
    clusters, faults = choices(diagnosis)
    with gr.Row(elem_classes="bring"):
        with gr.Column(scale=50, min_width=300):
            gr.HTML("<h3>1. Write the files</h3>", **PLAIN)
            cluster = gr.Dropdown(clusters["choices"], value=clusters["value"], label="Group", elem_id="why-cluster")
            suspects = gr.CheckboxGroup(
                faults["choices"], value=faults["value"], label="Suspected faults", elem_id="why-faults"
            )
            most = gr.Slider(
                MIN_ITEMS,
                DEFAULT_ITEMS,
                DEFAULT_ITEMS,
                step=1,
                label="Items of the group, and as many others",
                elem_id="why-most",
            )
            images = upload("Diagnosed scans or clips: zip or tar (examples include them)", IMAGES, "why-images")
            writing = made_parts("why", "Write the files", MADE, first, width=160, interactive=usable(diagnosis))
        with gr.Column(scale=50, min_width=300):
            gr.HTML("<h3>2. Run your model on them, and add its losses</h3>", **PLAIN)
            scores = upload("Table with the columns file and loss", TABLES, "why-scores")
            manifest = upload("altered.json, if you wrote the files earlier", (".json",), "why-manifest")
            reading = made_parts("why-read", "Read the losses", READ, first, width=160, interactive=usable(diagnosis))
    return WhyForm(images, cluster, suspects, most, writing, scores, manifest, reading)


def build(page: Page, tab: gr.Tab) -> None:
    """Lay out the accordion and wire it."""
    session = page.session
    first = page.first
    diagnosis = page.diagnosis
    saved_files = gr.State(KeptState(first), time_to_live=STATE_S)
    saved_scores = gr.State(KeptState(first), time_to_live=STATE_S)
    jobs = [gr.State(""), gr.State("")]
    results = [gr.State(None), gr.State(None)]
    title = "Why? Scans and clips with a suspected fault removed, for your model to score"
    with gr.Accordion(title, open=False, visible=bool(kinds(diagnosis)), elem_id="why") as fold:
        lead = gr.HTML(intro(diagnosis), elem_id="why-intro", **PLAIN)
        with gr.Column(visible=usable(diagnosis)) as fields:
            form = _fields(diagnosis, first)
    files = [form.writing.status, form.writing.view, *form.writing.buttons]
    inputs = [session, form.images, form.cluster, form.faults, form.most]
    outputs = [jobs[0], form.writing.status, results[0]]
    written = form.writing.run.click(shows_errors(on_make), inputs, outputs, **HEAVY, **PRIVATE)
    written.success(shows_errors(on_made), [session, saved_files, results[0]], [saved_files, *files], **PRIVATE)
    scores = [form.reading.status, form.reading.view, *form.reading.buttons]
    inputs = [session, saved_files, form.scores, form.manifest]
    outputs = [jobs[1], form.reading.status, results[1]]
    read = form.reading.run.click(shows_errors(on_read), inputs, outputs, **HEAVY, **PRIVATE)
    read.success(shows_errors(on_explained), [session, saved_scores, results[1]], [saved_scores, *scores], **PRIVATE)
    wire_cancel(form.writing.cancel, jobs[0])
    wire_cancel(form.reading.cancel, jobs[1])
    of_files = [saved_files, lead, form.writing.run, *files]
    of_scores = [saved_scores, form.reading.run, *scores]
    opened = [fold, fields, form.cluster, form.faults, *of_files, *of_scores]
    tab.select(shows_errors(on_run), [session, saved_files, saved_scores], opened, **QUICK)
