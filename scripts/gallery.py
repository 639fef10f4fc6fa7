"""docs/gallery.md and its pictures, made from the runs that ship with the examples: `python -m scripts.gallery`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from core.data.inline import text_of
from core.data.modality import modality_of
from core.files import ASSETS
from core.numbers import interval, p_value
from core.records import EVERYTHING, ClassFinding, Diagnosis, FailureCluster
from core.reports.wording.classes import class_sentence
from core.reports.wording.findings import best_phrase, cluster_figures, cluster_title, plain_sentence, sentence
from core.reports.wording.verdict import predictability_sentence, verdict
from core.store import load

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "gallery.md"
PICTURES = DOCS / "pictures"
EXAMPLES = ("scenes", "clothing", "clips", "scans", "definitions", "nothing_to_find")
CLUSTERS = 2
"""Shown of a run, the first ones."""
TILE = (104, 104)
ACROSS = 8
"""(width, height) of a sample in pixels, and how many stand in a row."""
CLIP_TILE = (170, 114)
CLIPS_ACROSS = 5
"""Of a clip, which is a storyboard."""
GAP = 6
LINE = 15
SIDE = 118
QUALITY = 72
INTRO = """\
# Gallery

What Errata says of the examples that ship, word for word from their stored runs, and the samples that it speaks of.
Made by `python -m scripts.gallery`.

The upper row of a picture, cut square where it was none, holds the most typical members of a cluster, whatever their
loss; the lower one, sample by sample of the same class, those outside it that do best. Below each stand its class and,
after an arrow, what the model says where that is wrong; where there are no classes, its loss. A cluster's figures are
corrected for the search that found it, its p holds for the whole search
([how to read a result](reading.md)). What the examples are, and what was planted in them:
[assets/examples](../assets/examples/README.md).
"""


def members_and_others(
    diagnosis: Diagnosis, cluster: FailureCluster, most: int = ACROSS
) -> tuple[list[int], list[int]]:
    """(rows of the highest membership; for each the row outside the cluster, of its class, of the lowest loss), no row
    twice."""
    samples = diagnosis.samples
    loss = diagnosis.outcomes.loss
    order = np.argsort(-cluster.membership, kind="stable")
    members = order[cluster.membership[order] >= 0.5][:most].tolist()
    labels = np.zeros(len(samples), np.int64) if samples.labels is None else samples.labels
    outside = [row for row in np.argsort(loss, kind="stable").tolist() if cluster.membership[row] < 0.5]
    others = list[int]()
    for member in members:
        others.append(next(row for row in outside if labels[row] == labels[member] and row not in others))
    return members, others


def said_of(diagnosis: Diagnosis, row: int) -> tuple[str, bool]:
    """What stands below a sample, and whether the model is wrong there."""
    samples = diagnosis.samples
    predicted = diagnosis.outcomes.predictions
    if samples.labels is None or predicted is None:
        loss = float(diagnosis.outcomes.loss[row])
        return f"loss {loss:.2f}", loss > float(diagnosis.outcomes.loss.mean())
    label = samples.class_names[samples.labels[row]]
    answer = samples.class_names[predicted[row]]
    return (label, False) if label == answer else (f"{label} -> {answer}", True)


def picture(diagnosis: Diagnosis, cluster: FailureCluster) -> Image.Image:
    """Two rows of tiles."""
    width, height = _layout(diagnosis)[0]
    across = width + GAP
    down = height + LINE + GAP
    canvas = Image.new("RGB", (SIDE + ACROSS * (TILE[0] + GAP), 2 * down), "white")
    pen = ImageDraw.Draw(canvas)
    bold = ImageFont.load_default(13)
    small = ImageFont.load_default(11)
    titles = ("in the cluster", "doing well" if diagnosis.samples.labels is None else "same class,\ndoing well")
    for at, (title, rows) in enumerate(zip(titles, members_and_others(diagnosis, cluster, _layout(diagnosis)[1]))):
        pen.multiline_text((6, at * down + height // 2 - 14), title, "black", bold, spacing=4)
        for column, row in enumerate(rows):
            left = SIDE + column * across
            top = at * down
            canvas.paste(_tile(diagnosis, row), (left, top))
            said, wrong = said_of(diagnosis, row)
            pen.text((left, top + height + 1), said, "#b3261e" if wrong else "#3c4043", small)
    return canvas


def _layout(diagnosis: Diagnosis) -> tuple[tuple[int, int], int]:
    """(a sample's width and height, how many in a row)."""
    return (CLIP_TILE, CLIPS_ACROSS) if diagnosis.samples.modality == "clip" else (TILE, ACROSS)


def _tile(diagnosis: Diagnosis, row: int) -> Image.Image:
    samples = diagnosis.samples
    size = _layout(diagnosis)[0]
    assert samples.items is not None
    shown = modality_of(samples.modality).preview(samples.items.read(row), 2 * max(size), samples.items.marks(row))
    return ImageOps.fit(Image.open(io.BytesIO(shown)).convert("RGB"), size, Image.Resampling.LANCZOS)


def sentences(diagnosis: Diagnosis, cluster: FailureCluster) -> list[str]:
    """In plain words, in figures, and the condition or phrase that tells it best."""
    told = [plain_sentence(diagnosis, cluster), f"In figures: {cluster_figures(diagnosis, cluster)}."]
    own = [i for i in diagnosis.insights if i.cluster == cluster.id and i.confirmed and i.kind == "condition"]
    best = max(own, key=lambda i: i.retrieval or 0.0, default=best_phrase(diagnosis, cluster))
    return told if best is None else [*told, sentence(diagnosis, best)]


def texts_table(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """Members and others as a table, where samples are texts."""
    lines = ["| in the cluster | | same class, doing well | |", "|---|---|---|---|"]
    for pair in zip(*members_and_others(diagnosis, cluster, 4)):
        cells = [
            cell for row in pair for cell in (_quoted(text_of(diagnosis.samples, row)), said_of(diagnosis, row)[0])
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def picture_name(example: str, cluster: FailureCluster) -> str:
    return f"gallery_{example}_{cluster.id + 1}.webp"


def section(example: str, diagnosis: Diagnosis) -> str:
    """What the page says of an example."""
    folder = f"assets/examples/{example}"
    images = f" --images {folder}/images.zip" if (ASSETS / "examples" / example / "images.zip").is_file() else ""
    parts = [f"## {diagnosis.samples.name[:1].upper()}{diagnosis.samples.name[1:]}"]
    parts.append(f"{len(diagnosis.samples):,} {_plural(diagnosis)}. {verdict(diagnosis)}")
    for cluster in diagnosis.clusters[:CLUSTERS]:
        link = f"http://127.0.0.1:7860/?run=example-{example}&cluster={cluster.id + 1}"
        parts.append(f"### {cluster.id + 1}. {cluster_title(diagnosis, cluster)}")
        parts.append("\n\n".join(sentences(diagnosis, cluster)))
        if diagnosis.samples.modality == "text":
            parts.append(texts_table(diagnosis, cluster))
        else:
            parts.append(f"![{_alt(diagnosis, cluster)}](pictures/{picture_name(example, cluster)})")
        parts.append(f"On the page (`scripts/app`): <{link}>")
    if not diagnosis.clusters:
        parts.append(predictability_sentence(diagnosis))
        parts += [
            f"The strongest of what was looked at: {plain_sentence(diagnosis, c)}" for c in diagnosis.candidates[:1]
        ]
        parts.append(f"On the page (`scripts/app`): <http://127.0.0.1:7860/?run=example-{example}>")
    parts += [f"Besides, {_class(diagnosis, found)}" for found in diagnosis.classes[:1] if found.confirmed]
    command = f"python -m core diagnose --table {folder}/table.csv{images} --out runs/{example}.errata"
    parts.append(f"```bash\n{command}\n```\n\n[Licences](../{folder}/LICENCES.md)")
    return "\n\n".join(parts) + "\n"


def _class(diagnosis: Diagnosis, found: ClassFinding) -> str:
    told = f"{class_sentence(diagnosis, found).rstrip('.')}: {found.size:,} {_plural(diagnosis)}"
    rate = "" if found.error_rate is None else f", 95% {interval(found.error_rate, share=True)} of them wrong"
    return f"{told}{rate}, adjusted {p_value(found.p)}."


def _plural(diagnosis: Diagnosis) -> str:
    return {"image": "images"}.get(diagnosis.samples.modality, f"{diagnosis.samples.modality}s")


def _alt(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    where = "" if cluster.scope == EVERYTHING else f" of {cluster.scope}"
    return f"Above, typical members of the cluster; below, samples{where} outside it that do best"


def page(runs: dict[str, Diagnosis]) -> str:
    """The whole page."""
    return "\n".join((INTRO, *(section(example, run) for example, run in runs.items())))


def runs(examples: Sequence[str] = EXAMPLES) -> dict[str, Diagnosis]:
    """The stored runs by the examples' names."""
    return {example: load(ASSETS / "examples" / example / "run.errata") for example in examples}


def pictures(found: dict[str, Diagnosis]) -> dict[str, Image.Image]:
    """By name those that the page shows."""
    return {
        picture_name(example, cluster): picture(run, cluster)
        for example, run in found.items()
        if run.samples.modality != "text"
        for cluster in run.clusters[:CLUSTERS]
    }


def main() -> None:
    found = runs()
    PAGE.write_text(page(found), "utf-8")
    for name, made in pictures(found).items():
        made.save(PICTURES / name, quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
