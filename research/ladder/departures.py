"""What a step of the ladder does otherwise than the published figure that stands beside it."""

from __future__ import annotations

from core.systems.common.published import PublishedFigure
from core.systems.probes.prompt_learning.coop import INIT
from core.systems.probes.splits import VALIDATION
from research.ladder.data_sets import LadderData
from research.ladder.steps import LEARNED, LadderStep

STANDS_IN = (
    "no pool was given: the data set's own training half stands in, without its labels: not SuS-X as published "
    "(--pool FOLDER)"
)
FIXED = "weights tuned on labelled images there, fixed here"


def said_figure(figure: PublishedFigure, step: LadderStep) -> str:
    """The figure with its source; beside a step that chose nothing on labeled images, a tuned one says so."""
    mean = f"{figure.data}: " if figure.data.startswith("mean of") else ""
    flag = f" [{FIXED}]" if figure.tuned and step.settings.get("tune") is False else ""
    return f"{mean}{figure.with_full_source}{flag}"


def departures(step: LadderStep, found: LadderData, *, published: bool) -> tuple[str, ...]:
    """What is to be known of a step before its figure is set beside a published one.

    Args:
        found: the data set that is scored.
        published: whether a published figure stands beside. Without one, only what makes the step another method than
            its name says is told.
    """
    said: list[str] = []
    if step.probe == "sus-x":
        said += _of_support(step, found, published=published)
    if step.probe in LEARNED and published:
        said.append("images are not augmented; validation images choose the epoch, where the papers keep the last")
    if step.probe in LEARNED:
        said += _of_start(step)
    if step.probe == "tip-adapter" and published:
        said.append("images are not augmented; what is chosen is chosen on validation images, never on scored ones")
    if published and found.order is None:
        said.append("scored on images that are not the published test split (a split_zhou_*.json beside them is)")
    return tuple(said)


def _of_support(step: LadderStep, found: LadderData, *, published: bool) -> list[str]:
    per_class = step.settings.get("per_class", 20)
    pool = found.task.pool
    said = [STANDS_IN]
    if pool is not None:
        kind = "unlabelled images" if pool.labels is None else "images in class folders"
        said = [f"support set from your pool of {len(pool):,} {kind}, {per_class} a class at most, in LAION-5B's place"]
    if not step.settings.get("descriptions"):
        said.append("no descriptions were given, where the paper pools CuPL's with the templates (--descriptions FILE)")
    if step.settings.get("tune"):
        said.append(
            f"not name-only: alpha, beta and gamma were chosen on {VALIDATION} labelled validation images a class"
        )
    elif published:
        said.append("name-only: alpha, beta and gamma are fixed, so a tuned figure is no target for it")
    return said


def _of_start(step: LadderStep) -> list[str]:
    """Where the context starts otherwise than in the paper: CoOp's own tables start at random; CoCoOp's, and those on
    other classes, from words."""
    init = step.settings.get("init", INIT)
    if step.probe == "coop" and step.setting == "all classes":
        start = f'the context starts from "{init}"; CoOp\'s own tables start 16 vectors at random (--init "")'
        return [start] if init.strip() else []
    return [] if init.strip() else ['16 vectors start at random; the paper starts from "a photo of a" here']
