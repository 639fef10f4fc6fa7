"""Run a published method on a data set: `python -m research.ladder METHOD --dataset PATH --out DIR`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from core.cli.command import argument, command, entry, heading, option
from core.cli.output import make_folder, write_table
from core.cli.terminal import TerminalProgress, say
from core.errors import DiagnosisError, InvalidInput
from core.files import default_cache, write_json
from research.ladder.cola import reproduce_cola
from research.ladder.reproduce import SupportPool, reproduce as run_method
from research.ladder.steps import LadderChoices
from research.ladder.tables import reproduction_document, reproduction_table
from research.ladder.wording import reproduction_lines

FOLDERS = "auto: folders are classes where most have a class's name; classes: they are; none: they are not"
INIT = "a photo of a"
USED_BY = {
    "pool": ("sus-x", "all"),
    "pool-folders": ("sus-x", "all"),
    "pool-names": ("sus-x", "all"),
    "per-class": ("sus-x", "all"),
    "init": ("coop", "cocoop", "all"),
    "target": ("coop", "cocoop", "all"),
    "images": ("cola",),
    "file": ("cola",),
}
"""Which methods take notice of an option."""
METHODS = ("zero-shot", "sus-x", "coop", "cocoop", "few-shot", "all", "cola")


@dataclass(frozen=True, slots=True)
class MethodOptions:
    """What single methods take."""

    pool: Path | None = entry("PATH", "sus-x: folder, zip or tar of unlabelled images, or of class folders")
    pool_folders: str = entry("", FOLDERS, "auto", type=click.Choice(("auto", "classes", "none")))
    pool_names: Path | None = entry(
        "FILE", 'JSON: {"folder": "class name"}, where folders of the pool have other names'
    )
    per_class: int | None = entry("N", "sus-x: support images a class from the pool (default 20)")
    init: str | None = entry("WORDS", f'coop, cocoop: what the context starts from; "" for random (default "{INIT}")')
    target: tuple[Path, ...] = entry("PATH", "coop, cocoop: score these data sets too by what --dataset taught", ())


@command()
@argument("method", "METHOD", f"one of {', '.join(METHODS)}", type=click.Choice(METHODS))
@option("--dataset PATH", "class folders, a table beside its pictures, or split_zhou_*.json")
@option("--encoder NAME", "such as ViT-B-32/openai or ViT-B-32:openai (default: embedded)")
@option("--seeds N", "repeats with other shots (default 3)")
@option("--shots N", "labelled images a class, where any are (default 1 4 16)")
@option("--descriptions FILE", 'sentences for each class; "" for none (default: those that come with the data set)')
@option("--out DIR", "folder for the table of results; finished steps there are not run again")
@heading("Cola, in place of --dataset")
@option("--images PATH", "folder, zip or tar of pictures of Visual Genome, such as 2390970.jpg")
@option("--file FILE", "COLA_multiobjects_matching_benchmark.json (default: sought in --images and beside)")
def reproduce(
    method: str,
    out: Path,
    options: MethodOptions,
    dataset: Path | None = None,
    encoder: str = "embedded",
    seeds: int = 3,
    shots: tuple[int, ...] = (1, 4, 16),
    descriptions: str | None = None,
    images: Path | None = None,
    file: Path | None = None,
) -> None:
    """Run a published method on a data set, with the published figures beside.

    The method and its baselines, over several seeds.
    """
    _check_used(method, options, {"images": images, "file": file})
    if method == "cola":
        reproduce_cola(out, encoder, dataset, images, file)
        return
    if dataset is None:
        raise InvalidInput(f"reproduce {method} needs a data set. Name its folder, table or split file with --dataset.")
    if seeds < 1:
        raise InvalidInput(f"--seeds must be at least 1: got {seeds}. Three give an interval over draws.")
    pool = options.pool
    if pool is None and (options.pool_folders != "auto" or options.pool_names is not None):
        raise InvalidInput("--pool-folders and --pool-names say how --pool is read. Name a pool, or leave them out.")
    make_folder(out)
    told: dict[str, Any] = {"init": options.init, "per_class": options.per_class}
    with TerminalProgress() as progress:
        rows = run_method(
            method,
            dataset,
            encoder,
            tuple(range(seeds)),
            choices=LadderChoices(shots, **{name: value for name, value in told.items() if value is not None}),
            descriptions=descriptions,
            pool=None if pool is None else SupportPool(pool, options.pool_folders, options.pool_names),
            targets=options.target,
            state=out / "steps.json",
            cache=default_cache(),
            progress=progress,
        )
    table = out / "reproduced.csv"
    write_table(reproduction_table(rows), table)
    write_json(out / "reproduced.json", reproduction_document(rows, method, encoder, dataset.name, seeds))
    say("\n".join(reproduction_lines(rows)))
    say(f"Written: {table}")


def _check_used(method: str, options: MethodOptions, more: Mapping[str, Any]) -> None:
    """Refuse what the method would take no notice of, all of it in one message."""
    told = {field.name.replace("_", "-"): getattr(options, field.name) for field in fields(options)} | dict(more)
    given = [name for name, value in told.items() if value is not None and value not in ((), "auto")]
    unused = [name for name in given if method not in USED_BY[name]]
    if unused:
        served = dict.fromkeys(other for name in unused for other in USED_BY[name] if other != "all")
        raise InvalidInput(
            f"{method} has no use for {' and '.join(f'--{name}' for name in unused)}. Leave that out, or reproduce "
            f"{' or '.join(served)}."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code, as `errata` does: 2 bad input, 3 a missing dependency."""
    try:
        reproduce.main(arguments, "python -m research.ladder", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except DiagnosisError as error:
        say(f"reproduce: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
