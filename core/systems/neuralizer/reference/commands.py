"""The command `reference`: masks for scans from low-loss scans of the same upload, and whether the disagreement with
them may stand in for a loss."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.command import argument, command, heading, option
from core.cli.options import ID, IMAGE, JSON, RUN, SEED
from core.cli.output import make_folder, print_json, write_table
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput

if TYPE_CHECKING:
    from core.records import Diagnosis
    from core.systems.neuralizer.reference.standin import Standin


@command(note="What a reference is, when a stand-in is refused, and what both are worth: docs/scans.md.")
@argument("run", "RUN", RUN)
@option("--table FILE", "the table that was diagnosed; rows whose true mask is empty are scans without one")
@option("--images PATH", "its scans and masks: folder, zip or tar")
@option("--out DIR", "folder for reference.csv, .json and .html")
@heading("Columns, if they are others than `diagnose` was given, or recognized")
@ID
@IMAGE
@option("--masks COL", "true and predicted mask")
@option("--group COL", "patient: no example is of the target's")
@heading("How it is made")
@option("--network PATH", "a Neuralizer, folder or checkpoint (default: the one that comes along)")
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

    Says what these masks are worth where the true one is known, and offers 1 - Dice with them as a stand-in for the
    loss of scans without a true mask, if it orders the labeled ones as their loss does. The run keeps the result.
    """
    if len(masks) not in (0, 2):
        raise InvalidInput("--masks takes two columns, the true mask and the predicted one.")
    import pandas as pd

    from core.data.tables.roles import Roles
    from core.files import write_json
    from core.store import load
    from core.systems.neuralizer.reference.html import write_reference
    from core.systems.neuralizer.reference.standin import measure_table
    from core.systems.neuralizer.reference.wording import RULE, reference_lines

    diagnosis = load(run)
    make_folder(out)
    with TerminalProgress() as progress:
        roles = Roles(masks=(masks[0], masks[1]) if masks else None, group=group, id=id, image=image, modality="scan")
        found = measure_table(diagnosis, (table, images), roles, source=network, seed=seed, progress=progress)
    standin = found[1]
    document = found[1].document()
    write_json(out / "reference.json", document)
    write_table(pd.DataFrame(standin.columns()), out / "reference.csv")
    write_reference(diagnosis, *found, out / "reference.html")
    _keep(diagnosis, run, standin)
    if as_json:
        print_json(document)
        return
    say("\n".join([*reference_lines(document), *standin.notes, RULE, f"Written: {out / 'reference.html'}"]))


def _keep(diagnosis: Diagnosis, run: Path, standin: Standin) -> None:
    from dataclasses import replace

    from core.store import update
    from core.systems.neuralizer.reference.names import KEY

    document = standin.document()
    update(diagnosis, run, lambda now: replace(now, extras={**now.extras, KEY: document}))
