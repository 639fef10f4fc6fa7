"""The commands of composition: list benchmarks and their images, and reproduce Cola's figure. The others are in the
files that PARTS names."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from core.cli.command import LazyGroup, argument, command, option
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput
from core.systems.composition.commands.score_models import FORMAT, read_named

PARTS = {
    "benchmarks": "core.systems.composition.commands.compose",
    "run": "core.systems.composition.commands.run",
    "compare": "core.systems.composition.commands.run",
    "pictures": "core.systems.composition.commands.compose",
    "pair": "core.systems.composition.commands.own_pictures",
    "foils": "core.systems.composition.commands.own_pictures",
    "grid": "core.systems.composition.commands.own_pictures",
    "adapt": "core.systems.composition.commands.adapt",
    "adapters": "core.systems.composition.commands.adapt",
}
"""The file whose function of the subcommand's name runs it."""


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
    "Does a model see which attribute belongs to which object? Benchmarks, own pairs, training.",
    callback=_quietly,
)


@command()
def benchmarks() -> None:
    """List the benchmarks that are read or come along, and the images that each needs."""
    from core.systems.composition.readers import READERS
    from core.systems.composition.readers.recognise import IMAGES, KNOWN
    from core.systems.composition.scenes.shipped import SHIPPED

    say("Shipped, with their images")
    for name, what in SHIPPED.items():
        say(f"  {name}\n      {what}")
    say("Read from files; use these names with --format")
    for name in READERS:
        say(f"  {name}\n      {KNOWN[name]}\n      images: {IMAGES[name]}")


@command()
@argument("benchmark", "BENCHMARK", "its file or folder")
@option("--format NAME", FORMAT, to="form")
@option("--images PATH", "folder, zip or tar: print only the names missing there")
def pictures(benchmark: str, form: str = "", images: Path | None = None) -> None:
    """Print the names of the images that a benchmark needs.

    Their base names, one a line.
    """
    from core.data.images.archives import open_images
    from core.data.images.matching import index_files
    from core.systems.composition.pictures import picture_list
    from core.systems.composition.readers.recognise import IMAGES
    from core.systems.composition.scenes.shipped import SHIPPED

    if benchmark in SHIPPED and not Path(benchmark).exists():
        raise InvalidInput(
            f"The benchmark {benchmark!r} ships with its images, so you need none. Use `compose run {benchmark}`."
        )
    state = "are needed"
    with TerminalProgress() as progress:
        read = read_named(benchmark, form, progress=progress)
        names = wanted = picture_list(read)
        if images is not None:
            index = index_files(open_images(images.expanduser(), progress=progress))
            wanted = tuple(name for name in names if not index.find(name))
            state = f"are not in {images.name!r}"
    if wanted:
        say("\n".join(wanted))
    summary = f"{len(wanted):,} of {len(names):,} images {state}."
    say(f"{summary} Images of {read.title}: {IMAGES[read.name]}.", file=sys.stderr)
