"""Draw a rendered benchmark in Cola's format: python -m research.scenes --n 600 --seed 1 --split unseen --out test.

Of the split "train" also as a table of pairs in NegCLIP's.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from core.cli.output import make_folder
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput
from core.limits import byte_size
from core.systems.composition.scenes.items import KINDS, SPLITS, RenderedPlan, draw_items
from research.scenes.retrieval import draw_retrieval
from research.scenes.write_benchmark import MULTI, write_benchmark


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m research.scenes", description=__doc__)
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="FOLDER", help="folder to write to, made if missing")
    add("--n", type=int, default=240, help="items of two pictures and two captions (default 240)")
    add("--seed", type=int, default=0, help="the same seed draws the same (default 0)")
    add("--split", choices=SPLITS, default="unseen", help="each caption of unseen names a pair that train never shows")
    add("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="what captions differ in (default: all)")
    add("--queries", type=int, default=0, help="also single-object queries, over four pictures each (default 0)")
    given = parser.parse_args(arguments)
    if given.n < 0:
        parser.error(f"--n must be 0 or more: got {given.n}")
    plan = RenderedPlan(kinds=tuple(given.kinds))
    make_folder(given.out)
    try:
        items = draw_items(plan, given.n, given.seed, given.split)
        queries = given.queries
        retrieval = draw_retrieval(plan, 4 * queries, queries, given.seed, given.split) if queries else None
        with TerminalProgress() as progress:
            written = write_benchmark(given.out, items, retrieval, held_out=plan.held_out, progress=progress)
    except InvalidInput as error:
        parser.error(str(error))
    of_queries = f" and {written.queries:,} queries" if written.queries else ""
    say(
        f"Written: {written.pictures:,} pictures of {written.items:,} items{of_queries}, "
        f"{byte_size(written.picture_bytes)}, in {given.out}"
    )
    say(f"Next: python -m core compose {'adapt' if given.split == 'train' else 'run'} {given.out / MULTI}")


if __name__ == "__main__":
    main()
