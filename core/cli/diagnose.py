"""What each command of the command line does. Heavy packages are imported inside the command that needs them."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any, cast

from core.cli.output import check_suffix, make_folder, write_table
from core.cli.terminal import TerminalProgress
from core.data.tables.roles import Roles
from core.errors import InvalidInput, MissingDependency

if TYPE_CHECKING:
    pass


def diagnose(options: Namespace) -> None:
    """Diagnose the samples, write every result into --out, and print the result in a few lines."""
    if options.table is None and options.images is None and options.detections is None:
        raise InvalidInput(
            "There is nothing to diagnose. Give a table with --table, or a folder or zip that holds one with --images."
        )
    if options.no_words and (options.naming or options.vocabulary):
        asked = "--naming" if options.naming else "--vocabulary"
        raise InvalidInput(f"--no-words leaves out the words that {asked} is for. Give one of the two.")
    make_folder(options.out)  # before the work, not after it
    from core.data.tasks.read import read_task
    from core.diagnose import diagnose_data_set
    from core.discovery.settings import EmbeddingSettings, Settings
    from core.embeddings.cache import default_cache
    from core.reports.html.diagnosis import write_report
    from core.reports.wording.summary import text_summary
    from core.store import save

    progress = TerminalProgress()
    try:
        diagnosis = diagnose_data_set(
            read_task(options, roles_of(options), progress),
            embedding=EmbeddingSettings(
                options.encoder or "embedded", options.naming, options.vocabulary, default_cache()
            ),
            hold_back=options.hold_back,
            settings=Settings(
                alpha=options.alpha, seed=options.seed, n_permutations=options.permutations, words=not options.no_words
            ),
            progress=progress,
        )
        save(diagnosis, options.out, progress)
        write_report(diagnosis, options.out / "report.html", progress)
    finally:
        progress.close()
    print(text_summary(diagnosis))
    print(f"Report: {options.out / 'report.html'}")


def roles_of(options: Namespace) -> Roles:
    """The columns that the user named."""
    given: dict[str, Any] = {}
    for name in Roles.__slots__:
        value: Any = getattr(options, name, None)
        if value is not None:
            given[name] = tuple(cast("list[str]", value)) if isinstance(value, list) else value
    return Roles(**given)


def assign(options: Namespace) -> None:
    """Predicted loss, spread, membership and cluster of new samples, as one table."""
    check_suffix(options.out)
    import pandas as pd

    from core.checks.new_samples import read_new_samples
    from core.store import load

    diagnosis = load(options.run)
    if diagnosis.model is None:
        raise InvalidInput(f"The run in {options.run} holds no model to assign with. Diagnose the data again.")
    progress = TerminalProgress()
    try:
        brought = read_new_samples(
            diagnosis,
            options.table,
            images=options.images,
            embeddings=options.embeddings,
            encoder=options.encoder,
            roles=roles_of(options),
            progress=progress,
        )
    finally:
        progress.close()
    found = diagnosis.model.assign(brought.embeddings, labels=brought.labels)
    confirmed = found.memberships[:, : len(diagnosis.clusters)]
    top = confirmed.max(1) if confirmed.shape[1] else found.predicted * 0
    table = pd.DataFrame(
        {
            "id": list(brought.ids),
            "predicted": found.predicted,
            "spread": found.spread,
            "cluster": pd.Series(found.cluster, dtype="Int64"),
            "membership": top,
        }
    )
    left_out = pd.DataFrame(
        {"id": [name for name, _ in brought.excluded]}
    )  # they stay in the table, with nothing in the other columns
    write_table(
        pd.concat([table, left_out]) if len(left_out) else table,
        options.out,
        options.out.suffix.lower().removeprefix("."),
    )
    for note in brought.notes:
        print(f"Note: {note}", file=sys.stderr)
    print(
        f"{len(table):,} samples assigned, {int((found.cluster >= 0).sum()):,} of them to a failure cluster. "
        f"Written: {options.out}"
    )


def export(options: Namespace) -> None:
    """One part of a finished run, to a file or to standard output."""
    from core.reports.tables import diagnosis as results, probes as probe_tables
    from core.store import load

    if options.format == "parquet" and options.out is None:
        raise InvalidInput("Parquet is no text, so it needs a file. Add --out FILE.")
    tables = {
        "samples": results.samples_table,
        "clusters": results.clusters_table,
        "insights": results.insights_table,
        "weights": results.weights_table,
        "probes": probe_tables.probes_table,
        "comparison": probe_tables.comparisons_table,
    }
    write_table(tables[options.what](load(options.run)), options.out, options.format)


def encoders(options: Namespace) -> None:
    """The encoders, which of them work here, and how to get the others."""
    from core.encoders import list_encoders

    for name, description, available, how in list_encoders():
        print(f"{name}\n    {description}\n    {'works here' if available else f'not installed: {how}'}")


def serve(options: Namespace) -> None:
    """Open the page and stay until stopped."""
    if options.root is not None and not options.root.is_dir():
        raise InvalidInput(f"--root must be a folder of data sets: {options.root} is none.")
    try:
        from webapp.app import main
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in ("core", "webapp"):
            raise
        raise MissingDependency(
            f"The page needs {error.name}. Run `pip install -r requirements.txt`, or start it with scripts/app."
        ) from error
    main(host=options.host, port=options.port, root=options.root)
