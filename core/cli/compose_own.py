"""Composition of one's own pictures from the command line: pairs with foils, the grid of attributes and objects, and
drawn benchmarks."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.cli.output import check_suffix, in_folder, make_folder, write_table
from core.cli.terminal import TerminalProgress
from core.data.images.files import Files
from core.errors import InvalidInput
from core.reports.wording.own_pairs import grid_lines, grid_table, pair_document, pair_lines

if TYPE_CHECKING:
    from core.composition.own_pairs import Caption
    from core.records import ItemStore

MADE = 6


"""Foils that are made where none are given."""


MAX_DRAWN = 20_000


"""Items, or queries, that are drawn at once."""


def foils(options: Namespace) -> None:
    """Captions that are almost right, with what was changed; what was left out goes to stderr."""
    from core.composition.foils.make import make_foils

    found = make_foils(options.caption)
    if found.foils:
        width = max(len(foil.text) for foil in found.foils)
        kinds = max(len(foil.kind) for foil in found.foils)
        print("\n".join(f"{foil.text:<{width}}  {foil.kind:<{kinds}}  {foil.why}" for foil in found.foils))
    else:
        print(found.note)
    if found.left_out:
        print("\n".join(["Left out:", *(f"  {text}: {reason}" for text, reason in found.left_out)]), file=sys.stderr)
    if found.foils:
        print("Look at each: a rule cannot know whether a foil is true of your picture as well.", file=sys.stderr)


def pair(options: Namespace) -> None:
    """One picture with its captions and foils, or two pictures with a caption each: every score at once, and the texts
    beside each other."""
    from core.composition.own_pairs import score_pairs
    from core.composition.readers.fields import path_of
    from core.embeddings.cache import default_cache
    from core.encoders import load_encoder
    from core.probes.ladder.reproduce import encoder_name

    for path in options.image:
        if not path_of(path, "The picture").is_file():
            raise InvalidInput(f"There is no picture {str(path)!r}. Name files with --image.")
    captions = _captions(options)
    if len({path.resolve() for path in options.image}) < len(options.image):
        raise InvalidInput(
            f"--image names {options.image[0].name} twice: no caption can tell a picture from itself. "
            "Name two pictures, or one."
        )
    progress = TerminalProgress()
    try:
        encoder = load_encoder(encoder_name(options.encoder))
        found = score_pairs(Files(tuple(options.image)), captions, encoder, cache=default_cache(), progress=progress)
    finally:
        progress.close()
    if options.json:
        print(json.dumps(pair_document(found), indent=1, ensure_ascii=False, allow_nan=False))
        return
    print("\n".join(pair_lines(found)))


def _captions(options: Namespace) -> list[Caption]:
    """The captions with the pictures that they are true of, then the foils: given, or made from the first caption of
    one picture."""
    from core.composition.foils.make import make_foils
    from core.composition.own_pairs import Caption

    n, given = len(options.image), len(options.caption)
    if n > 2:
        raise InvalidInput(
            f"One or two pictures are scored together: got {n}. For more, write a table and use `compose run`."
        )
    if n == 2 and given != 2:
        raise InvalidInput(
            f"Two pictures need two captions, one of each in the pictures' order: got {given}. "
            "Give both with --caption."
        )
    captions = [Caption(text, (i,) if n == 2 else (0,)) for i, text in enumerate(options.caption)]
    if n == 2 or options.foil:
        return captions + [Caption(text, (), 0) for text in options.foil]
    made = make_foils(options.caption[0])
    if not made.foils:
        raise InvalidInput(f"{made.note} Or write foils of your own with --foil.")
    said = {" ".join(text.split()).casefold() for text in options.caption}
    return captions + [Caption(foil.text, (), 0) for foil in made.foils[:MADE] if foil.text.casefold() not in said]


def grid(options: Namespace) -> None:
    """Attributes and objects over pictures: what is seen, what is bound, in each cell."""
    from core.composition.grid.binding import binding_grid
    from core.composition.grid.read import read_grid
    from core.embeddings.cache import default_cache
    from core.training.scorers import matrix_of, scorer_of

    if options.out is not None:
        check_suffix(options.out)
        in_folder(options.out)
    brought = read_grid(
        options.table,
        images=options.images,
        image=options.image,
        things=((options.attribute, options.object), (options.attribute_2, options.object_2)),
        caption=options.caption,
        family=options.family,
        one=options.one,
    )
    progress = TerminalProgress()
    try:
        scorer = scorer_of(options.encoder)

        def score(pictures: ItemStore, texts: Sequence[str]) -> Any:
            return matrix_of(scorer, pictures, texts, cache=default_cache(), progress=progress)

        found = binding_grid(brought.pictures, brought.shown, score, mode=brought.mode, template=options.template)
    finally:
        progress.close()
    if options.out is not None:
        write_table(grid_table(found), options.out, options.out.suffix.lower().removeprefix("."))
    print(
        "\n".join(
            [f"{scorer.name} on {options.table.name}", *grid_lines(found), *(f"Note: {note}" for note in brought.notes)]
        )
    )
    if options.out is not None:
        print(f"Written: {options.out}")


def draw(options: Namespace) -> None:
    """A rendered benchmark as files in Cola's format; of the split "train" also as a table of pairs in NegCLIP's."""
    from core.options import check_seed
    from core.scenes.items import RenderedPlan, draw_items
    from core.scenes.retrieval import draw_retrieval
    from core.scenes.write import MULTI, write_benchmark

    check_seed(options.seed)
    for name, value, least in (("--n", options.n, 1), ("--queries", options.queries, 0)):
        if not least <= value <= MAX_DRAWN:
            raise InvalidInput(
                f"{name} must be {least} to {MAX_DRAWN:,}: got {value:,}. "
                "Draw several folders with other seeds for more."
            )
    plan = RenderedPlan(kinds=tuple(options.kinds)) if options.kinds else RenderedPlan()
    make_folder(options.out)
    progress = TerminalProgress()
    try:
        items = draw_items(plan, options.n, options.seed, options.split)
        retrieval = (
            draw_retrieval(plan, 4 * options.queries, options.queries, options.seed, options.split)
            if options.queries
            else None
        )
        written = write_benchmark(options.out, items, retrieval, held_out=plan.held_out, progress=progress)
    except OSError as error:
        raise InvalidInput(
            f"The benchmark cannot be written to {options.out}: {error.strerror or error}. Choose another --out."
        ) from error
    finally:
        progress.close()
    queries = f" and {written.queries:,} queries" if written.queries else ""
    print(
        f"Written: {written.pictures:,} pictures of {written.items:,} items{queries}, "
        f"{written.picture_bytes / 2**20:.1f} MiB, in {options.out}"
    )
    print(f"Next: python -m core compose {'adapt' if options.split == 'train' else 'run'} {options.out / MULTI}")
