"""The command `correct`: corrected scans or changed clips of a cluster, and the effect on the user's losses."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.command import argument, command, option
from core.cli.options import JSON, POSITIVE, RUN, SEED
from core.cli.output import print_json
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput
from core.systems.neuralizer.corrections.names import CHANGES, CORRECTIONS, DEFAULT_ITEMS, correction_title

_SCANS = ", ".join(correction_title(name) for name in CORRECTIONS)
_CLIPS = ", ".join(correction_title(name) for name in CHANGES)


@command(note="What a correction is, its control and its limits: docs/scans.md, docs/clips.md.")
@argument("run", "RUN", RUN)
@option("--images PATH", "export: the diagnosed scans or clips, folder, zip or tar")
@option("--out DIR", "export: a new folder for the corrected files and altered.json")
@option("--cluster N", "export: id of the group (default: 0, the first)", type=click.IntRange(min=0))
@option(
    "--fault NAME",
    f"export: fault to remove, from scans {_SCANS}; from clips {_CLIPS}; repeatable (default: all)",
    type=click.Choice((*CORRECTIONS, *CHANGES)),
)
@option("--most N", f"export: scans or clips of the group, and as many others (default: {DEFAULT_ITEMS})", **POSITIVE)
@option("--network PATH", "export: for scans, folder or checkpoint of a Neuralizer (default: the shipped one)")
@option("--altered DIR", "read: the exported folder")
@option("--scores FILE", "read: table of your model's losses on the files, with columns file and loss")
@SEED
@JSON
def correct(
    run: Path,
    images: Path | None = None,
    out: Path | None = None,
    cluster: int = 0,
    fault: tuple[str, ...] = (),
    most: int = DEFAULT_ITEMS,
    network: Path | None = None,
    altered: Path | None = None,
    scores: Path | None = None,
    seed: int = 0,
    as_json: bool = False,
) -> None:
    """Test whether errors come from bias field or noise of scans, or from order, light or cuts of clips.

    First export with --images and --out: Errata writes files of the group and others with each fault removed. Run your
    model on them. Then read with --altered and --scores: Errata reports the share of the group's excess loss that each
    correction explains.
    """
    from core.store import load
    from core.systems.neuralizer.corrections.altered import read_altered, read_rescored, write_altered
    from core.systems.neuralizer.corrections.request import CorrectionRequest, altered_items

    diagnosis = load(run)
    if out is not None and images is not None and altered is None and scores is None:
        with TerminalProgress() as progress:
            files, about = altered_items(
                diagnosis, images, CorrectionRequest(cluster, fault, most, network, seed), progress
            )
            n = write_altered(out, files, about)
        say(f"Wrote {n:,} files to {out}. Score them with your model in a table with the columns file and loss, then:")
        say(f"  python -m core correct {run} --altered {out} --scores YOUR_TABLE")
        return
    if altered is None or scores is None or out is not None or images is not None:
        raise InvalidInput("Export with --images and --out, or read with --altered and --scores.")
    from core.systems.neuralizer.corrections.explain import explain_by_corrections, not_the_runs, sentence

    items, about = read_altered(altered)
    rescored = read_rescored(items, scores)
    findings = explain_by_corrections(diagnosis, about, rescored, seed)
    note = not_the_runs(diagnosis, rescored)
    if as_json:
        corrections = [finding.to_dict() for finding in findings]
        print_json({"cluster": about.get("cluster"), "corrections": corrections, "note": note or None})
        return
    lines = [sentence(finding) for finding in findings]
    if note:
        lines.insert(0, note)
    say("\n".join(lines))
