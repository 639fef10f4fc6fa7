"""Composition of one's own pictures from the command line: pairs with foils, the grid of attributes and objects, and drawn benchmarks."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.commands import check_suffix, make_folder, write_table
from core.commands_words import in_folder
from core.data.images.files import Files
from core.errors import InvalidInput
from core.terminal import TerminalProgress

if TYPE_CHECKING:
    import pandas as pd

    from core.composition.grid.binding import BindingGrid, Cell, Share
    from core.composition.own_pairs import Caption, PairScores
    from core.records import ImageStore

MADE = 6


"""Foils that are made where none are given."""


MOST_DRAWN = 20_000


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
    """One picture with its captions and foils, or two pictures with a caption each: every score at once, and the texts beside each other."""
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
        raise InvalidInput(f"--image names {options.image[0].name} twice: no caption can tell a picture from itself. Name two pictures, or one.")
    progress = TerminalProgress()
    try:
        encoder = load_encoder(encoder_name(options.encoder))
        found = score_pairs(Files(tuple(options.image)), captions, encoder, cache=default_cache(), progress=progress)
    finally:
        progress.close()
    if options.json:
        print(json.dumps(_pair_document(found), indent=1, ensure_ascii=False, allow_nan=False))
        return
    print("\n".join(_pair_lines(found)))


def _captions(options: Namespace) -> list[Caption]:
    """The captions with the pictures that they are true of, then the foils: given, or made from the first caption of one picture."""
    from core.composition.foils.make import make_foils
    from core.composition.own_pairs import Caption

    n, given = len(options.image), len(options.caption)
    if n > 2:
        raise InvalidInput(f"One or two pictures are scored together: got {n}. For more, write a table and use `compose run`.")
    if n == 2 and given != 2:
        raise InvalidInput(f"Two pictures need two captions, one of each in the pictures' order: got {given}. Give both with --caption.")
    captions = [Caption(text, (i,) if n == 2 else (0,)) for i, text in enumerate(options.caption)]
    if n == 2 or options.foil:
        return captions + [Caption(text, (), 0) for text in options.foil]
    made = make_foils(options.caption[0])
    if not made.foils:
        raise InvalidInput(f"{made.note} Or write foils of your own with --foil.")
    said = {" ".join(text.split()).casefold() for text in options.caption}
    return captions + [Caption(foil.text, (), 0) for foil in made.foils[:MADE] if foil.text.casefold() not in said]


def _pair_lines(found: PairScores) -> list[str]:
    from core.composition.lines import aligned
    from core.numbers import number, percent

    lines: list[str] = []
    for i, name in enumerate(found.pictures):
        rows: list[Sequence[str]] = [("", "cosine", "share", "true", "picked")]
        for j in sorted(range(len(found.captions)), key=lambda j: -found.cosines[i, j]):
            true = "yes" if i in found.captions[j].pictures else "no"
            figures = number(float(found.cosines[i, j]), 4), percent(float(found.shares[i, j]))
            rows.append((found.captions[j].text, *figures, true, "<-" if found.picks[i] == j else ""))
        lines += [f"{name}, {found.encoder}", *aligned(rows), f"  {_pick(found, i)}"]
    if found.unlike:
        rows = [("", "cosine of the two texts")]
        rows += [(f"{found.captions[a].text} | {found.captions[b].text}", number(cosine, 4)) for a, b, cosine in found.unlike]
        lines += ["Captions and foils in the text tower alone", *aligned(rows)]
    elif len(found.captions) == 2:
        lines.append(f"The two captions have a cosine of {number(float(found.text_similarity[0, 1]), 4)} in the text tower alone.")
    return lines + [f"Not read: {reason}" for reason in found.unreadable] + [f"Note: {note}" for note in found.notes]


def _pick(found: PairScores, picture: int) -> str:
    """Whether the picture's highest caption is a true one."""
    if found.ties[picture]:
        return "Wrong: the highest score is shared, and a tie is no answer."
    right = picture in found.captions[int(found.picks[picture])].pictures
    return "Right: a true caption scores highest." if right else "Wrong: a caption that is false of it scores highest."


def _pair_document(found: PairScores) -> dict[str, Any]:
    from core.records.codec import plain

    captions = [{"text": c.text, "pictures": list(c.pictures), "foil_of": c.foil_of} for c in found.captions]
    unlike = [{"caption": a, "foil": b, "cosine": cosine} for a, b, cosine in found.unlike]
    arrays = {name: getattr(found, name).tolist() for name in ("cosines", "shares", "text_similarity", "picks", "margins", "ties")}
    said = {"encoder": found.encoder, "pictures": list(found.pictures), "captions": captions, "logit_scale": found.logit_scale}
    return plain(said | arrays | {"unlike": unlike, "unreadable": list(found.unreadable), "notes": list(found.notes)})


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

        def score(pictures: ImageStore, texts: Sequence[str]) -> Any:
            return matrix_of(scorer, pictures, texts, cache=default_cache(), progress=progress)

        found = binding_grid(brought.pictures, brought.shown, score, mode=brought.mode, template=options.template)
    finally:
        progress.close()
    if options.out is not None:
        write_table(grid_table(found), options.out, options.out.suffix.lower().removeprefix("."))
    print("\n".join([f"{scorer.name} on {options.table.name}", *grid_lines(found), *(f"Note: {note}" for note in brought.notes)]))
    if options.out is not None:
        print(f"Written: {options.out}")


def grid_lines(found: BindingGrid) -> list[str]:
    """The grid of verdicts' figures, the counts of verdicts, and the cells with a claim."""
    from core.composition.grid.binding import GREY, NOTHING
    from core.composition.lines import aligned
    from core.numbers import count

    last = "binding" if found.mode == "two" else "pair"
    rows: list[Sequence[str]] = [("", "n", "attribute", "object", last, "verdict")]
    rows.append(("all pictures", *_cell_row(found.overall, found.mode)))
    rows += [(f"{cell.attribute} {cell.object}", *_cell_row(cell, found.mode)) for cell in found.cells]
    verdicts = "; ".join(f"{count(n, 'cell')}: {name}" for name, n in found.verdicts.items())
    claims = [cell for cell in (found.overall, *found.cells) if cell.verdict not in (NOTHING, GREY)]
    lines = aligned(rows)
    lines.append(f"{count(len(found.cells), 'cell')}, {count(found.n_tests, 'test')}. {verdicts}.")
    lines += [
        f"The model {cell.verdict}: {'all pictures together' if cell is found.overall else f'{cell.attribute} {cell.object}'}." for cell in claims
    ]
    if found.left_out:
        lines.append(f"Left out: {count(len(found.left_out), 'picture')}, such as {found.left_out[0][0]}: {found.left_out[0][1]}.")
    return lines + [f"Note: {note}" for note in found.notes]


def _cell_row(cell: Cell, mode: str) -> tuple[str, ...]:
    from core.numbers import interval, percent

    def said(share: Share) -> str:
        return f"{percent(share.value.value)} ({interval(share.value, share=True)}; chance {percent(share.chance)})" if share.n else "–"

    return f"{cell.n:,}", said(cell.sees_attribute), said(cell.sees_object), said(cell.binds), cell.verdict


def grid_table(found: BindingGrid) -> pd.DataFrame:
    """One row for all pictures and one for each cell, with every figure."""
    import pandas as pd

    questions = ("sees_attribute", "sees_object", "binds", "pair")
    rows: list[dict[str, Any]] = []
    for cell in (found.overall, *found.cells):
        row: dict[str, Any] = {"attribute": cell.attribute, "object": cell.object, "n": cell.n}
        for name in questions:
            share: Share = getattr(cell, name)
            row |= {name: share.value.value, f"{name}_low": share.value.low, f"{name}_high": share.value.high}
            row |= {f"{name}_n": share.n, f"{name}_chance": share.chance, f"{name}_ties": share.ties}
        rows.append(row | {name: getattr(cell, name) for name in ("p_attribute", "p_object", "p_binding", "verdict")})
    return pd.DataFrame(rows)


def draw(options: Namespace) -> None:
    """A rendered benchmark as files in Cola's format; of the split "train" also as a table of pairs in NegCLIP's."""
    from core.options import check_seed
    from core.scenes.items import RenderedPlan, draw_items
    from core.scenes.retrieval import draw_retrieval
    from core.scenes.write import MULTI, write_benchmark

    check_seed(options.seed)
    for name, value, least in (("--n", options.n, 1), ("--queries", options.queries, 0)):
        if not least <= value <= MOST_DRAWN:
            raise InvalidInput(f"{name} must be {least} to {MOST_DRAWN:,}: got {value:,}. Draw several folders with other seeds for more.")
    plan = RenderedPlan(kinds=tuple(options.kinds)) if options.kinds else RenderedPlan()
    make_folder(options.out)
    progress = TerminalProgress()
    try:
        items = draw_items(plan, options.n, options.seed, options.split)
        retrieval = draw_retrieval(plan, 4 * options.queries, options.queries, options.seed, options.split) if options.queries else None
        written = write_benchmark(options.out, items, retrieval, held_out=plan.held_out, progress=progress)
    except OSError as error:
        raise InvalidInput(f"The benchmark cannot be written to {options.out}: {error.strerror or error}. Choose another --out.") from error
    finally:
        progress.close()
    queries = f" and {written.queries:,} queries" if written.queries else ""
    print(f"Written: {written.pictures:,} pictures of {written.items:,} items{queries}, {written.picture_bytes / 2**20:.1f} MiB, in {options.out}")
    print(f"Next: python -m core compose {'adapt' if options.split == 'train' else 'run'} {options.out / MULTI}")
