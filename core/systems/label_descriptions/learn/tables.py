"""What a language model made of descriptions, as tables and JSON values: see docs/schema.md."""

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


def learned_document(task: DescribedTask, found: DescriptionRun, how: LabelTraining) -> dict[str, Any]:
    """The figures as JSON values."""
    return to_json(
        {
            "model": found.model,
            "kind": found.kind,
            "n": len(task.texts),
            "classes": [
                {"name": name, "word": word, "descriptions": list(own)}
                for name, word, own in zip(task.class_names, task.words, task.described, strict=True)
            ],
            "sentence": learned_lines(found)[0],
            "before": estimate(found.before),
            "after": estimate(found.after),
            "gain": estimate(found.gain),
            "p": found.p,
            "spread": {
                of: dict(zip(("deviation", "least", "greatest"), found.spread(of), strict=True))
                for of in ("before", "after")
            },
            "runs": [fields(run, "pattern seed before after losses") for run in found.runs],
            "learned": found.learned,
            "settings": asdict(how),
            "notes": [*task.notes, *found.notes],
            "seconds": found.seconds,
        }
    )


def answers_table(task: DescribedTask, found: DescriptionRun) -> pd.DataFrame:
    """One row for each text: id, text, label, prediction, and prob_* of each class, mean over patterns and seeds."""
    names = task.class_names
    said = found.scores.argmax(1)
    return pd.DataFrame(
        {
            "id": strings(task.ids),
            "text": strings(task.texts),
            "label": strings([names[c] for c in task.labels.tolist()]),
            "prediction": strings([names[c] for c in np.asarray(said).tolist()]),
            **{f"prob_{name}": found.scores[:, c] for c, name in enumerate(names)},
        }
    )
