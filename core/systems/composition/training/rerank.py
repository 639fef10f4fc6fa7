"""`ask --rerank DIR`: a trained adapter puts the best matches of a question in a new order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InvalidInput
from core.files import default_cache
from core.systems.composition.readers.fields import path_of
from core.systems.composition.reports.training import reranked_sentence
from core.systems.composition.training import scorers

if TYPE_CHECKING:
    from core.checks.questions import Answer
    from core.records import Diagnosis, Progress

MOST = 50
"""Best matches that are put in a new order; the option's help names the number too."""


def check_adapter(folder: str) -> None:
    """Refuse a folder without an adapter, also where no match is shown that it would order.

    Raises:
        InvalidInput: it does not exist.
    """
    if not scorers.is_adapter(path_of(folder, "The adapter's folder")):
        raise InvalidInput(f"No adapter in {folder}. Use the folder from `compose adapt --out` as --rerank.")


def reorder(
    diagnosis: Diagnosis, answers: Sequence[Answer], folder: str, progress: Progress
) -> tuple[list[Answer], dict[str, Any]]:
    """The answers with their best matches in the order of encoder and adapter together, and what is said of that; the
    sets, and what is said of them, are as they were.

    Raises:
        InvalidInput: the run has no images at hand.
    """
    from core.systems.composition.training.adapted import load_adapted

    items = diagnosis.samples.items
    if items is None or diagnosis.samples.modality != "image":
        raise InvalidInput(
            "--rerank reads the matching images again, and this run has none. Leave it out, or diagnose images."
        )
    adapted = load_adapted(Path(folder))
    arguments: dict[str, Any] = {"most": MOST, "cache": default_cache(), "progress": progress}
    answers_kept: list[Answer] = []
    texts: list[str] = []
    for answer in answers:
        if answer.shown and not answer.counted:
            texts.append(answer.text)
            rows = scorers.rerank_matches(adapted, answer.rows, answer.text, items, **arguments)
            answer = replace(answer, rows=rows)
        answers_kept.append(answer)
    weight = adapted.record.rerank
    sentence = reranked_sentence(folder, weight, MOST, len(texts), len(answers))
    return answers_kept, {"adapter": folder, "weight": weight, "most": MOST, "texts": texts, "sentence": sentence}
