"""The training beside a slow loop written from the paper: a text at a time, the whole model, the whole vocabulary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.encoders.model_folder import layer_of
from core.systems.common.class_descriptions import PATTERN_COLUMNS, Pattern, read_patterns
from core.systems.label_descriptions.learn.language_model import LanguageModel, read_language_model, word_tokens
from core.systems.label_descriptions.learn.loop import freeze, order_of, train, word_logits
from core.systems.label_descriptions.learn.prompted import patterns_for, prompted
from core.systems.label_descriptions.learn.settings import LabelTraining
from tests.support.tiny_language_models import DESCRIPTIONS, TEXTS, write_llama, write_roberta

PROMPTS = "\n".join(
    [
        "\t".join(PATTERN_COLUMNS),
        "qa\t1\tbefore\tQuestion: What is the sentiment of this text? Answer: <mask>.\t-2",
        "prompt\t1\tbefore\tOpinion: <mask>\t-1",
        "prompt\t2\tafter\t<mask> Sentiment:\t0",
    ]
)
FLAT = [text for own in DESCRIPTIONS for text in own]
CLASSES = [c for c, own in enumerate(DESCRIPTIONS) for _ in own]


@pytest.fixture(scope="module", params=["masked", "causal"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp(request.param)
    return write_roberta(made) if request.param == "masked" else write_llama(made)


def slow_logits(found: LanguageModel, text: str, pattern: Pattern) -> torch.Tensor:
    """(vocabulary,) of one text, by the place that the published file names."""
    if found.kind == "causal":
        whole = f"{text} {pattern.string.split('<mask>')[0].rstrip()}"
        return found.model(input_ids=torch.tensor([found.tokenizer(whole)["input_ids"]])).logits[0, -1]
    ids = found.tokenizer(f"{text} {pattern.string}" if pattern.after_text else f"{pattern.string} {text}")["input_ids"]
    # beside the ends that the tokenizer adds, as in the released code
    at = pattern.mask_position - 1 if pattern.mask_position < 0 else pattern.mask_position + 1
    assert ids[at] == found.tokenizer.mask_token_id
    return found.model(input_ids=torch.tensor([ids])).logits[0, at]


def slow_training(found: LanguageModel, pattern: Pattern, tokens: list[int], how: LabelTraining) -> None:
    layers = found.model.config.num_hidden_layers
    for name, parameter in found.model.named_parameters():
        number = [int(part) for part in name.split(".") if part.isdigit()]
        parameter.requires_grad_(not (number and number[0] < layers / 2))
    optimiser = torch.optim.Adam([p for p in found.model.parameters() if p.requires_grad], lr=how.lr)
    order, seen = order_of(len(FLAT), 5), 0
    found.model.train()
    while seen < how.steps:
        for start in range(0, len(order), how.batch):
            if seen >= how.steps:
                break
            rows = order[start : start + how.batch]
            losses = [
                -torch.log_softmax(slow_logits(found, FLAT[row], pattern), 0)[tokens[CLASSES[row]]] for row in rows
            ]
            optimiser.zero_grad()
            (sum(losses) / len(rows)).backward()  # type: ignore[union-attr]
            optimiser.step()
            seen += len(rows)
    found.model.eval()


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_training_and_answers_are_those_of_the_slow_loop(folder: Path, number: int, batch: int) -> None:
    how = LabelTraining(lr=1e-3, steps=20, batch=batch)
    pattern = read_patterns(PROMPTS)[number]
    fast, slow = read_language_model(folder), read_language_model(folder)
    if not patterns_for(fast, read_patterns(PROMPTS))[0][number:] or (fast.kind == "causal" and not pattern.after_text):
        pytest.skip("a causal model cannot be asked before the text")
    tokens = word_tokens(fast, ("awful", "great"), ("bad", "good"))
    for found in (fast, slow):
        found.model.double()  # a key's bias has no gradient but rounding, which Adam would make a step of
    freeze(fast, how)
    train(fast, prompted(fast, FLAT, pattern, 64), [tokens[c] for c in CLASSES], how, 5)
    slow_training(slow, pattern, tokens, how)
    for (name, ours), (_, theirs) in zip(fast.model.named_parameters(), slow.model.named_parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4, msg=name)
    said = word_logits(fast, prompted(fast, TEXTS, pattern, 64), tokens, how)
    with torch.no_grad():
        wanted = torch.stack([slow_logits(slow, text, pattern)[tokens] for text in TEXTS])
    np.testing.assert_allclose(said, wanted.numpy(), atol=1e-4)


def test_the_lower_half_of_the_layers_stays_and_words_and_head_learn(folder: Path) -> None:
    found = read_language_model(folder)
    before = {name: p.detach().clone() for name, p in found.model.named_parameters()}
    how = LabelTraining(lr=1e-2, steps=7, batch=7)
    learned = freeze(found, how)
    pattern = read_patterns(PROMPTS)[1]
    tokens = word_tokens(found, ("awful", "great"), ("bad", "good"))
    train(found, prompted(found, FLAT, pattern, 64), [tokens[c] for c in CLASSES], how, 0)
    changed = {name: bool((p != before[name]).any()) for name, p in found.model.named_parameters()}
    layers = {name: layer for name in changed if (layer := layer_of(name)) is not None}
    assert {layer for layer in layers.values()} == {0, 1, 2, 3}
    assert not any(changed[name] for name, layer in layers.items() if layer < 2)
    assert any(changed[name] for name, layer in layers.items() if layer >= 2)
    assert any(changed[name] for name in changed if "word_embeddings" in name or "embed_tokens" in name)
    assert learned == sum(before[name].numel() for name in changed if layers.get(name, 9) >= 2)


@pytest.mark.parametrize(("freezing", "words", "kept"), [("none", False, set()), ("layers", True, {"layer", "words"})])
def test_more_or_less_may_be_frozen(folder: Path, freezing: str, words: bool, kept: set[str]) -> None:
    found = read_language_model(folder)
    freeze(found, LabelTraining(freeze=freezing, freeze_words=words))
    frozen = {name for name, p in found.model.named_parameters() if not p.requires_grad}
    assert any(layer_of(name) is not None for name in frozen) == ("layer" in kept)
    assert any("embed_tokens" in name or "word_embeddings" in name for name in frozen) == ("words" in kept)


def test_training_teaches_the_words_and_the_order_is_that_of_pandas(folder: Path) -> None:
    import pandas as pd

    assert order_of(24, 11) == pd.DataFrame({"a": range(24)}).sample(frac=1, random_state=11)["a"].tolist()
    found = read_language_model(folder)
    how = LabelTraining(lr=5e-3, steps=70 * len(FLAT), batch=7)
    tokens, pattern = word_tokens(found, ("awful", "great"), ("bad", "good")), read_patterns(PROMPTS)[0]
    freeze(found, how)
    taught = prompted(found, FLAT, pattern, 64)
    losses = train(found, taught, [tokens[c] for c in CLASSES], how, 0)
    assert losses[-1] < 0.3 < losses[0]
    assert word_logits(found, taught, tokens, how).argmax(1).tolist() == CLASSES


def test_how_many_texts_are_run_together_changes_nothing(folder: Path) -> None:
    found, pattern = read_language_model(folder), read_patterns(PROMPTS)[0]
    tokens, given = word_tokens(found, ("awful", "great"), ("b", "g")), prompted(found, TEXTS, pattern, 64)
    one, many = (word_logits(found, given, tokens, LabelTraining(test_batch=size)) for size in (1, 32))
    np.testing.assert_allclose(one, many, atol=1e-4)


def test_a_long_text_loses_the_end_away_from_the_pattern(folder: Path) -> None:
    found, patterns = read_language_model(folder), read_patterns(PROMPTS)
    long = ["great " * 80 + "awful"]
    behind = prompted(found, long, patterns[1], 24)
    assert len(behind.tokens[0]) <= 24
    kept: Any = found.tokenizer.decode(list(behind.tokens[0]))
    assert "awful Opinion:" in kept.replace("  ", " ")
    if found.kind == "masked":
        before = prompted(found, long, patterns[2], 24)
        assert "awful" not in found.tokenizer.decode(list(before.tokens[0]))


def test_a_mask_inside_a_text_is_no_second_place(folder: Path) -> None:
    found = read_language_model(folder)
    given = prompted(found, ["a <mask> film"], read_patterns(PROMPTS)[0], 64)
    assert len(given.positions) == 1


def test_a_causal_model_is_asked_once_where_patterns_differ_behind_the_mask_alone(tmp_path: Path) -> None:
    found = read_language_model(write_llama(tmp_path))
    patterns, notes = patterns_for(found, read_patterns("sentiment"))
    assert len(patterns) == 6
    assert "8 of 14 patterns" in notes[0]
