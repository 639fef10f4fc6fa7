"""Every pattern, every seed: what the model says before and after it has learned the descriptions."""

from __future__ import annotations

from dataclasses import dataclass
from time import process_time

import numpy as np
import torch
from torch import Tensor

from core.records import F64, I64, Estimate, Progress, no_progress
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
    """One pattern with one seed."""

    pattern: str
    seed: int
    before: float
    """Accuracy of the model as it came."""
    after: float
    losses: tuple[float, ...]
    """Mean loss of each pass over the descriptions."""


@dataclass(frozen=True, slots=True, eq=False)
class DescriptionRun:
    """A language model on n labeled texts of k classes, before and after the descriptions."""

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
    """Two-sided, by signs of texts (or groups)."""
    scores: F64
    """(n, k) mean probabilities over patterns and seeds, after."""
    learned: int
    """Numbers of the model that learn."""
    n_descriptions: int
    seconds: float
    """CPU seconds."""
    notes: tuple[str, ...] = ()

    def spread(self, of: str) -> tuple[float, float, float]:
        """(standard deviation, least, greatest) accuracy over the patterns, "before" or "after" (mean of its seeds)."""
        values: dict[str, list[float]] = {}
        for run in self.runs:
            values.setdefault(run.pattern, []).append(getattr(run, of))
        means = [float(np.mean(own)) for own in values.values()]
        return float(np.std(means, ddof=1)) if len(means) > 1 else float("nan"), min(means), max(means)


def train_and_measure(
    found: LanguageModel, task: DescribedTask, how: LabelTraining, *, progress: Progress = no_progress
) -> DescriptionRun:
    """Train the model on the descriptions in each pattern, from where it came each time, and classify the texts.

    Raises:
        InvalidInput: a word is several tokens, or no pattern fits the model.
    """
    started = process_time()
    labels = task.labels
    groups = task.groups
    words = task.words
    asked, notes = patterns_for(found, task.patterns)
    asked = asked[: how.most_patterns]
    tokens = word_tokens(found, words, task.class_names, how.leading_space)
    learned = freeze(found, how)
    flat = [text for own in task.described for text in own]
    targets = [token for token, own in zip(tokens, task.described, strict=True) for _ in own]
    start = {name: p.detach().clone() for name, p in found.model.named_parameters() if p.requires_grad}
    runs = list[PatternRun]()
    right = list[tuple[F64, F64]]()
    scores = np.zeros((len(labels), len(words)))
    for at, pattern in enumerate(asked, 1):
        tested, taught = (prompted(found, part, pattern, how.max_tokens) for part in (task.texts, flat))
        where = f"pattern {at} of {len(asked)}"
        plain = word_logits(found, tested, tokens, how, progress, f"classify before, {where}")
        for seed in range(how.seed, how.seed + how.seeds):
            losses = train(found, taught, targets, how, seed, progress, f"train, {where}")
            after = word_logits(found, tested, tokens, how, progress, f"classify after, {where}")
            _restore(found, start)
            both = tuple((logits.argmax(1) == labels).astype(np.float64) for logits in (plain, after))
            right.append((both[0], both[1]))
            runs.append(PatternRun(pattern.name, seed, float(both[0].mean()), float(both[1].mean()), tuple(losses)))
            scores += softmax(after)
    before, after = (np.mean([pair[i] for pair in right], axis=0) for i in (0, 1))
    return DescriptionRun(
        found.name,
        found.kind,
        words,
        tuple(runs),
        _mean(before, groups),
        _mean(after, groups),
        _mean(after - before, groups),
        sign_flip_p(before - after, groups, seed=0),
        scores / max(len(runs), 1),
        learned,
        len(flat),
        process_time() - started,
        notes,
    )


@torch.no_grad()
def _restore(found: LanguageModel, start: dict[str, Tensor]) -> None:
    for name, parameter in found.model.named_parameters():
        if name in start:
            parameter.copy_(start[name])


def _mean(values: F64, groups: I64 | None) -> Estimate:
    return bootstrap_mean(values, groups, np.random.default_rng(0))
