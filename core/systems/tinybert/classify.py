"""A classifier's answers to the texts of a table, as a table that `diagnose` and `compare --second` read."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core.data.tables.read import read_table
from core.errors import InvalidInput
from core.records import F32, Progress, no_progress
from core.systems.common.student_texts import batches, cells_of
from core.systems.common.words import padded, tokens_of
from core.systems.tinybert.loop import AT_ONCE
from core.systems.tinybert.teacher import BertFolder

PREDICTION = "prediction"
PROBABILITY = "prob_"
_UNNAMED = re.compile(r"LABEL_(\d+)")
"""What transformers calls classes that have no names."""


def classify(
    model: BertFolder, table: Path, column: str, *, max_tokens: int = 128, progress: Progress = no_progress
) -> tuple[pd.DataFrame, int]:
    """The table with each row's predicted class and class probabilities beside its columns, none where the text is
    empty; and how many are.

    The model's own states are not given: they hold its answer, so that a diagnosis in them finds its errors and nothing
    else. `diagnose --texts` reads the texts with an encoder that never saw the task.

    Args:
        model: of kind "classes".

    Raises:
        InvalidInput: the table cannot be read, has no such column, has no text there, or has columns of these names.
    """
    found = read_table(table, as_text=(column,), progress=progress)
    texts = cells_of(found, column)
    there = np.array([i for i, text in enumerate(texts) if text], np.int64)
    if not len(there):
        raise InvalidInput(f"{found.name} has no text in {column!r}. Name another column with --column.")
    names = class_names(model)
    if taken := [name for name in found.frame.columns if name == PREDICTION or name.startswith(PROBABILITY)]:
        raise InvalidInput(
            f"{found.name} has a column {taken[0]!r} already, as the answers would be called. Rename or remove it."
        )
    tokens = tokens_of(model.tokenizer, [texts[i] for i in there.tolist()], max_tokens)
    shares = _answers(model, tokens, progress)
    probabilities = np.full((len(texts), len(names)), np.nan)
    probabilities[there] = shares
    answers = found.frame.copy()
    answers[PREDICTION] = ""
    answers.loc[there, PREDICTION] = [names[i] for i in shares.argmax(1).tolist()]
    for at, name in enumerate(names):
        answers[f"{PROBABILITY}{name}"] = probabilities[:, at]
    return answers, len(texts) - len(there)


def class_names(model: BertFolder) -> list[str]:
    """The classes in the order of the logits; 0, 1, ... where the model's folder gives them no names."""
    names = [str(model.config.id2label[i]) for i in range(model.config.num_labels)]
    unnamed = [_UNNAMED.fullmatch(name) for name in names]
    return [found[1] for found in unnamed if found] if all(unnamed) else names


def _answers(model: BertFolder, tokens: list[list[int]], progress: Progress) -> F32:
    """(n, c) class probabilities, in the order of the texts."""
    shares = np.empty((len(tokens), model.config.num_labels), np.float32)
    done = 0
    for rows in batches(tokens, AT_ONCE):
        ids, mask = padded(tokens, rows)
        with torch.inference_mode():
            logits = model.model(input_ids=ids, attention_mask=mask).logits
        shares[rows] = torch.softmax(logits.double(), -1).numpy()
        done += len(rows)
        progress("classify", done, len(tokens))
    return shares
