"""Write docs/gallery.md and its images from the examples' stored runs: `python -m scripts.gallery`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from core.data.inline import text_of
from core.data.modality import modality_of
from core.files import ASSETS
from core.language.titles import capital
from core.numbers import interval
from core.records import EVERYTHING, ClassFinding, Diagnosis, FailureCluster
from core.reports.wording.candidates import candidate_phrase
from core.reports.wording.classes import class_sentence
from core.reports.wording.findings import best_phrase, cluster_figures, cluster_title, sentence
from core.reports.wording.verdict import predictability_sentence, verdict
from core.store import load

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "gallery.md"
PICTURES = DOCS / "pictures"
EXAMPLES = ("clothing", "scenes", "clips", "scans", "definitions", "nothing_to_find")
MAX_CLUSTERS = 2
"""First clusters of a run that are shown."""
TILE = (104, 104)
"""(width, height) of a sample in pixels."""
ROW_TILES = 8
CLIP_TILE = (170, 114)
"""A clip is wider: its image is a storyboard."""
ROW_CLIPS = 5
ROW_TEXTS = 4
GAP = 6
LINE = 15
SIDE = 118
WEBP_QUALITY = 72
INTRO = """\
# Gallery

Errata's sentences on the shipped examples, word for word from their stored runs, with the samples they describe.
Written by `python -m scripts.gallery`.

The upper row of an image shows a group's most typical members, whatever their loss, cropped to squares. Below each is
the sample of its class outside the group with the lowest loss. Captions give the class and, after an arrow, a wrong
prediction; without classes they give the loss. "Wrong on 65 of 192" is counted, not
corrected for the search. Each p is adjusted for the whole search ([how to read a result](reading.md)).
[assets/examples](../assets/examples/README.md) describes the examples and their planted failures.
"""


def members_and_others(
    diagnosis: Diagnosis, cluster: FailureCluster, most: int = ROW_TILES
) -> tuple[list[int], list[int]]:
    """(rows of the highest membership; for each, the row of its class outside the cluster with the lowest loss), each
    row once."""
    samples = diagnosis.samples
    loss = diagnosis.outcomes.loss
    order = np.argsort(-cluster.membership, kind="stable")
    members = order[cluster.membership[order] >= 0.5][:most].tolist()
    labels = samples.labels
    if labels is None:
        labels = np.zeros(len(samples), np.int64)
    outside = [row for row in np.argsort(loss, kind="stable").tolist() if cluster.membership[row] < 0.5]
    others = list[int]()
    for member in members:
        others.append(next(row for row in outside if labels[row] == labels[member] and row not in others))
    return members, others


def caption_of(diagnosis: Diagnosis, row: int) -> tuple[str, bool]:
    """(caption of a sample, whether the model is wrong on it)."""
    samples = diagnosis.samples
    predicted = diagnosis.outcomes.predictions
    if samples.labels is None or predicted is None:
        loss = float(diagnosis.outcomes.loss[row])
        return f"loss {loss:.2f}", loss > float(diagnosis.outcomes.loss.mean())
    label = samples.class_names[samples.labels[row]]
    answer = samples.class_names[predicted[row]]
    if label == answer:
        return label, False
    return f"{label} -> {answer}", True


def picture(diagnosis: Diagnosis, cluster: FailureCluster) -> Image.Image:
    """Draw members and others in two rows of tiles."""
    (width, height), most = _layout(diagnosis)
    across = width + GAP
    down = height + LINE + GAP
    canvas = Image.new("RGB", (SIDE + ROW_TILES * (TILE[0] + GAP), 2 * down), "white")
    pen = ImageDraw.Draw(canvas)
    bold = ImageFont.load_default(13)
    small = ImageFont.load_default(11)
    others_title = "lowest loss" if diagnosis.samples.labels is None else "same class,\nlowest loss"
    rows_of_tiles = members_and_others(diagnosis, cluster, most)
    for at, (title, rows) in enumerate(zip(("in the group", others_title), rows_of_tiles)):
        pen.multiline_text((6, at * down + height // 2 - 14), title, "black", bold, spacing=4)
        for column, row in enumerate(rows):
            left = SIDE + column * across
            top = at * down
            canvas.paste(_tile(diagnosis, row), (left, top))
            caption, wrong = caption_of(diagnosis, row)
            pen.text((left, top + height + 1), caption, "#b3261e" if wrong else "#3c4043", small)
    return canvas


def _layout(diagnosis: Diagnosis) -> tuple[tuple[int, int], int]:
    """((width, height) of a sample, samples in a row)."""
    if diagnosis.samples.modality == "clip":
        return CLIP_TILE, ROW_CLIPS
    return TILE, ROW_TILES


def _tile(diagnosis: Diagnosis, row: int) -> Image.Image:
    samples = diagnosis.samples
    size = _layout(diagnosis)[0]
    assert samples.items is not None
    shown = modality_of(samples.modality).preview(samples.items.read(row), 2 * max(size), samples.items.marks(row))
    return ImageOps.fit(Image.open(io.BytesIO(shown)).convert("RGB"), size, Image.Resampling.LANCZOS)


def sentences(diagnosis: Diagnosis, cluster: FailureCluster) -> list[str]:
    """Describe a group in figures, and by the condition or phrase that retrieves it best."""
    texts = [f"{capital(cluster_figures(diagnosis, cluster))}."]
    conditions = [i for i in diagnosis.insights if i.cluster == cluster.id and i.confirmed and i.kind == "condition"]
    best = max(conditions, key=lambda i: i.retrieval or 0.0, default=best_phrase(diagnosis, cluster))
    if best is not None:
        texts.append(sentence(diagnosis, best))
    return texts


def texts_table(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """Members and others as a Markdown table, for samples that are texts."""
    lines = ["| in the group | | same class, lowest loss | |", "|---|---|---|---|"]
    for pair in zip(*members_and_others(diagnosis, cluster, ROW_TEXTS)):
        cells: list[str] = []
        for row in pair:
            text = " ".join(text_of(diagnosis.samples, row).split()).replace("|", "\\|")
            cells += [text, caption_of(diagnosis, row)[0]]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def picture_name(example: str, cluster: FailureCluster) -> str:
    return f"gallery_{example}_{cluster.id + 1}.webp"


def section(example: str, diagnosis: Diagnosis) -> str:
    """The page's section on an example."""
    folder = f"assets/examples/{example}"
    images = ""
    if (ASSETS / "examples" / example / "images.zip").is_file():
        images = f" --images {folder}/images.zip"
    parts = [f"## {diagnosis.samples.name[:1].upper()}{diagnosis.samples.name[1:]}"]
    parts.append(f"{len(diagnosis.samples):,} {_plural(diagnosis)}. {verdict(diagnosis)}")
    if len(diagnosis.clusters) > MAX_CLUSTERS:
        parts[-1] += f" The first {MAX_CLUSTERS} are shown here."
    for cluster in diagnosis.clusters[:MAX_CLUSTERS]:
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
        parts += [f"Strongest hint: {candidate_phrase(diagnosis, hint)}." for hint in diagnosis.candidates[:1]]
        parts.append(f"On the page (`scripts/app`): <http://127.0.0.1:7860/?run=example-{example}>")
    parts += [_describe_class(diagnosis, finding) for finding in diagnosis.classes[:1] if finding.confirmed]
    command = f"python -m core diagnose --table {folder}/table.csv{images} --out runs/{example}.errata"
    parts.append(f"```bash\n{command}\n```\n\n[Licenses](../{folder}/LICENCES.md)")
    return "\n\n".join(parts) + "\n"


def _describe_class(diagnosis: Diagnosis, finding: ClassFinding) -> str:
    text = f"{class_sentence(diagnosis, finding)} It has {finding.size:,} {_plural(diagnosis)}"
    if finding.error_rate is None:
        return f"{text}."
    return f"{text}; 95% CI of its error rate: {interval(finding.error_rate, share=True)}."


def _plural(diagnosis: Diagnosis) -> str:
    return f"{diagnosis.samples.modality}s"


def _alt(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    scope = "" if cluster.scope == EVERYTHING else f" of {cluster.scope}"
    return f"Above, typical members of the group; below, other samples{scope} with the lowest loss"


def page(runs: dict[str, Diagnosis]) -> str:
    """The whole page."""
    return "\n".join((INTRO, *(section(example, run) for example, run in runs.items())))


def runs(examples: Sequence[str] = EXAMPLES) -> dict[str, Diagnosis]:
    """Load the stored runs, by the examples' names."""
    return {example: load(ASSETS / "examples" / example / "run.errata") for example in examples}


def pictures(diagnoses: dict[str, Diagnosis]) -> dict[str, Image.Image]:
    """Draw the page's images, by file name."""
    drawn = dict[str, Image.Image]()
    for example, run in diagnoses.items():
        if run.samples.modality != "text":
            for cluster in run.clusters[:MAX_CLUSTERS]:
                drawn[picture_name(example, cluster)] = picture(run, cluster)
    return drawn


def main() -> None:
    diagnoses = runs()
    PAGE.write_text(page(diagnoses), "utf-8")
    for name, image in pictures(diagnoses).items():
        image.save(PICTURES / name, quality=WEBP_QUALITY, method=6)


if __name__ == "__main__":
    main()
