"""The commands `diagnose`, `assign`, `export` and `encoders`.

Heavy packages are imported inside the command that needs them.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core import extensions
from core.cli.command import argument, command, heading, option
from core.cli.options import ENCODER, LOSS, POSITIVE, RUN, SEED, SHARE, TASKS, samples
from core.cli.output import check_suffix, in_folder, make_folder, new_run, tell_run, write_table
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles
from core.data.tasks.options import TaskOptions
from core.discovery.settings import EmbeddingSettings, Settings
from core.errors import InvalidInput, quoted

if TYPE_CHECKING:
    import pandas as pd

    from core.checks.new_samples import NewSamples
    from core.discovery.assigner import Assignment
    from core.records import Progress

REPORT = "report"
RESULTS = "results"
PAGE = "page"
FIFTYONE = "fiftyone"
TABLES = ("sections", "samples", "clusters", "insights", "weights", "reasons", "comparison", "own")
FORMATS = ("csv", "parquet", "json", "mlflow", "wandb")


@command()
@option("--out FILE", "run to write, NAME.errata")
@samples("--table FILE", ENCODER)
@LOSS
@option("--issues FILE", "cleanlab's issues for the same rows; the columns are tested as explanations")
@TASKS
@heading("Words (for images and texts)")
@option("--naming ENCODER", "encoder for words (default: same as --encoder)")
@option("--vocabulary FILE", "phrases to test (default: those of `python -m core phrases`)")
@option("--no-words", "skip phrases and questions")
@heading("Tests")
@option("--separate-copies", "treat near-duplicates as independent")
@option(
    "--within CLASS", "search only these classes (default: all); choose before seeing results", to="settings.within"
)
@option("--alpha", "probability of any false finding (default: 0.05)", **SHARE)
@option(
    "--permutations N",
    "permutations per test (default: 5,000; fewer above 20,000 samples, down to 500)",
    to="settings.n_permutations",
    **POSITIVE,
)
@option("--no-map", "draw the map with PCA, not UMAP (faster)")
@option("--hold-back SHARE", "hold out this share (0.05 to 0.5) to check the findings", **SHARE)
@SEED
def diagnose(
    out: Path,
    task: TaskOptions,
    roles: Roles,
    embedding: EmbeddingSettings,
    settings: Settings,
    no_words: bool = False,
    no_map: bool = False,
    separate_copies: bool = False,
    hold_back: float | None = None,
) -> None:
    """Find where a model fails.

    Writes all results to one file and prints a summary.
    """
    if task.table is None and task.images is None and task.detections is None:
        raise InvalidInput(
            "diagnose needs samples. Add --table, or --images with a folder or zip that contains a table."
        )
    if no_words and (embedding.naming or embedding.vocabulary):
        option_of_words = "--naming" if embedding.naming else "--vocabulary"
        raise InvalidInput(f"--no-words and {option_of_words} exclude each other. Remove one of them.")
    new_run(out)  # before the work, not after it
    from core.data.tasks.read import read_task
    from core.diagnose import diagnose_data_set
    from core.files import default_cache
    from core.reports.terminal import section_lines, text_summary
    from core.store import save

    with TerminalProgress() as progress:
        diagnosis = diagnose_data_set(
            read_task(task, roles, progress),
            embedding=replace(
                embedding,
                encoder=embedding.encoder or "embedded",
                cache=default_cache(),
                group_copies=not separate_copies,
            ),
            hold_back=hold_back or 0.0,
            settings=replace(settings, words=not no_words, map=not no_map),
            progress=progress,
        )
        save(diagnosis, out, progress)
    say(text_summary(diagnosis))
    for section in extensions.sections(diagnosis):
        if section.rows or section.lead or section.notes:
            say("\n" + "\n".join(section_lines(section)))
    tell_run(out)


@command()
@argument("run", "RUN", RUN)
@option("--out FILE", "file to write: .csv, .parquet or .json")
@samples("--table FILE", ENCODER)
def assign(
    run: Path,
    out: Path,
    roles: Roles,
    table: Path | None = None,
    images: Path | None = None,
    embeddings: Path | None = None,
    encoder: str | None = None,
) -> None:
    """Predict the loss of new samples and assign them to clusters.

    Writes a table with predicted loss, spread, membership, and cluster.
    """
    check_suffix(out)
    from core.checks.new_samples import read_new_samples
    from core.store import load

    diagnosis = load(run)
    if diagnosis.model is None:
        raise InvalidInput(f"{run}: the run has no loss model, so it cannot assign samples. Run `diagnose` again.")
    with TerminalProgress() as progress:
        brought = read_new_samples(
            diagnosis, table, images=images, embeddings=embeddings, encoder=encoder, roles=roles, progress=progress
        )
    assignment = diagnosis.model.assign(brought.embeddings, labels=brought.labels)
    write_table(_assignment_table(brought, assignment, len(diagnosis.clusters)), out)
    for note in brought.notes:
        say(f"Note: {note}", file=sys.stderr)
    say(
        f"Assigned {int((assignment.cluster >= 0).sum()):,} of {len(assignment.cluster):,} samples to a group. "
        f"Written: {out}"
    )


def _assignment_table(brought: NewSamples, assignment: Assignment, n_clusters: int) -> pd.DataFrame:
    """Make one row per new sample; skipped samples have only an id."""
    import pandas as pd

    confirmed = assignment.memberships[:, :n_clusters]
    membership = assignment.predicted * 0
    if n_clusters:
        membership = confirmed.max(1)
    table = pd.DataFrame(
        {
            "id": list(brought.ids),
            "predicted": assignment.predicted,
            "spread": assignment.spread,
            "cluster": pd.Series(assignment.cluster, dtype="Int64"),
            "membership": membership,
        }
    )
    if not brought.excluded:
        return table
    return pd.concat([table, pd.DataFrame({"id": [name for name, _ in brought.excluded]})])


@command()
@argument("run", "RUN", RUN)
@option(
    "--what",
    "part to export (default: report if --out ends in .html, else samples). weights: sampling weights for training, "
    "mean 1; comparison: against each other model; own: your sets and notes; report: one HTML page; results: folder "
    "of all tables and diagnosis.json; page: folder that opens without a server; fiftyone: folder for FiftyOne",
    type=click.Choice((*TABLES, *extensions.table_names(), REPORT, RESULTS, PAGE, FIFTYONE)),
)
@option(
    "--format",
    "table format (default: by the ending of --out, else csv; mlflow, wandb: their JSON)",
    to="kind",
    type=click.Choice(FORMATS),
)
@option("--out FILE", "file to write (default: standard output); folder for results, page and fiftyone")
@option("--images PATH", "folder of original images, for fiftyone (default: the run's thumbnails)")
def export(
    run: Path, what: str | None = None, kind: str | None = None, out: Path | None = None, images: Path | None = None
) -> None:
    """Export a diagnosis as a table, a report, a page, or a data set.

    Tables are CSV, Parquet, or JSON. The page is a folder that opens without a server. The data set is for FiftyOne.
    """
    if what is None:
        what = "samples"
        if out is not None and out.suffix.lower() == ".html":
            what = REPORT
    if images is not None and what != FIFTYONE:
        raise InvalidInput(f"--images works only with --what {FIFTYONE}. Remove it.")
    if what in _WHOLE:
        if out is None:
            raise InvalidInput(f"--what {what} needs a file or folder to write to. Add --out.")
        if what == REPORT:
            check_suffix(out, ".html")
        with TerminalProgress() as progress:
            try:
                say(_WHOLE[what](run, out, images, progress))
            except OSError as error:
                raise InvalidInput(f"Cannot write {out}: {error.strerror}. Choose another --out.") from error
        return
    from core.reports.tables import (
        comparison as comparison_tables,
        diagnosis as results,
        reasons as reason_tables,
        sections as section_tables,
        yours,
    )
    from core.store import load

    if kind == "parquet" and out is None:
        raise InvalidInput("Parquet needs a file, not standard output. Add --out FILE.")
    if kind is None and out is not None:
        check_suffix(out)
    tables = {
        "sections": section_tables.sections_table,
        "samples": results.samples_table,
        "clusters": results.clusters_table,
        "insights": results.insights_table,
        "weights": results.weights_table,
        "reasons": reason_tables.reasons_table,
        "comparison": comparison_tables.comparisons_table,
        "own": yours.yours_table,
    }
    diagnosis = load(run)
    table = tables[what](diagnosis) if what in tables else extensions.table_of(what, diagnosis, results.framed)
    if table is None:
        raise InvalidInput(f"The table {what!r} could not be built: its system failed. Read the warning above.")
    write_table(table, out, kind or "")
    if out is not None:
        say(f"Written: {out}")


def _report(run: Path, out: Path, images: Path | None, progress: Progress) -> str:
    from core.reports.html.diagnosis import write_report
    from core.store import load

    diagnosis = load(run)
    in_folder(out)
    write_report(diagnosis, out, progress)
    return f"Written: {out}"


def _results(run: Path, out: Path, images: Path | None, progress: Progress) -> str:
    """Write what docs/schema.md documents."""
    from core.reports.tables.diagnosis import write_results
    from core.store import load

    diagnosis = load(run)
    make_folder(out)
    write_results(diagnosis, out)
    return f"Written: {out}"


def _page(run: Path, out: Path, images: Path | None, progress: Progress) -> str:
    """Write the page as a folder: map, clusters, galleries, and table."""
    from core.store import load
    from webapp.explore.static_page import write_page

    return f"Open {write_page(load(run), out, progress)}"


def _fiftyone(run: Path, out: Path, images: Path | None, progress: Progress) -> str:
    from core.reports.tables.fiftyone import write_fiftyone
    from core.store import load

    n, without = write_fiftyone(load(run), out, images, progress)
    left_out = ""
    if without:
        left_out = f" Skipped {len(without):,} without an image: {quoted(*without, most=3)}."
    return f"{n:,} samples written.{left_out} Load them: fo.Dataset.from_dir({str(out)!r}, fo.types.FiftyOneDataset)"


_WHOLE = {REPORT: _report, RESULTS: _results, PAGE: _page, FIFTYONE: _fiftyone}


@command()
def encoders() -> None:
    """List the encoders and which ones work here."""
    from core.encoders import list_encoders

    for name, description, available, how in list_encoders():
        state = "works here" if available else f"not installed: {how}"
        say(f"{name}\n    {description}\n    {state}")
