"""Results of a training on descriptions as a table and as JSON values: see docs/schema.md."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from core.records.codec import to_json
from core.reports.tables.values import estimate, fields, strings
from core.systems.label_descriptions.learn.run import DescriptionRun
from core.systems.label_descriptions.learn.settings import LabelTraining
from core.systems.label_descriptions.learn.task import DescribedTask
from core.systems.label_descriptions.learn.wording import learned_lines


def learned_document(task: DescribedTask, result: DescriptionRun, how: LabelTraining) -> dict[str, Any]:
    """The figures as JSON values."""
    classes: list[dict[str, Any]] = []
    for name, word, texts in zip(task.class_names, task.words, task.described, strict=True):
        classes.append({"name": name, "word": word, "descriptions": list(texts)})
    spread: dict[str, dict[str, float]] = {}
    for stage in ("before", "after"):
        spread[stage] = dict(zip(("deviation", "least", "greatest"), result.spread(stage), strict=True))
    return to_json(
        {
            "model": result.model,
            "kind": result.kind,
            "n": len(task.texts),
            "classes": classes,
            "sentence": learned_lines(result)[0],
            "before": estimate(result.before),
            "after": estimate(result.after),
            "gain": estimate(result.gain),
            "p": result.p,
            "spread": spread,
            "runs": [fields(run, "pattern seed before after losses") for run in result.runs],
            "learned": result.learned,
            "settings": asdict(how),
            "notes": [*task.notes, *result.notes],
            "seconds": result.seconds,
        }
    )


def answers_table(task: DescribedTask, result: DescriptionRun) -> pd.DataFrame:
    """One row for each text: id, text, label, prediction, and prob_* of each class, mean over patterns and seeds."""
    names = task.class_names
    predictions = result.scores.argmax(1)
    return pd.DataFrame(
        {
            "id": strings(task.ids),
            "text": strings(task.texts),
            "label": strings([names[c] for c in task.labels.tolist()]),
            "prediction": strings([names[c] for c in np.asarray(predictions).tolist()]),
            **{f"prob_{name}": result.scores[:, c] for c, name in enumerate(names)},
        }
    )
