"""Train and measure a language model in every pattern with every seed."""

from __future__ import annotations

from dataclasses import dataclass
from time import process_time

import numpy as np
import torch

from core.records import F64, Estimate, Progress, no_progress
from core.statistics.losses import softmax
from core.statistics.paired import sign_flip_p
from core.statistics.redraws import bootstrap_mean
from core.systems.label_descriptions.learn.language_model import LanguageModel, word_tokens
from core.systems.label_descriptions.learn.loop import freeze, train, word_logits
from core.systems.label_descriptions.learn.prompted import patterns_for, prompted
from core.systems.label_descriptions.learn.settings import LabelTraining
from core.systems.label_descriptions.learn.task import DescribedTask


@dataclass(frozen=True, slots=True)
class PatternRun:
    """One training: a pattern with a seed."""

    pattern: str
    seed: int
    before: float
    """Accuracy without training."""
    after: float
    losses: tuple[float, ...]
    """Mean loss of each pass over the descriptions."""


@dataclass(frozen=True, slots=True, eq=False)
class DescriptionRun:
    """A language model on n labeled texts of k classes, before and after training on descriptions."""

    model: str
    kind: str
    words: tuple[str, ...]
    runs: tuple[PatternRun, ...]
    before: Estimate
    """Mean accuracy over patterns, the interval over texts."""
    after: Estimate
    """Mean over patterns and seeds."""
    gain: Estimate
    p: float
    """Of the gain, two-sided, by flipping signs of texts, or of whole groups."""
    scores: F64
    """(n, k) mean probabilities over patterns and seeds, after training."""
    learned: int
    """Weights that learn."""
    n_descriptions: int
    seconds: float
    """CPU seconds."""
    notes: tuple[str, ...] = ()

    def spread(self, of: str) -> tuple[float, float, float]:
        """(standard deviation, least, greatest) accuracy over the patterns, "before" or "after" (mean of its seeds)."""
        values: dict[str, list[float]] = {}
        for run in self.runs:
            values.setdefault(run.pattern, []).append(getattr(run, of))
        means = [float(np.mean(accuracies)) for accuracies in values.values()]
        deviation = float("nan")
        if len(means) > 1:
            deviation = float(np.std(means, ddof=1))
        return deviation, min(means), max(means)


def train_and_measure(
    model: LanguageModel, task: DescribedTask, how: LabelTraining, *, progress: Progress = no_progress
) -> DescriptionRun:
    """Train the model on the descriptions in each pattern, each time from its first weights, and classify the texts.

    Raises:
        InvalidInput: a word is several tokens, or no pattern fits the model.
    """
    started = process_time()
    labels = task.labels
    groups = task.groups
    patterns, notes = patterns_for(model, task.patterns)
    patterns = patterns[: how.most_patterns]
    tokens = word_tokens(model, task.words, task.class_names, how.leading_space)
    learned = freeze(model, how)
    descriptions: list[str] = []
    targets: list[int] = []
    for token, texts in zip(tokens, task.described, strict=True):
        descriptions += texts
        targets += [token] * len(texts)
    start = {name: p.detach().clone() for name, p in model.model.named_parameters() if p.requires_grad}
    runs = list[PatternRun]()
    right_before = list[F64]()
    right_after = list[F64]()
    scores = np.zeros((len(labels), len(task.words)))
    for number, pattern in enumerate(patterns, 1):
        test_texts = prompted(model, task.texts, pattern, how.max_tokens)
        training_texts = prompted(model, descriptions, pattern, how.max_tokens)
        part = f"pattern {number} of {len(patterns)}"
        logits = word_logits(model, test_texts, tokens, how, progress, f"classify before, {part}")
        before = (logits.argmax(1) == labels).astype(np.float64)
        for seed in range(how.seed, how.seed + how.seeds):
            losses = train(model, training_texts, targets, how, seed, progress, f"train, {part}")
            logits = word_logits(model, test_texts, tokens, how, progress, f"classify after, {part}")
            with torch.no_grad():
                for name, weights in start.items():
                    model.model.get_parameter(name).copy_(weights)
            after = (logits.argmax(1) == labels).astype(np.float64)
            right_before.append(before)
            right_after.append(after)
            runs.append(PatternRun(pattern.name, seed, float(before.mean()), float(after.mean()), tuple(losses)))
            scores += softmax(logits)
    # each text's mean over patterns and seeds, so that intervals and the test are over texts
    before = np.mean(right_before, axis=0)
    after = np.mean(right_after, axis=0)
    return DescriptionRun(
        model.name,
        model.kind,
        task.words,
        tuple(runs),
        bootstrap_mean(before, groups, np.random.default_rng(0)),
        bootstrap_mean(after, groups, np.random.default_rng(0)),
        bootstrap_mean(after - before, groups, np.random.default_rng(0)),
        sign_flip_p(before - after, groups, seed=0),
        scores / max(len(runs), 1),
        learned,
        len(descriptions),
        process_time() - started,
        notes,
    )
