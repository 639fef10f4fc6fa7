"""Classify the texts of a table; the result is a table that `diagnose` and `compare --second` read."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core.data.tables.read import read_table
from core.errors import InvalidInput
from core.records import Progress, no_progress
from core.systems.common.student_texts import cells_of
from core.systems.common.words import tokens_of
from core.systems.tinybert.loop import outputs
from core.systems.tinybert.teacher import BertFolder

PREDICTION = "prediction"
PROBABILITY = "prob_"
_UNNAMED = re.compile(r"LABEL_(\d+)")
"""Transformers' default names of classes."""


def classify(
    model: BertFolder, table: Path, column: str, *, max_tokens: int = 128, progress: Progress = no_progress
) -> tuple[pd.DataFrame, int]:
    """Add each row's predicted class and class probabilities to the table; empty texts get neither.

    The table does not include the model's states: they encode its answer, so a diagnosis in them finds the model's
    errors and nothing else. `diagnose --texts` reads the texts with an encoder that never saw the task.

    Args:
        model: of kind "classes".

    Returns:
        The table, and the number of empty texts.

    Raises:
        InvalidInput: the table cannot be read, lacks the column, has no text in it, or already has the new columns.
    """
    source = read_table(table, as_text=(column,), progress=progress)
    texts = cells_of(source, column)
    rows = np.array([i for i, text in enumerate(texts) if text], np.int64)
    if not len(rows):
        raise InvalidInput(f"{source.name} has no text in {column!r}. Use another column with --column.")
    names = class_names(model)
    taken = [name for name in source.frame.columns if name == PREDICTION or name.startswith(PROBABILITY)]
    if taken:
        raise InvalidInput(f"{source.name} already has a column {taken[0]!r}. Rename or remove it.")
    tokens = tokens_of(model.tokenizer, [texts[i] for i in rows.tolist()], max_tokens)
    logits = outputs(model, tokens, progress, "Classifying texts")
    probabilities = np.full((len(texts), len(names)), np.nan)
    probabilities[rows] = torch.softmax(logits.double(), -1).float().numpy()
    answers = source.frame.copy()
    answers[PREDICTION] = ""
    answers.loc[rows, PREDICTION] = [names[i] for i in probabilities[rows].argmax(1).tolist()]
    for i, name in enumerate(names):
        answers[f"{PROBABILITY}{name}"] = probabilities[:, i]
    return answers, len(texts) - len(rows)


def class_names(model: BertFolder) -> list[str]:
    """The classes in the order of the logits; 0, 1, ... where the model's folder does not name them."""
    names = [str(model.config.id2label[i]) for i in range(model.config.num_labels)]
    if all(_UNNAMED.fullmatch(name) for name in names):
        return [name.removeprefix("LABEL_") for name in names]
    return names
