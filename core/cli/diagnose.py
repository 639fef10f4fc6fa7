"""The commands around a diagnosis: make one, assign new samples with it, export it; and the encoders.

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
TABLES = ("samples", "clusters", "insights", "weights", "reasons", "comparison", "own")
FORMATS = ("csv", "parquet", "json", "mlflow", "wandb")


@command()
@option("--out FILE", "the run, NAME.errata: one file that page, Python and the other commands open")
@samples("--table FILE", ENCODER)
@LOSS
@option("--issues FILE", "cleanlab's issues of the same rows: its columns may explain a failure")
@TASKS
@heading("Words (they need images or texts)")
@option("--naming ENCODER", "the encoder that finds words, if it is another than --encoder")
@option("--vocabulary FILE", "your own phrases (see `python -m core phrases`)")
@option("--no-words", "test no phrases and answer no questions")
@heading("The test")
@option("--separate-copies", "rows of equal or nearly equal vectors are different samples: do not keep them together")
@option(
    "--within CLASS",
    "classes to search inside, named before looking (default all; fewer are cheaper to test, so more is found)",
    to="settings.within",
)
@option("--alpha", "chance of any false claim (default 0.05)", **SHARE)
@option(
    "--permutations N",
    "shuffles behind each p (default 5000, of more than 20,000 samples down to 500; fewer for a preview)",
    to="settings.n_permutations",
    **POSITIVE,
)
@option("--no-map", "draw samples by two principal components and not by UMAP: sooner, and clusters overlap more")
@option("--hold-back SHARE", "hide so much (0.05 to 0.5), then predict it with what was found", **SHARE)
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

    All that was found is written into one file, and printed in a few lines.
    """
    if task.table is None and task.images is None and task.detections is None:
        raise InvalidInput(
            "There is nothing to diagnose. Give a table with --table, or a folder or zip that holds one with --images."
        )
    if no_words and (embedding.naming or embedding.vocabulary):
        asked = "--naming" if embedding.naming else "--vocabulary"
        raise InvalidInput(f"--no-words leaves out the words that {asked} is for. Give one of the two.")
    new_run(out)  # before the work, not after it
    from core.data.tasks.read import read_task
    from core.diagnose import diagnose_data_set
    from core.files import default_cache
    from core.reports.wording.sensitivity import sensitivity_sentence, what_else
    from core.reports.wording.summary import text_summary
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
    if diagnosis.clusters and (sentence := sensitivity_sentence(diagnosis)):
        say(what_else(sentence))
    for section in extensions.sections(diagnosis):
        for line in section.lines:
            say(line)
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
    """Predicted loss and cluster of new samples.

    One table with predicted loss, spread, membership and cluster.
    """
    check_suffix(out)
    from core.checks.new_samples import read_new_samples
    from core.store import load

    diagnosis = load(run)
    if diagnosis.model is None:
        raise InvalidInput(f"The run {run} holds no model to assign with. Diagnose the data again.")
    with TerminalProgress() as progress:
        brought = read_new_samples(
            diagnosis, table, images=images, embeddings=embeddings, encoder=encoder, roles=roles, progress=progress
        )
    found = diagnosis.model.assign(brought.embeddings, labels=brought.labels)
    write_table(_assigned(brought, found, len(diagnosis.clusters)), out)
    for note in brought.notes:
        say(f"Note: {note}", file=sys.stderr)
    say(
        f"{len(found.cluster):,} samples assigned, {int((found.cluster >= 0).sum()):,} of them to a failure cluster. "
        f"Written: {out}"
    )


def _assigned(brought: NewSamples, found: Assignment, n_clusters: int) -> pd.DataFrame:
    """One row for each new sample; of those that were left out only the id."""
    import pandas as pd

    confirmed = found.memberships[:, :n_clusters]
    assigned = pd.DataFrame(
        {
            "id": list(brought.ids),
            "predicted": found.predicted,
            "spread": found.spread,
            "cluster": pd.Series(found.cluster, dtype="Int64"),
            "membership": confirmed.max(1) if confirmed.shape[1] else found.predicted * 0,
        }
    )
    left_out = pd.DataFrame({"id": [name for name, _ in brought.excluded]})
    return pd.concat([assigned, left_out]) if len(left_out) else assigned


@command()
@argument("run", "RUN", RUN)
@option(
    "--what",
    "weights: how often to draw each sample in training, mean 1; comparison: with each other model; own: a person's "
    "sets and notes; report: one HTML page to read; results: all tables and diagnosis.json, a folder; page: map, "
    "clusters, galleries and table as a folder that opens without a server; fiftyone: a folder that FiftyOne loads",
    type=click.Choice((*TABLES, *extensions.table_names(), REPORT, RESULTS, PAGE, FIFTYONE)),
)
@option("--format", "mlflow, wandb: JSON as their tables are", to="kind", type=click.Choice(FORMATS))
@option("--out FILE", "file to write (default: standard output), or folder of results, page and fiftyone")
@option("--images PATH", "fiftyone: the folder of the original images (default: the small ones that the run keeps)")
def export(
    run: Path, what: str | None = None, kind: str = "csv", out: Path | None = None, images: Path | None = None
) -> None:
    """Write one part of a diagnosis as CSV, Parquet or JSON, or all of it: as a report, as files for programs, as a
    page that opens without a server, or as a data set of FiftyOne.

    Without --what it is the report where --out ends in .html, else the samples.
    """
    if what is None:
        what = REPORT if out is not None and out.suffix.lower() == ".html" else "samples"
    if images is not None and what != FIFTYONE:
        raise InvalidInput(f"--images belongs to --what {FIFTYONE}. Leave it out.")
    if what in _WHOLE:
        if out is None:
            raise InvalidInput(f"--what {what} needs a place to write to. Name it with --out.")
        if what == REPORT:
            check_suffix(out, ".html")
        with TerminalProgress() as progress:
            try:
                say(_WHOLE[what](run, out, images, progress))
            except OSError as error:
                raise InvalidInput(f"{out} cannot be written: {error.strerror}. Choose another --out.") from error
        return
    from core.reports.tables import (
        comparison as comparison_tables,
        diagnosis as results,
        reasons as reason_tables,
        yours,
    )
    from core.store import load

    if kind == "parquet" and out is None:
        raise InvalidInput("Parquet is no text, so it needs a file. Add --out FILE.")
    tables = {
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
        raise InvalidInput(f"The table {what!r} cannot be made: its system failed. See the warning above.")
    write_table(table, out, kind)


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
    """Write the folder of a page: map, clusters, galleries and table."""
    from core.store import load
    from webapp.explore.static_page import write_page

    return f"Open {write_page(load(run), out, progress)}"


def _fiftyone(run: Path, out: Path, images: Path | None, progress: Progress) -> str:
    from core.reports.tables.fiftyone import write_fiftyone
    from core.store import load

    n, without = write_fiftyone(load(run), out, images, progress)
    left_out = f" {len(without):,} without an image were left out: {quoted(*without, most=3)}." if without else ""
    return f"{n:,} samples written.{left_out} Load them: fo.Dataset.from_dir({str(out)!r}, fo.types.FiftyOneDataset)"


_WHOLE = {REPORT: _report, RESULTS: _results, PAGE: _page, FIFTYONE: _fiftyone}


@command()
def encoders() -> None:
    """List the encoders and which of them work here."""
    from core.encoders import list_encoders

    for name, description, available, how in list_encoders():
        say(f"{name}\n    {description}\n    {'works here' if available else f'not installed: {how}'}")
