from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.systems.common.class_descriptions import read_patterns
from core.systems.label_descriptions.learn.language_model import read_language_model
from core.systems.label_descriptions.learn.run import train_and_measure
from core.systems.label_descriptions.learn.settings import LabelTraining
from core.systems.label_descriptions.learn.task import DescribedTask, read_task
from tests.support.tiny_language_models import DESCRIPTIONS, write_roberta

TEXTS = [text for own in DESCRIPTIONS for text in own] * 4
LABELS = np.array([c for c, own in enumerate(DESCRIPTIONS) for _ in own] * 4)
PATTERNS = read_patterns("It was <mask>\nOpinion: <mask>")


def task(**more: object) -> DescribedTask:
    ids = tuple(str(i) for i in range(len(TEXTS)))
    made = DescribedTask(("bad", "good"), DESCRIPTIONS, ("awful", "great"), PATTERNS, ids, tuple(TEXTS), LABELS)
    return DescribedTask(**{**{name: getattr(made, name) for name in made.__slots__}, **more})  # type: ignore[arg-type]


def test_every_pattern_and_seed_starts_from_the_model_as_it_came(tmp_path: Path) -> None:
    folder = write_roberta(tmp_path)
    how = LabelTraining(lr=3e-3, steps=70, batch=7, seeds=2)
    both = train_and_measure(read_language_model(folder), task(), how)
    one = train_and_measure(
        read_language_model(folder), task(patterns=PATTERNS[1:]), LabelTraining(lr=3e-3, steps=70, batch=7)
    )
    assert [(run.pattern, run.seed) for run in both.runs] == [(p.name, seed) for p in PATTERNS for seed in (0, 1)]
    assert (both.runs[2].before, both.runs[2].after) == (one.runs[0].before, one.runs[0].after)
    np.testing.assert_allclose(both.runs[2].losses, one.runs[0].losses, atol=1e-6)


def test_mean_gain_and_spread_are_those_of_the_runs(tmp_path: Path) -> None:
    how = LabelTraining(lr=3e-3, steps=280, batch=7)
    found = train_and_measure(read_language_model(write_roberta(tmp_path)), task(), how)
    after, before = ([getattr(run, of) for run in found.runs] for of in ("after", "before"))
    assert found.after.value == pytest.approx(np.mean(after))
    assert found.gain.value == pytest.approx(np.mean(after) - np.mean(before))
    assert found.spread("after") == (pytest.approx(np.std(after, ddof=1)), min(after), max(after))
    assert found.after.value > 0.9
    assert found.gain.low > 0
    assert found.p < 0.05
    np.testing.assert_allclose(found.scores.sum(1), 1)


def test_no_steps_change_nothing(tmp_path: Path) -> None:
    found = train_and_measure(read_language_model(write_roberta(tmp_path)), task(), LabelTraining(steps=0))
    assert found.before == found.after or found.before.to_dict() == found.after.to_dict()
    assert found.p == 1.0


def test_a_task_is_read_from_a_table_and_the_published_layout(tmp_path: Path) -> None:
    table, said = tmp_path / "texts.csv", tmp_path / "manual_24.tsv"
    table.write_text("review,kind\n" + "".join(f"text number {i},{'bad' if i % 2 else 'good'}\n" for i in range(24)))
    said.write_text("1\tawful\tjust the term\n1\tIt was bad.\n2\tgreat\n")
    found = read_task(table, Roles(texts=("review",), label="kind"), str(said), "sentiment", "", "bad, good")
    assert dict(zip(found.class_names, found.words, strict=True)) == {"bad": "awful", "good": "great"}
    assert dict(zip(found.class_names, found.described, strict=True))["bad"] == ("awful", "It was bad.")
    assert found.texts[0] == "text number 0"
    assert len(found.patterns) == 14


def test_a_table_without_texts_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("x,kind\n" + "".join(f"{i},{'bad' if i % 2 else 'good'}\n" for i in range(24)))
    with pytest.raises(InvalidInput, match="Name the column of texts with --texts"):
        read_task(table, Roles(label="kind"), '{"bad": ["awful"], "good": ["great"]}')
