"""The commands of composition: list benchmarks and their pictures, and reproduce Cola's figure. The others are in the
files that PARTS names."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.command import LazyGroup, argument, command, option
from core.cli.options import FORMAT
from core.cli.output import make_folder
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput
from core.systems.composition.commands.models import (
    open_pictured,
    read_named,
    run_lines,
    score_models,
    scorers_of,
    write_results,
)

if TYPE_CHECKING:
    from core.records import CompositionResult, PublishedFigure

PARTS = {
    "benchmarks": "core.systems.composition.commands.compose",
    "run": "core.systems.composition.commands.run",
    "compare": "core.systems.composition.commands.run",
    "pictures": "core.systems.composition.commands.compose",
    "pair": "core.systems.composition.commands.own",
    "foils": "core.systems.composition.commands.own",
    "grid": "core.systems.composition.commands.own",
    "draw": "core.systems.composition.commands.own",
    "adapt": "core.systems.composition.commands.adapt",
    "adapters": "core.systems.composition.commands.adapt",
}
"""The file whose function of the subcommand's name runs it."""
PICTURES = {
    "cola": "Visual Genome (and GQA), such as 2390970.jpg",
    "cola-single": "GQA (Visual Genome), CLEVR or PACO (COCO)",
    "winoground": "facebook/winoground (ask there: they may not be passed on), such as ex_0_img_0.png",
    "colorswap": "the folder images of stanfordnlp/colorswap, such as img_0_1.png",
    "sugarcrepe": "COCO val2017, such as 000000085329.jpg",
    "sugarcrepe++": "COCO val2017, such as 000000085329.jpg",
    "aro-relation": "ARO's own archive (a part of GQA), such as 2390970.jpg",
    "aro-attribution": "ARO's own archive (a part of GQA), such as 2390970.jpg",
    "aro-order": "COCO 2014 or Flickr30k",
    "crepe": "Visual Genome, such as 2390970.jpg",
    "valse": "COCO, Visual7W, SWiG, VisDial and FOIL-it",
    "clevr": "the renderings that the scenes name",
    "negclip": "COCO 2014, such as COCO_val2014_000000184613.jpg",
    "own": "those that your rows name",
    "captions": "those that your rows name",
}
COLA = "COLA_multiobjects_matching_benchmark.json"
NEAR = 2
"""Items by which a reproduction may differ: preprocessing moves one or two."""


@contextmanager
def quiet_packages() -> Generator[None]:
    """Keep what packages log off the terminal: open_clip logs a download that failed, which our own message says."""
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def _quietly() -> None:
    click.get_current_context().with_resource(quiet_packages())


compose = LazyGroup(
    "compose",
    PARTS,
    "Does a model see which attribute belongs to which thing? Benchmarks, own pairs, training.",
    callback=_quietly,
)


@command()
def benchmarks() -> None:
    """List the benchmarks that are read or come along, and the pictures that each needs."""
    from core.systems.composition.readers import READERS
    from core.systems.composition.readers.recognise import KNOWN
    from core.systems.composition.scenes.shipped import SHIPPED

    say("Come along, with their pictures")
    for name, what in SHIPPED.items():
        say(f"  {name}\n      {what}")
    say("Are read from files; --format NAME takes one of these names")
    for name in READERS:
        say(f"  {name}\n      {KNOWN[name]}\n      pictures: {PICTURES[name]}")


@command()
@argument("benchmark", "BENCHMARK", "its file or folder")
@option("--format NAME", FORMAT, to="form")
@option("--images PATH", "folder, zip or tar: print only what is missing there")
def pictures(benchmark: str, form: str = "", images: Path | None = None) -> None:
    """Print the names of the pictures that a benchmark needs.

    Their base names, one a line.
    """
    from core.data.images.archives import open_images
    from core.data.images.matching import index_files
    from core.systems.composition.pictures import picture_list
    from core.systems.composition.scenes.shipped import SHIPPED

    if benchmark in SHIPPED and not Path(benchmark).exists():
        raise InvalidInput(
            f"The benchmark {benchmark!r} comes along with its pictures: none are needed. Run it as it is."
        )
    said = "are needed"
    with TerminalProgress() as progress:
        read = read_named(benchmark, form, progress=progress)
        names = wanted = picture_list(read)
        if images is not None:
            index = index_files(open_images(images.expanduser(), progress=progress))
            wanted, said = tuple(name for name in names if not index.find(name)), f"are not in {images.name!r}"
    if wanted:
        say("\n".join(wanted))
    summary = f"{len(wanted):,} of {len(names):,} pictures {said}."
    say(f"{summary} Pictures of {read.title}: {PICTURES[read.name]}.", file=sys.stderr)


def reproduce_cola(out: Path, encoder: str, dataset: Path | None, images: Path | None, file: Path | None) -> None:
    """Cola's multi-object figure, with the published one beside it."""
    from core.files import write_json
    from core.systems.composition.scoring.published import find

    if dataset is not None:
        raise InvalidInput("Cola has no data set of classes. Leave --dataset out, and name its pictures with --images.")
    if images is None:
        raise InvalidInput(
            f"Cola's pictures are needed: add --images with a folder, zip or tar of {PICTURES['cola']}, "
            f"and its file {COLA} there or with --file. "
            "`compose pictures FILE` lists those that are needed."
        )
    from core.systems.composition.reports.tables import RESULT

    make_folder(out, RESULT)
    with TerminalProgress() as progress:
        pictured = open_pictured(str(file or _cola_file(images.expanduser())), "cola", images, progress=progress)
        with quiet_packages():
            scorers = scorers_of([encoder])
        ran = score_models(pictured, scorers, progress)
        write_results(ran, out)
    result = ran.results[0]
    figure = find("cola", "image", encoder=encoder)
    right, said = _beside(result, figure)
    document = {"encoder": encoder, "right": right, "n": len(result.ids), "missing": len(result.missing), "said": said}
    write_json(out / "reproduced.json", document | {"published": None if figure is None else figure.sentence})
    say("\n".join([*run_lines(ran), said, f"Written: {out}"]))


def _cola_file(folder: Path) -> Path:
    """The benchmark's file, in the folder of its pictures or beside it."""
    for place in (folder, folder.parent):
        if (place / COLA).is_file():
            return place / COLA
    raise InvalidInput(
        f"Cola's file {COLA} is neither in {folder} nor beside it. Put it there, or name it with --file."
    )


def _beside(result: CompositionResult, figure: PublishedFigure | None) -> tuple[int, str]:
    """How many items are right, and a sentence that sets that beside the published figure."""
    right, n = int(result.correct["image"].sum()), len(result.ids)
    ours = f"{right:,} of {n:,} items are right ({100 * right / n:.2f} %)"
    if figure is None:
        return right, f"{ours}. No figure is published for this encoder; those of others are above."
    total = n + len(result.excluded)
    theirs = round(figure.value / 100 * total)
    share = f"{theirs:,} of {total:,} ({100 * theirs / total:.2f} %; printed as {figure.with_source})"
    both = f"{ours}; published for {figure.model}: {share}"
    if n < total:
        return right, f"{both}. {total - n:,} items are left out here, so the two are not of the same items."
    apart = abs(right - theirs)
    within = "within" if apart <= NEAR else "more than"
    return right, f"{both}. The difference is {apart:,}, {within} the {NEAR} that are allowed."
