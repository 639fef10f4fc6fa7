"""The part Why? of the tab Ask: whether errors come from bias field or noise of scans, or from order, light or cuts of
clips. Errata writes files for the visitor's model, and reads its losses for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import InvalidInput
from core.files import ASSETS
from core.numbers import count, number
from core.records import Diagnosis, Progress
from core.reports.wording.findings import cluster_title
from core.systems.neuralizer.corrections.names import BY_MODALITY, DEFAULT_ITEMS, FAULT_TITLES, correction_title
from webapp.ask.kept import KeptState, Made, Part, build_part, write_files
from webapp.markup.components import upload
from webapp.markup.render import renderer
from webapp.panels import Opening, Page
from webapp.state.choices import IMAGES, TABLES
from webapp.state.downloads import fresh_folder
from webapp.state.events import as_int
from webapp.state.jobs import PLAIN, QUICK
from webapp.state.quotas import GIB
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, shows_errors

if TYPE_CHECKING:
    from core.systems.neuralizer.corrections.explain import CorrectionFigures, CorrectionFinding

render = renderer(Path(__file__).parent / "templates")
MADE = (("corrected.zip", "Files for your model (zip)"), ("altered.json", "Changes by file (JSON)"))
READ = (("corrections.json", "Corrections (JSON)"),)
MAX_BYTES = GIB
"""Limit for the files of one export together."""
MIN_ITEMS = 5
"""Fewest items of the cluster, and as many others."""
NO_FILES = "This run has only small images of its files. Add the diagnosed scans or clips as a zip or tar."


def kinds(diagnosis: Diagnosis) -> tuple[str, ...]:
    """The faults that can be removed from the run's items; () for images and texts."""
    return BY_MODALITY.get(diagnosis.samples.modality, ())


def usable(diagnosis: Diagnosis) -> bool:
    """Whether the run has scans or clips, and a confirmed cluster."""
    return bool(kinds(diagnosis) and diagnosis.clusters)


def intro(diagnosis: Diagnosis) -> str:
    """What corrections are for, or that the open run has no group."""
    return render("why_intro.html.j2", noun=diagnosis.samples.modality, usable=usable(diagnosis))


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
) -> Made:
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
    return Made(session.run, view, (folder / MADE[0][0], manifest))


def read_scores(session: Session, manifest: Path, scores: Path, progress: Progress) -> Made:
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
    return Made(session.run, scores_view(diagnosis, findings, note), write_files("explained", READ, document))


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


def writing_work(
    session: Session,
    state: KeptState,
    images: str | None,
    cluster: int | None,
    faults: list[str] | None,
    most: float | None,
) -> Callable[[Progress], Made]:
    """Check the fields, and return the work that writes the files."""
    diagnosis = require_run(session)
    if not usable(diagnosis):
        raise InvalidInput("Corrections need a confirmed group of scans or clips. Open a run with one.")
    if cluster is None:
        raise InvalidInput("No group is chosen. Choose one first.")
    if most is None or not MIN_ITEMS <= most <= DEFAULT_ITEMS:  # also rejects nan
        raise InvalidInput(f"Choose {MIN_ITEMS} to {DEFAULT_ITEMS} items of the group: got {number(most)}.")
    files = file_or_example(session.run, images, "images.zip")
    chosen = as_int(cluster)
    return lambda progress: make_files(session, files, chosen, tuple(faults or ()), int(most), progress)


def reading_work(
    session: Session, state: KeptState, scores: str | None, manifest: str | None, written: KeptState
) -> Callable[[Progress], Made]:
    """Find the manifest, and return the work that reads the losses.

    Args:
        written: the files of this visit; their manifest is used if none is brought.
    """
    if not scores:
        raise InvalidInput("Add the table of your model’s losses first, with the columns file and loss.")
    path = None
    if manifest:
        path = Path(manifest)
    elif written.current is not None and written.run == session.run:
        path = written.current.files[1]
    if path is None or not path.is_file():
        raise InvalidInput("Add altered.json from the zip, which lists the change of each file.")
    listing = path
    return lambda progress: read_scores(session, listing, Path(scores), progress)


def choices(diagnosis: Diagnosis) -> tuple[Any, Any]:
    """Updates of the fields of (clusters, faults) to the run's own."""
    if not usable(diagnosis):
        return gr.update(choices=[], value=None), gr.update(choices=[], value=[])
    clusters = list[tuple[str, int]]()
    for cluster in diagnosis.clusters:
        clusters.append((f"{cluster.id + 1}: {cluster_title(diagnosis, cluster)}", cluster.id))
    faults = list(kinds(diagnosis))
    titles = [(correction_title(fault), fault) for fault in faults]
    return gr.update(choices=clusters, value=clusters[0][1]), gr.update(choices=titles, value=faults)


def on_run(session: Session, chosen: str) -> tuple[Any, ...]:
    """Show the tab: returns (accordion, intro, clusters, faults, run of the choices). The accordion appears only for
    runs of scans or clips; nothing changes for the run already shown."""
    if not session.run or session.run == chosen:
        return tuple(gr.skip() for _ in range(5))
    diagnosis = RUNS.get(session.run)
    return gr.update(visible=bool(kinds(diagnosis))), intro(diagnosis), *choices(diagnosis), session.run


WRITING = Part(
    "why",
    "",
    "Write the files",
    MADE,
    failed="The files were not written",
    intro=lambda _: "<h3>1. Write the files</h3>",
    work=writing_work,
    offered=usable,
)
READING = Part(
    "why-read",
    "",
    "Read the losses",
    READ,
    failed="The losses were not read",
    intro=lambda _: "<h3>2. Run your model on them, and add its losses</h3>",
    work=reading_work,
    offered=usable,
)


def writing_fields() -> list[Any]:
    """Fields for the items, the cluster, the faults, and the number of items."""
    cluster = gr.Dropdown([], label="Group", elem_id="why-cluster")
    faults = gr.CheckboxGroup([], label="Suspected faults", elem_id="why-faults")
    label = "Items of the group, and as many others"
    most = gr.Slider(MIN_ITEMS, DEFAULT_ITEMS, DEFAULT_ITEMS, step=1, label=label, elem_id="why-most")
    images = upload("Diagnosed scans or clips: zip or tar (examples include them)", IMAGES, "why-images")
    return [images, cluster, faults, most]


def build(page: Page, opening: Opening) -> None:
    """Lay out the accordion and wire it."""
    chosen = gr.State("")
    title = "Why? Scans and clips with a suspected fault removed, for your model to score"
    half: dict[str, Any] = {"scale": 50, "min_width": 300, "visible": False}

    def reading_fields() -> list[Any]:
        scores = upload("Table with the columns file and loss", TABLES, "why-scores")
        manifest = upload("altered.json, if you wrote the files earlier", (".json",), "why-manifest")
        return [scores, manifest, written.state]

    with gr.Accordion(title, open=False, visible=False, elem_id="why") as fold:
        lead = gr.HTML("", elem_id="why-lead", **PLAIN)
        with gr.Row(elem_classes="bring"):
            written = build_part(WRITING, page, opening, writing_fields, gr.Column(**half))
            build_part(READING, page, opening, reading_fields, gr.Column(**half))
    _, cluster, faults, _ = written.fields
    opening.select(shows_errors(on_run), [page.session, chosen], [fold, lead, cluster, faults, chosen], **QUICK)
