"""The command `shards`: searches a sample of a data set in many files, and checks the findings on the other rows."""

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
@option("--out FILE", "file for the run, NAME.errata; the page, Python and other commands open it")
@option("--work DIR", "folder for vectors, sample and assigned rows (default: NAME-work beside --out)")
@option("--sample N", "rows to search; the other rows check the findings (default: 200,000)", **POSITIVE)
@heading("Workers")
@option("--engine NAME", "local: this process; ray: workers of Ray", type=click.Choice(("local", "ray")))
@option("--workers N", "Ray workers, one core each (default: 2)", **POSITIVE)
@heading("Columns (default: recognized by name)")
@option("--id COL", "column of ids, by which rows are drawn")
@option("--loss COL", "column of per-sample losses; larger is worse")
@LABEL
@GROUP
@option("--image COL", "column of images, or of their paths below the folder")
@option("--texts COL", "column of texts", to="roles.texts")
@option("--embedding COL", "column of vectors, in place of an encoder's")
@option("--encoder NAME", "see `python -m core encoders` (default: embedded)")
@heading("Test")
@option("--no-words", "skip phrases and questions")
@option("--alpha", "chance of any false finding (default: 0.05)", **SHARE)
@option(
    "--permutations N",
    "permutations per test (default: by the sample's size)",
    to="settings.n_permutations",
    **POSITIVE,
)
@option("--no-map", "draw the map with PCA, not UMAP (faster)")
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
    """Find where a model fails in a data set of many files, and check the findings on all other rows.

    Errata searches a sample on this machine. Then it assigns a predicted loss and a group to every row, and measures
    each group's size and mean loss on the rows outside the sample. A stopped run resumes with the same command.
    """
    if not shards.is_dir():
        raise InvalidInput(f"{str(shards)!r} is not a folder. Use the folder of the shards (.parquet).")
    new_run(out)  # before the work, not after it
    work = work or out.resolve().with_name(f"{out.stem}-work")
    make_folder(work)
    if shards.resolve() == work.resolve():
        raise InvalidInput("--work is the folder of the shards. Use another folder.")
    from core.reports.terminal import text_summary
    from core.store import save, update
    from core.systems.shards.confirm import confirm
    from core.systems.shards.engines import ShardEngine
    from core.systems.shards.files import find_shards
    from core.systems.shards.sample import search_shards

    shard_engine = ShardEngine("local", workers or 1)
    if engine == "ray":
        shard_engine = ShardEngine("ray", workers or 2)
    with TerminalProgress() as progress:
        searched = search_shards(
            find_shards(shards, roles),
            work,
            most=sample,
            encoder=encoder,
            settings=replace(settings, words=not no_words, map=not no_map),
            engine=shard_engine,
            progress=progress,
        )
        save(searched.diagnosis, out, progress)
        prediction = confirm(searched, engine=shard_engine, progress=progress)
        diagnosis = update(searched.diagnosis, out, lambda saved: replace(saved, prediction=prediction), progress)
    say(text_summary(diagnosis))
    say(f"Predicted loss and group of every row: {work / 'assigned'}")
    tell_run(out)
