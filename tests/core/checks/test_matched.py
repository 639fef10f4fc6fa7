"""What a table says of a sample, by which its rows are matched with a run's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.checks.matched import _facts
from core.records import Column
from tests.support.diagnoses import CLASSES, make_samples
from tests.support.texts import made_texts


def test_facts_are_the_text_the_label_and_each_column_as_it_is_written() -> None:
    made = make_samples(6, with_images=False)
    written = Column("weight", "number", np.array([1 / 3, 2.0, np.nan, 0, 0, 0]))
    texts = made_texts("a b c d e f".split())
    found = _facts(replace(made, items=texts, modality="text", metadata=(written, made.metadata[0])))
    assert found == {
        "text": ["a", "b", "c", "d", "e", "f"],
        "label": [*CLASSES, *CLASSES],
        "'weight'": ["0.333333", "2", "nan", "0", "0", "0"],
        "'weather'": ["fog", "clear", "clear", "None", "fog", "clear"],
    }
    assert list(_facts(replace(made, labels=None, class_names=(), metadata=()))) == []
