"""The blind test: a reader has one sentence and thirty numbered images, and says which ones match it.

    # one sheet and one sentence a finding, the key apart from them
    python -m research.evidence.blind sheets RUN --out FOLDER
    # after ANSWERS: FOLDER/NAME.answer.txt, numbers with blanks between
    python -m research.evidence.blind score FOLDER
    # for the docs: random images of each finding beside random others
    python -m research.evidence.blind images RUN --out FILE.webp

Half of the images are drawn at random from the finding, half from the rest of its scope. The reader must not open the
key. What is scored is the share of picked images inside and outside, and the p of Fisher's exact test that the reader
tells them apart.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps
from scipy.stats import fisher_exact

from core.checks.clicks import draw_strip
from core.discovery.called import scope_rows
from core.records import Bool, Diagnosis, Insight
from core.reports.wording.findings import best_phrase
from core.statistics.intervals import wilson
from core.statistics.permutation import holm
from core.store import load
from research.evidence.lines import show

EACH = 15
CELL = 220
COLUMNS = 6


def findings(run: Diagnosis) -> list[tuple[str, str, Bool, Insight]]:
    """(name, what an image must show, members, its phrase) of every cluster with words and every phrase confirmed on
    its own."""
    found = [(f"cluster {c.id + 1}", c.membership >= 0.5, best_phrase(run, c)) for c in run.clusters]
    made = [(name, insight.text, members, insight) for name, members, insight in found if insight is not None]
    own = [i for i in run.insights if i.kind == "phrase" and i.cluster is None and i.confirmed]
    return made + [(f"phrase {n + 1}", i.text, i.mask, i) for n, i in enumerate(own)]


def sheet(run: Diagnosis, rows: list[int]) -> Image.Image:
    """The images in a grid, numbered from 1."""
    assert run.samples.items is not None
    lines = -(-len(rows) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * CELL, lines * (CELL + 24)), "white")
    draw = ImageDraw.Draw(page)
    for place, row in enumerate(rows):
        x = place % COLUMNS * CELL
        y = place // COLUMNS * (CELL + 24)
        picture = ImageOps.contain(
            Image.open(io.BytesIO(run.samples.items.read(row))).convert("RGB"), (CELL - 8, CELL - 8)
        )
        page.paste(picture, (x + (CELL - picture.width) // 2, y + 24 + (CELL - 8 - picture.height) // 2))
        draw.text((x + 6, y + 5), str(place + 1), fill="black", font_size=16)
    return page


def main_sheets(folder: Path, out: Path, seed: int) -> None:
    run = load(folder)
    out.mkdir(parents=True, exist_ok=True)
    keys: dict[str, list[bool]] = {}
    for number, (name, text, members, insight) in enumerate(findings(run)):
        strip = draw_strip(
            members, scope_rows(run, insight.scope), EACH, EACH, seed=seed + number, groups=run.samples.groups
        )
        stem = name.replace(" ", "_")
        sheet(run, strip.rows.tolist()).save(out / f"{stem}.jpg", quality=88)
        kind = "pictures" if insight.scope == "all samples" else f"pictures of class {insight.scope}"
        (out / f"{stem}.txt").write_text(f'{len(strip)} {kind}. Which of them match: "{text}"?\n', "utf-8")
        keys[stem] = [bool(m) for m in strip.is_member]
    (out / "key.json").write_text(json.dumps(keys))
    print(f"{len(keys)} sheets in {out}")


def main_pictures(folder: Path, out: Path, seed: int, each: int = 6, side: int = 96) -> None:
    """One line a finding: its title, random members on the left, random others of its scope on the right; a red edge is
    a wrong prediction."""
    run = load(folder)
    assert run.samples.items is not None
    found = findings(run)
    page = Image.new("RGB", (2 * each * side + 24, len(found) * (side + 30)), "white")
    draw = ImageDraw.Draw(page)
    for line, (name, text, members, insight) in enumerate(found):
        y = line * (side + 30)
        scope = scope_rows(run, insight.scope)
        where = "" if insight.scope == "all samples" else f"{insight.scope}: "
        draw.text((4, y + 6), f"{name}: {where}{text} ({int(members.sum())})", fill="black", font_size=15)
        draw.text((each * side + 28, y + 6), "the rest", fill="black", font_size=15)
        rng = np.random.default_rng(seed)
        for half, pool in enumerate((np.flatnonzero(members), np.flatnonzero(scope & ~members))):
            for place, row in enumerate(rng.choice(pool, min(each, len(pool)), replace=False).tolist()):
                picture = ImageOps.fit(
                    Image.open(io.BytesIO(run.samples.items.read(row))).convert("RGB"), (side - 8, side - 8)
                )
                wrong = run.outcomes.errors is not None and run.outcomes.errors[row]
                x = half * (each * side + 24) + place * side
                page.paste(ImageOps.expand(picture, 3, "#d0342c" if wrong else "white"), (x + 1, y + 27))
    page.save(out, quality=80, method=6)


def main_score(folder: Path) -> None:
    keys: dict[str, list[bool]] = json.loads((folder / "key.json").read_text())
    lines: list[tuple[str, str, int, int, int, int, float]] = []
    for stem, key in keys.items():
        answer = folder / f"{stem}.answer.txt"
        if answer.is_file():
            picked = np.isin(np.arange(1, len(key) + 1), [int(n) for n in answer.read_text().replace(",", " ").split()])
            member = np.array(key)
            a, b, c, d = (
                int(v.sum()) for v in (picked & member, ~picked & member, picked & ~member, ~picked & ~member)
            )
            p = float(fisher_exact([[a, b], [c, d]], alternative="greater").pvalue)  # type: ignore[union-attr]
            lines.append((stem, (folder / f"{stem}.txt").read_text().strip(), a, a + b, c, c + d, p))
    print("| finding | asked | picked, of the finding | picked, of the controls | p (Holm) |\n|---|---|---|---|---|")
    for (stem, asked, a, n, c, m, _), p in zip(lines, holm([line[-1] for line in lines])):
        print(f"| {stem} | {asked} | {a} of {n}: {show(wilson(a, n))} | {c} of {m}: {show(wilson(c, m))} | {p:.2g} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    sheets = verbs.add_parser("sheets")
    sheets.add_argument("run", type=Path)
    sheets.add_argument("--out", type=Path, required=True)
    sheets.add_argument("--seed", type=int, default=0)
    verbs.add_parser("score").add_argument("folder", type=Path)
    pictures = verbs.add_parser("pictures")
    pictures.add_argument("run", type=Path)
    pictures.add_argument("--out", type=Path, required=True)
    pictures.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.verb == "pictures":
        main_pictures(given.run, given.out, given.seed)
    elif given.verb == "sheets":
        main_sheets(given.run, given.out, given.seed)
    else:
        main_score(given.folder)
