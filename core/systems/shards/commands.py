"""The command `shards`: a data set in many files, searched in a sample and tried on the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from core.cli.command import argument, command, heading, option
from core.cli.options import GROUP, LABEL, POSITIVE, SEED, SHARE
from core.cli.output import make_folder, new_run, tell_run
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles
from core.discovery.settings import Settings
from core.errors import InvalidInput


@command(note="How to run it on a cluster, and what it costs: docs/large_scale.md.")
@argument("shards", "FOLDER", "Parquet files with the same columns: an id, a loss, and an image, a text or a vector")
@option("--out FILE", "the run, NAME.errata: one file that page, Python and the other commands open")
@option("--work DIR", "folder for vectors, sample and assigned rows (default: NAME-work beside --out)")
@option("--sample N", "rows that are searched (default 200,000); all others are for trying what was found", **POSITIVE)
@heading("Who reads the shards")
@option("--engine NAME", "local: this process; ray: workers of Ray", type=click.Choice(("local", "ray")))
@option("--workers N", "of Ray, a core each (default 2)", **POSITIVE)
@heading("The columns (recognized by name if none is given)")
@option("--id COL", "ids, by which rows are drawn")
@option("--loss COL", "per-sample loss, larger is worse")
@LABEL
@GROUP
@option("--image COL", "images, or their paths below the folder")
@option("--texts COL", "texts", to="roles.texts")
@option("--embedding COL", "vectors, in place of an encoder's")
@option("--encoder NAME", "see `python -m core encoders` (default: embedded)")
@heading("The test")
@option("--no-words", "test no phrases and answer no questions")
@option("--alpha", "chance of any false claim (default 0.05)", **SHARE)
@option(
    "--permutations N",
    "shuffles behind each p (default by the sample's size)",
    to="settings.n_permutations",
    **POSITIVE,
)
@option("--no-map", "draw samples by two principal components and not by UMAP")
@SEED
def shards(
    shards: Path,
    out: Path,
    roles: Roles,
    settings: Settings,
    work: Path | None = None,
    sample: int = 200_000,
    engine: str = "local",
    workers: int | None = None,
    encoder: str | None = None,
    no_words: bool = False,
    no_map: bool = False,
) -> None:
    """Find where a model fails in a data set of many files, and try it on all rows that were not searched.

    A sample is searched on this machine; then every row gets its predicted loss and cluster, and each cluster its size
    and mean loss over the rows that nobody looked at. A run that was stopped goes on where it was.
    """
    if not shards.is_dir():
        raise InvalidInput(f"{str(shards)!r} is not a folder. Name the folder that holds the shards (.parquet).")
    new_run(out)  # before the work, not after it
    work = work or out.resolve().with_name(f"{out.stem}-work")
    make_folder(work)
    if shards.resolve() == work.resolve():
        raise InvalidInput("--work must be another folder than that of the shards. Name another.")
    from core.reports.terminal import text_summary
    from core.store import save, update
    from core.systems.shards.confirm import confirm
    from core.systems.shards.engines import ShardEngine
    from core.systems.shards.files import find_shards
    from core.systems.shards.sample import search_shards

    who = ShardEngine("ray", workers or 2) if engine == "ray" else ShardEngine("local", workers or 1)
    with TerminalProgress() as progress:
        searched = search_shards(
            find_shards(shards, roles),
            work,
            most=sample,
            encoder=encoder,
            settings=replace(settings, words=not no_words, map=not no_map),
            engine=who,
            progress=progress,
        )
        save(searched.diagnosis, out, progress)
        prediction = confirm(searched, engine=who, progress=progress)
        found = update(searched.diagnosis, out, lambda now: replace(now, prediction=prediction), progress)
    say(text_summary(found))
    say(f"Every row, with its predicted loss and cluster: {work / 'assigned'}")
    tell_run(out)
