"""Composition of one's own images from the command line: pairs with foils, and the grid of attributes and objects."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import argument, command, entry, option
from core.cli.options import ANY_ENCODER, JSON
from core.cli.output import check_suffix, in_folder, print_json, write_table
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput
from core.systems.composition.commands.score_models import MODEL

if TYPE_CHECKING:
    from core.records import ItemStore
    from core.systems.composition.own_pairs import Caption

MADE = 6
"""Foils that are made where none are given."""


@command()
@argument("caption", "CAPTION", 'such as "a red cube and a blue ball"')
def foils(caption: str) -> None:
    """Print captions that are almost right, made from one.

    Each with what was changed; what was left out goes to stderr.
    """
    from core.systems.composition.foils.make import make_foils

    made_foils = make_foils(caption)
    if made_foils.foils:
        width = max(len(foil.text) for foil in made_foils.foils)
        kinds = max(len(foil.kind) for foil in made_foils.foils)
        say("\n".join(f"{foil.text:<{width}}  {foil.kind:<{kinds}}  {foil.why}" for foil in made_foils.foils))
    else:
        say(made_foils.note)
    if made_foils.left_out:
        say("\n".join(["Left out:", *(f"  {text}: {reason}" for text, reason in made_foils.left_out)]), file=sys.stderr)
    if made_foils.foils:
        say("Check each foil: a rule cannot know whether it is also true of your image.", file=sys.stderr)


@command()
@option("--image FILE", "one image, or two")
@option("--caption TEXT", "caption that is true of the image; for two images one each, in order")
@option("--foil TEXT", "caption that is false of every image (default: made from the first caption)")
@option("--encoder NAME", ANY_ENCODER)
@JSON
def pair(
    image: tuple[Path, ...],
    caption: tuple[str, ...],
    foil: tuple[str, ...] = (),
    encoder: str = "embedded",
    as_json: bool = False,
) -> None:
    """Score your own image with its caption and foils, or two images with two captions.

    Every score at once, and the texts beside each other.
    """
    from core.encoders import load_encoder
    from core.files import default_cache
    from core.systems.common.picture_files import Files
    from core.systems.composition.own_pairs import score_pairs
    from core.systems.composition.readers.fields import path_of
    from core.systems.composition.reports.own_pairs_lines import pair_document, pair_lines

    for path in image:
        if not path_of(path, "The image").is_file():
            raise InvalidInput(f"No image {str(path)!r}. Name files with --image.")
    captions = _captions(len(image), caption, foil)
    if len({path.resolve() for path in image}) < len(image):
        raise InvalidInput(f"--image names {image[0].name} twice. Name two different images, or one.")
    with TerminalProgress() as progress:
        tower = load_encoder(encoder)
        scores = score_pairs(Files(image), captions, tower, cache=default_cache(), progress=progress)
    if as_json:
        print_json(pair_document(scores))
    else:
        say("\n".join(pair_lines(scores)))


def _captions(n: int, true: Sequence[str], foils: Sequence[str]) -> list[Caption]:
    """The captions of n images with the images that they are true of, then the foils: given, or made from the first
    caption of one image."""
    from core.systems.composition.foils.make import make_foils
    from core.systems.composition.own_pairs import Caption

    if n > 2:
        raise InvalidInput(
            f"`compose pair` scores one or two images: got {n}. For more, write a table and use `compose run`."
        )
    if n == 2 and len(true) != 2:
        raise InvalidInput(
            f"Two images need two captions, in the order of the images: got {len(true)}. Give both with --caption."
        )
    captions = [Caption(text, (i,) if n == 2 else (0,)) for i, text in enumerate(true)]
    if n == 2 or foils:
        return captions + [Caption(text, (), 0) for text in foils]
    made_foils = make_foils(true[0])
    if not made_foils.foils:
        raise InvalidInput(f"{made_foils.note} Or write your own foils with --foil.")
    taken = {" ".join(text.split()).casefold() for text in true}
    return captions + [
        Caption(foil.text, (), 0) for foil in made_foils.foils[:MADE] if foil.text.casefold() not in taken
    ]


@dataclass(frozen=True, slots=True)
class GridColumns:
    """Where attributes and objects stand: in columns, in captions, or in scenes."""

    image: str | None = entry("COL", "column of the image paths (default: recognized by name)")
    attribute: str | None = entry("COL", "column of the attribute; in scenes a property (default: color)")
    object: str | None = entry("COL", "column of the object; in scenes a property (default: shape)")
    attribute_2: str | None = entry("COL", "attribute of the image's second object, to test binding")
    object_2: str | None = entry("COL", "the second thing")
    caption: str | None = entry("COL", "read objects and attributes from captions instead of columns")
    family: str = entry("NAME", "with --caption: the family of attributes, such as colour", "")
    one: bool = entry("", "with captions or scenes: use images of one object, not of two", False)


@command()
@argument("table", "TABLE", "CSV, TSV, JSON Lines or Parquet; or JSON with scenes in CLEVR's form")
@option("--images PATH", "folder, zip or tar of images (default: the table's folder)")
@option("--template TEXT", 'with "{}" for the phrase (default: "a photo of {}")')
@option("--encoder MODEL", f"{MODEL} (default: embedded)")
@option("--out FILE", "also write every figure: .csv, .parquet or .json")
def grid(
    table: Path,
    columns: GridColumns,
    images: Path | None = None,
    template: str = "a photo of {}",
    encoder: str = "embedded",
    out: Path | None = None,
) -> None:
    """Which attribute of which object fails, and is it seen or bound wrongly?"""
    from core.files import default_cache
    from core.systems.composition.grid.binding import binding_grid
    from core.systems.composition.grid.read import read_grid
    from core.systems.composition.reports.own_pairs_lines import grid_lines, grid_table
    from core.systems.composition.training.scorers import matrix_of, scorer_of

    if out is not None:
        check_suffix(out)
        in_folder(out)
    with TerminalProgress() as progress:
        brought = read_grid(
            table,
            images=images,
            image=columns.image,
            things=((columns.attribute, columns.object), (columns.attribute_2, columns.object_2)),
            caption=columns.caption,
            family=columns.family,
            one=columns.one,
            progress=progress,
        )
        scorer = scorer_of(encoder)

        def score(pictures: ItemStore, texts: Sequence[str]) -> Any:
            return matrix_of(scorer, pictures, texts, cache=default_cache(), progress=progress)

        table_grid = binding_grid(brought.pictures, brought.shown, score, mode=brought.mode, template=template)
    if out is not None:
        write_table(grid_table(table_grid), out)
    notes = [f"Note: {note}" for note in brought.notes]
    say("\n".join([f"{scorer.name} on {table.name}", *grid_lines(table_grid), *notes]))
    if out is not None:
        say(f"Written: {out}")
