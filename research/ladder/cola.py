"""Cola's multi-object figure run again, with the published one beside it."""

from __future__ import annotations

from pathlib import Path

from core.cli.output import make_folder
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput
from core.files import write_json
from core.systems.common.published import PublishedFigure, encoder_key, published_figures
from core.systems.composition.commands.compose import quiet_packages
from core.systems.composition.commands.score_models import (
    open_pictured,
    run_lines,
    score_models,
    scorers_of,
    write_results,
)
from core.systems.composition.readers.recognise import IMAGES
from core.systems.composition.records import CompositionResult
from core.systems.composition.reports.tables import RESULT
from core.systems.composition.scoring.published import FIGURES

COLA = "COLA_multiobjects_matching_benchmark.json"
NEAR = 2
"""Items by which a reproduction may differ: preprocessing moves one or two."""


def reproduce_cola(out: Path, encoder: str, dataset: Path | None, images: Path | None, file: Path | None) -> None:
    """Cola's multi-object figure, with the published one beside it."""
    if dataset is not None:
        raise InvalidInput("Cola has no data set of classes. Leave --dataset out, and name its pictures with --images.")
    if images is None:
        raise InvalidInput(
            f"Cola's pictures are needed: add --images with a folder, zip or tar. They are {IMAGES['cola']}. "
            f"Its file {COLA} lies there or is named with --file. "
            "`compose pictures FILE` lists those that are needed."
        )
    make_folder(out, RESULT)
    with TerminalProgress() as progress:
        pictured = open_pictured(str(file or _cola_file(images.expanduser())), "cola", images, progress=progress)
        with quiet_packages():
            scorers = scorers_of([encoder])
        ran = score_models(pictured, scorers, progress)
        write_results(ran, out)
    result = ran.results[0]
    figure = published_figure(encoder)
    right, said = _beside(result, figure)
    document = {"encoder": encoder, "right": right, "n": len(result.ids), "missing": len(result.missing), "said": said}
    write_json(out / "reproduced.json", document | {"published": None if figure is None else figure.sentence})
    say("\n".join([*run_lines(ran), said, f"Written: {out}"]))


def _cola_file(folder: Path) -> Path:
    """The benchmark's file, in the folder of its images or beside it."""
    for place in (folder, folder.parent):
        if (place / COLA).is_file():
            return place / COLA
    raise InvalidInput(
        f"Cola's file {COLA} is neither in {folder} nor beside it. Put it there, or name it with --file."
    )


def published_figure(encoder: str) -> PublishedFigure | None:
    """The image score that is published for the encoder as it is, not tuned; None where none is."""
    for figure in published_figures(FIGURES):
        plain = "+" not in figure.model and "tuned" not in figure.model
        asked = (figure.data, figure.metric, figure.part) == ("cola", "image", "")
        if plain and asked and encoder_key(figure.encoder) == encoder_key(encoder):
            return figure
    return None


def _beside(result: CompositionResult, figure: PublishedFigure | None) -> tuple[int, str]:
    """How many items are right, and a sentence that sets that beside the published figure."""
    right = int(result.correct["image"].sum())
    n = len(result.ids)
    ours = f"{right:,} of {n:,} items are right ({100 * right / n:.2f}%)"
    if figure is None:
        return right, f"{ours}. No figure is published for this encoder; those of others are above."
    total = n + len(result.excluded)
    theirs = round(figure.value / 100 * total)
    share = f"{theirs:,} of {total:,} ({100 * theirs / total:.2f}%; printed as {figure.with_source})"
    both = f"{ours}; published for {figure.model}: {share}"
    if n < total:
        return right, f"{both}. {total - n:,} items are left out here, so the two are not of the same items."
    apart = abs(right - theirs)
    within = "within" if apart <= NEAR else "more than"
    return right, f"{both}. The difference is {apart:,}, {within} the {NEAR} that are allowed."
