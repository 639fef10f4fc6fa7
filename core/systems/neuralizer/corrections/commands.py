"""The command `correct`: scans of a cluster with a fault taken out, or clips with a change, and what that does to the
user's losses."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.command import argument, command, option
from core.cli.options import JSON, POSITIVE, RUN, SEED
from core.cli.output import print_json
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput
from core.systems.neuralizer.corrections.names import CHANGES, CORRECTIONS, MOST, said_correction

_SCANS, _CLIPS = (", ".join(map(said_correction, names)) for names in (CORRECTIONS, CHANGES))


@command(note="What a correction is, its control and its limits: docs/scans.md, docs/clips.md.")
@argument("run", "RUN", RUN)
@option("--images PATH", "export: the scans or clips that were diagnosed, folder, zip or tar")
@option("--out DIR", "export: a new folder for the corrected files and altered.json")
@option("--cluster N", "export: which cluster (default 0, the first)", type=click.IntRange(min=0))
@option(
    "--fault NAME",
    f"export: what to take out, of scans {_SCANS}; of clips {_CLIPS}; several may be given (default all of them)",
    type=click.Choice((*CORRECTIONS, *CHANGES)),
)
@option("--most N", f"export: scans or clips of the cluster, and as many others (default {MOST})", **POSITIVE)
@option("--network PATH", "export: of scans, a Neuralizer, folder or checkpoint (default: the one that comes along)")
@option("--altered DIR", "read: the folder that was exported")
@option("--scores FILE", "read: the table of your model's losses on its files, with columns file and loss")
@SEED
@JSON
def correct(
    run: Path,
    images: Path | None = None,
    out: Path | None = None,
    cluster: int = 0,
    fault: tuple[str, ...] = (),
    most: int = MOST,
    network: Path | None = None,
    altered: Path | None = None,
    scores: Path | None = None,
    seed: int = 0,
    as_json: bool = False,
) -> None:
    """Ask whether scans fail for their bias field or noise, or clips for their order, light or cuts.

    First export: --images and --out write the cluster's files, and others, with each fault taken out. Run your model on
    them. Then read: --altered and --scores say what share of the cluster's excess loss each correction explains.
    """
    from core.store import load
    from core.systems.neuralizer.corrections.altered import read_altered, read_rescored, write_altered
    from core.systems.neuralizer.corrections.request import CorrectionRequest, altered_items

    diagnosis = load(run)
    if out is not None and images is not None and altered is None and scores is None:
        with TerminalProgress() as progress:
            made, about = altered_items(
                diagnosis, images, CorrectionRequest(cluster, fault, most, network, seed), progress
            )
            n = write_altered(out, made, about)
        say(f"{n:,} files in {out}. Score each with your model into a table with the columns file and loss, then:")
        say(f"  python -m core correct {run} --altered {out} --scores YOUR_TABLE")
        return
    if altered is None or scores is None or out is not None or images is not None:
        raise InvalidInput("Export with --images and --out, or read with --altered and --scores.")
    from core.systems.neuralizer.corrections.explain import explain_by_corrections, not_the_runs, sentence

    items, about = read_altered(altered)
    read = read_rescored(items, scores)
    found = explain_by_corrections(diagnosis, about, read, seed)
    note = not_the_runs(diagnosis, read)
    if as_json:
        said = [one.to_dict() for one in found]
        print_json({"cluster": about.get("cluster"), "corrections": said, "note": note or None})
        return
    say("\n".join([*([note] if note else []), *(sentence(one) for one in found)]))
