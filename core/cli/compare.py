"""The commands `compare` and `reproduce`."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from core.cli.diagnose import roles_of
from core.cli.output import in_folder, make_folder, write_table
from core.cli.terminal import TerminalProgress
from core.errors import InvalidInput

if TYPE_CHECKING:
    pass


def compare(options: Namespace) -> None:
    """Two models of a run side by side: all samples, failure clusters, classes."""
    if options.out is not None and options.out.suffix.lower() not in (".csv", ".parquet", ".json", ".html"):
        raise InvalidInput(f"--out must end in .csv, .parquet, .json or .html: got {options.out.name!r}.")
    from core.checks.compare import compare as beside
    from core.reports.tables.probes import comparison_document, comparison_table
    from core.reports.wording.probes import comparison_lines
    from core.store import load

    diagnosis = load(options.run)
    if options.second is not None:
        from core.checks.second_model import with_second

        if options.b is not None:
            raise InvalidInput(
                "--second is the model set beside the first, so B has no place. Leave B or --second out."
            )
        diagnosis, options.b, notes = with_second(diagnosis, options.second, roles_of(options))
        for note in notes:
            print(f"Note: {note}", file=sys.stderr)
    found = beside(diagnosis, options.a, options.b)
    print("\n".join(comparison_lines(diagnosis, found)))
    if options.out is None:
        return
    in_folder(options.out)
    kind = options.out.suffix.lower()
    if kind == ".html":
        from core.reports.html.diagnosis import write_comparison

        write_comparison(diagnosis, found, options.out)
    elif kind == ".json":
        from core.files import write_json

        write_json(options.out, comparison_document(diagnosis, found))
    else:
        write_table(comparison_table(diagnosis, found), options.out, kind.removeprefix("."))
    print(f"Written: {options.out}")


def reproduce(options: Namespace) -> None:
    """A published method and its baselines on a data set, over several seeds, with the papers' figures beside."""
    if options.dataset is None:
        raise InvalidInput(
            f"reproduce {options.method} needs a data set. Name its folder, table or split file with --dataset."
        )
    if options.seeds < 1:
        raise InvalidInput(f"--seeds must be at least 1: got {options.seeds}. Three give an interval over draws.")
    make_folder(options.out)
    from core.embeddings.cache import default_cache
    from core.files import write_json
    from core.probes.ladder.reproduce import reproduce as climb
    from core.reports.tables.probes import reproduction_document, reproduction_table
    from core.reports.wording.probes import reproduction_lines

    progress = TerminalProgress()
    try:
        rows = climb(
            options.method,
            options.dataset,
            options.encoder,
            tuple(range(options.seeds)),
            descriptions=options.descriptions,
            shots=tuple(options.shots),
            state=options.out / "steps.json",
            cache=default_cache(),
            progress=progress,
        )
    finally:
        progress.close()
    write_table(reproduction_table(rows), options.out / "reproduced.csv", "csv")
    document = reproduction_document(rows, options.method, options.encoder, options.dataset.name, options.seeds)
    write_json(options.out / "reproduced.json", document)
    print("\n".join(reproduction_lines(rows)))
    print(f"Written: {options.out / 'reproduced.csv'}")
