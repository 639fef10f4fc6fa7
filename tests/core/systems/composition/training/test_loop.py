"""Adapters on token features in which binding is present: what can learn it, what cannot, and how a stopped training
goes on."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import Cancelled, InvalidInput
from core.systems.common.checkpoints import write_tensors
from core.systems.composition.adapters import ADAPTERS, make_adapter
from core.systems.composition.adapters.base import TextRows
from core.systems.composition.training.loop import Trained, Training, check_state, fit, picture_groups, split_items
from core.systems.composition.training.losses import validate
from core.systems.composition.training.matching import score_questions
from tests.support.tokens import MadeTower, made_pairs

QUICK = Training(epochs=2, patience=5, batch=8)


def trained(name: str, settings: dict[str, Any], how: Training, n: int = 400, **more: Any) -> Trained:
    data = made_pairs(n, 0)
    learn, hold = split_items(n, how.validation, picture_groups(data), how.seed)
    adapter = make_adapter(name, settings)
    return fit(
        adapter, lambda: adapter.build(MadeTower(), None, how.seed), data.keep(learn), data.keep(hold), how, **more
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "epochs", "least"), [("mm-adapter", 15, 0.75), ("local", 7, 0.9)])
def test_a_module_that_sees_tokens_learns_binding(name: str, epochs: int, least: float) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # at this rate the order of sums decides where a training ends: .96 with one, .52 with two
    try:
        found = trained(name, {"hidden": 64}, Training(epochs=epochs, patience=30, lr=3e-3), 600)
    finally:
        torch.set_num_threads(threads)
    assert validate(found.module, made_pairs(200, 1))[1] >= least  # chance is 0.25; 30 epochs at 1e-3 pass 0.9


@pytest.mark.slow
def test_a_linear_layer_on_pooled_vectors_cannot_learn_binding() -> None:
    found = trained("linear", {}, Training(epochs=30, patience=30), 600)
    assert validate(found.module, made_pairs(300, 1))[1] <= 0.3  # chance is 0.25


def test_the_mm_adapter_has_as_many_parameters_as_the_paper_says_at_clip_sizes() -> None:
    tower = MadeTower(grid=(7, 7), image_width=768, text_width=512, joint_width=512)
    module = make_adapter("mm-adapter", {"positions": False, "norm": False, "align": False, "score": "dot"}).build(
        tower, None, 0
    )
    assert sum(p.numel() for p in module.parameters()) == 7_752_704  # Cola says 7.8 million


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_stopped_training_goes_on_to_the_same_weights(name: str, tmp_path: Path) -> None:
    settings = {} if name == "linear" else {"hidden": 64}
    whole = trained(name, settings, QUICK, 40)

    def stop(step: str, done: int, total: int) -> None:
        if done > total // 2 + 1:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        trained(name, settings, QUICK, 40, state=tmp_path, progress=stop)
    gone_on = trained(name, settings, QUICK, 40, state=tmp_path)
    assert [e.validation_loss for e in gone_on.curve] == pytest.approx([e.validation_loss for e in whole.curve])
    for (_, a), (_, b) in zip(whole.module.state_dict().items(), gone_on.module.state_dict().items()):
        torch.testing.assert_close(a, b)


def test_trainings_at_the_same_time_end_where_each_would_alone() -> None:
    def train(seed: int) -> list[float]:
        found = trained("mm-adapter", {"hidden": 64, "dropout": 0.3}, replace(QUICK, seed=seed), 40)
        return [float(p.detach().abs().sum()) for p in found.module.parameters()]

    alone = [train(seed) for seed in (1, 2, 3)]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(train, (1, 2, 3))) == alone


def test_a_state_of_another_training_is_refused(tmp_path: Path) -> None:
    trained("linear", {}, QUICK, 40, state=tmp_path)
    with pytest.raises(InvalidInput, match="another training"):
        trained("linear", {}, Training(epochs=2, batch=4), 40, state=tmp_path)
    with pytest.raises(InvalidInput, match="another training"):  # other items, which is known once they are read
        trained("linear", {}, QUICK, 44, state=tmp_path)


def test_what_is_asked_otherwise_is_known_before_the_items(tmp_path: Path) -> None:
    check_state(tmp_path, make_adapter("linear"), QUICK)  # no state yet
    trained("linear", {}, QUICK, 40, state=tmp_path)
    check_state(tmp_path, make_adapter("linear"), QUICK)
    for adapter, how in (("linear", replace(QUICK, batch=4)), ("linear", replace(QUICK, lr=0.5)), ("local", QUICK)):
        with pytest.raises(InvalidInput, match="another training"):
            check_state(tmp_path, make_adapter(adapter), how)


def test_the_untrained_linear_module_ranks_as_the_encoder_does() -> None:
    data = made_pairs(30, 0)
    module = make_adapter("linear").build(MadeTower(), None, 0)
    for question, scores in zip(data.questions, score_questions(module, data)):
        cosine = data.images.pooled[question.images] @ data.texts.pooled[question.texts].T
        np.testing.assert_allclose(scores / MadeTower().logit_scale, cosine, atol=1e-5)


@pytest.mark.parametrize("name", ["mm-adapter", "local"])
def test_scores_do_not_depend_on_what_else_is_scored(name: str) -> None:
    data = made_pairs(12, 0)
    module = make_adapter(name, {"hidden": 64}).build(MadeTower(), None, 0)
    together = score_questions(module, data)
    alone = [score_questions(module, data.keep([i]))[0] for i in range(12)]
    for a, b in zip(together, alone):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_padding_changes_no_score() -> None:
    data = made_pairs(4, 0)
    module = make_adapter("mm-adapter", {"hidden": 64}).build(MadeTower(), None, 0).eval()
    rows = data.text_rows(np.array([0]))
    tokens = torch.nn.functional.pad(rows.tokens, (0, 0, 0, 3))
    ids, words, seen = (torch.nn.functional.pad(a, (0, 3)) for a in (rows.ids, rows.words, rows.seen))
    longer = TextRows(tokens, ids, words, seen, rows.pooled)
    images = module.images(data.image_rows(np.array([0])))
    torch.testing.assert_close(module.match(images, module.texts(rows)), module.match(images, module.texts(longer)))


def test_validation_shares_no_picture_with_training() -> None:
    groups = np.repeat(np.arange(10), 3)
    learn, hold = split_items(30, 0.2, groups, 0)
    assert not set(groups[learn]) & set(groups[hold])
    assert len(learn) + len(hold) == 30
    with pytest.raises(InvalidInput, match="got 3 items in 1 separate part"):
        split_items(3, 0.2, np.zeros(3, np.int64), 0)


def test_a_step_size_that_is_too_large_is_said() -> None:
    with pytest.raises(InvalidInput, match="learning rate"):
        trained("mm-adapter", {"hidden": 64}, Training(epochs=3, lr=1e12, batch=4), 40)


def test_a_state_of_other_items_with_the_same_names_is_refused(tmp_path: Path) -> None:
    def fitted(seed: int) -> Trained:
        data, adapter = made_pairs(40, seed), make_adapter("linear")
        learn, hold = split_items(40, QUICK.validation, picture_groups(data), 0)
        return fit(
            adapter,
            lambda: adapter.build(MadeTower(), None, 0),
            data.keep(learn),
            data.keep(hold),
            QUICK,
            state=tmp_path,
        )

    fitted(0)
    with pytest.raises(InvalidInput, match="another training"):
        fitted(1)
    assert len(fitted(0).curve) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"curve": [[0, None, "x", 0.5]] * 3}, "curve.0.2 must be a number: got 'x'"),
        ({"curve": [[0]] * 3}, "has no curve.0.1"),
        ({"curve": 3}, "curve must be a list"),
        ({"best": 9}, "above best"),
        ({"number": 7}, "number must be that of the epochs, 3, .*got 7"),
        ({"scale": "x"}, "scale must be a number"),
        ({"owner": []}, "owner must be an object"),
        ({"format": 1}, "format must be 2: got '1'"),
        ({"owner": {}}, "another training"),
    ],
)
def test_a_damaged_state_is_refused_with_one_sentence(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    trained("linear", {}, QUICK, 40, state=tmp_path)
    record = tmp_path / "training.json"
    record.write_text(json.dumps(json.loads(record.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(InvalidInput, match=said):
        trained("linear", {}, QUICK, 40, state=tmp_path)


def test_a_state_with_other_weights_is_refused(tmp_path: Path) -> None:
    trained("linear", {}, QUICK, 40, state=tmp_path)
    write_tensors(tmp_path / "3.training.safetensors", {"now/other": torch.zeros(2), "best/other": torch.zeros(2)})
    with pytest.raises(InvalidInput, match="belong to another training"):
        trained("linear", {}, QUICK, 40, state=tmp_path)


def test_a_state_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(InvalidInput, match="cannot be written"):
        trained("linear", {}, QUICK, 40, state=tmp_path / "file")
