"""The command `reference`: masks for scans from low-loss scans of the same upload, and whether disagreement with them
may stand in for a loss."""

from __future__ import annotations

from pathlib import Path

from core.cli.command import argument, command, heading, option
from core.cli.options import ID, IMAGE, JSON, RUN, SEED
from core.cli.output import make_folder, print_result, write_table
from core.cli.terminal import TerminalProgress
from core.errors import InvalidInput


@command(note="References, when Errata withholds a stand-in, and the quality of both: docs/scans.md.")
@argument("run", "RUN", RUN)
@option("--table FILE", "the diagnosed table; rows with an empty true mask are scans without one")
@option("--images PATH", "its scans and masks: folder, zip or tar")
@option("--out DIR", "folder for reference.csv, .json and .html")
@heading("Columns, if they differ from those of `diagnose`")
@ID
@IMAGE
@option("--masks COL", "true and predicted mask")
@option("--group COL", "patient; examples come from other patients")
@heading("Method")
@option("--network PATH", "folder or checkpoint of a Neuralizer (default: the shipped one)")
@SEED
@JSON
def reference(
    run: Path,
    table: Path,
    images: Path,
    out: Path,
    id: str | None = None,
    image: str | None = None,
    masks: tuple[str, ...] = (),
    group: str | None = None,
    network: Path | None = None,
    seed: int = 0,
    as_json: bool = False,
) -> None:
    """Draw masks for scans from low-loss scans of the same upload.

    Errata measures these masks where the true one is known. It offers 1 - Dice with them as a stand-in for the loss of
    scans without a true mask, if it orders the labeled scans as their loss does. The run saves the result.
    """
    if len(masks) not in (0, 2):
        raise InvalidInput(f"--masks needs two columns, true and predicted mask: got {len(masks)}. Use it twice.")
    from dataclasses import replace

    import pandas as pd

    from core.data.tables.roles import Roles
    from core.files import write_json, write_text
    from core.store import load, update
    from core.systems.neuralizer.reference.html import reference_page
    from core.systems.neuralizer.reference.standin import measure_table
    from core.systems.neuralizer.reference.wording import KEY, RULE, reference_lines

    diagnosis = load(run)
    make_folder(out)
    with TerminalProgress() as progress:
        roles = Roles(masks=(masks[0], masks[1]) if masks else None, group=group, id=id, image=image, modality="scan")
        scans, standin, references = measure_table(
            diagnosis, (table, images), roles, source=network, seed=seed, progress=progress
        )
    document = standin.document()
    write_json(out / "reference.json", document)
    write_table(pd.DataFrame(standin.columns()), out / "reference.csv")
    write_text(out / "reference.html", reference_page(diagnosis, scans, standin, references))
    update(diagnosis, run, lambda now: replace(now, extras={**now.extras, KEY: document}))
    lines = [*reference_lines(document), *standin.notes, RULE]
    print_result(document, lines, out / "reference.html", as_json=as_json)
