"""The commands `compare` and `reproduce`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.command import argument, command, entry, heading, option
from core.cli.options import LABEL, MANY_PROBABILITIES, RUN
from core.cli.output import TABLES, check_suffix, in_folder, make_folder, write_table
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles
from core.errors import InvalidInput

if TYPE_CHECKING:
    from core.records import Comparison, Diagnosis

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
"""Which methods take notice of an option of `reproduce`."""
METHODS = ("zero-shot", "sus-x", "coop", "cocoop", "few-shot", "all", "cola")
"""What `reproduce` can be asked for."""


@command()
@argument("run", "DIR", RUN)
@argument("a", "[A]", '"model" (the one under diagnosis, default) or the name of a result')
@argument("b", "[B]", "the model set beside it (default: the latest probe)")
@option("--out FILE", "file to write: .csv, .parquet, .json or .html")
@heading("Another model of yours beside it, from a table with the run's ids")
@option("--second TABLE", "label, and predictions, probabilities or logits; its columns by usual names, or")
@option("--id COL", "its ids, or the pictures' paths")
@LABEL
@option("--prediction COL", "predicted class")
@option("--probabilities COL", MANY_PROBABILITIES)
@option("--worse DIR", "diagnose where B is worse than A, and write that run there")
@option("--student FOLDER", "it is a student that `distil` wrote there: say how much smaller and faster it is")
def compare(
    run: Path,
    roles: Roles,
    a: str = "model",
    b: str | None = None,
    second: Path | None = None,
    student: Path | None = None,
    worse: Path | None = None,
    out: Path | None = None,
) -> None:
    """Two models side by side: what one fixes and breaks of the other.

    On all samples, in failure clusters, and in classes.
    """
    if out is not None:
        check_suffix(out, *TABLES, ".html")
    costs = None if student is None else _costs(student)
    from core.checks.compare import compare as beside
    from core.reports.tables.probes import comparison_document, comparison_table
    from core.reports.wording.distillation import second_lines
    from core.reports.wording.probes import comparison_lines
    from core.store import load

    diagnosis = load(run)
    notes: tuple[str, ...] = ()
    if second is not None:
        from core.checks.second_model import with_second

        if b is not None:
            raise InvalidInput(
                "--second is the model set beside the first, so B has no place. Leave B or --second out."
            )
        diagnosis, b, notes = with_second(diagnosis, second, roles)
        for note in notes:
            say(f"Note: {note}", file=sys.stderr)
    found = beside(diagnosis, a, b)
    lead = second_lines(diagnosis, found, costs) if second is not None or costs is not None else []
    say("\n".join([*lead, *comparison_lines(diagnosis, found)]))
    if worse is not None:
        _find_worse(diagnosis, found, worse)
    if out is None:
        return
    in_folder(out)
    found = replace(found, notes=(*found.notes, *notes))
    if out.suffix.lower() == ".html":
        from core.reports.html.diagnosis import write_comparison

        write_comparison(diagnosis, found, out, lead)
    elif out.suffix.lower() == ".json":
        from core.files import write_json

        write_json(out, comparison_document(diagnosis, found))
    else:
        write_table(comparison_table(diagnosis, found), out)
    say(f"Written: {out}")


def _find_worse(diagnosis: Diagnosis, found: Comparison, folder: Path) -> None:
    """Diagnose the difference of the errors and write the run."""
    from core.checks.compare import MODEL, probe_of
    from core.checks.second_model import diagnose_regressions
    from core.reports.wording.summary import text_summary
    from core.store import finish
    from core.store.layout import RUN as KIND

    if found.a != MODEL:
        raise InvalidInput(f"--worse needs the model under diagnosis as A: got {found.a!r}. Leave A out.")
    make_folder(folder, KIND)
    with TerminalProgress() as progress:
        run = diagnose_regressions(diagnosis, probe_of(diagnosis, found.b), progress=progress)
        report = finish(run, folder, progress)
    say(f"\n{text_summary(run)}")
    say(f"Report: {report}")


def _costs(student: Path) -> Any:
    """What teacher and student take; a folder that holds no student is refused before the comparison."""
    from core.training.distillation.student_folder import read_costs

    return read_costs(student)


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
        from core.cli.compose import reproduce_cola

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
    from core.embeddings.cache import default_cache
    from core.files import write_json
    from core.probes.ladder.reproduce import SupportPool, reproduce as climb
    from core.probes.ladder.steps import LadderChoices
    from core.reports.tables.probes import reproduction_document, reproduction_table
    from core.reports.wording.probes import reproduction_lines

    told: dict[str, Any] = {"init": options.init, "per_class": options.per_class}
    with TerminalProgress() as progress:
        rows = climb(
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
