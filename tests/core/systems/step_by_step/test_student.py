"""A T5 from a folder: what is read, and what is refused with one message."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from core.encoders.weights import read_tensors
from core.errors import InvalidInput
from core.systems.common.checkpoints import write_tensors
from core.systems.step_by_step.student import check_speaks, read_t5
from core.systems.step_by_step.student_folder import write_student
from tests.support.tiny_t5 import settings, some_rows, tiny_student, write_t5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_t5(tmp_path / "t5", some_rows(10))


def change_config(folder: Path, **changed: Any) -> None:
    said = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(said | changed), "utf-8")


def test_a_folder_gives_the_same_weights_and_words_back(folder: Path) -> None:
    rows = some_rows(10)
    mine, read = tiny_student(rows), read_t5(folder)
    assert all(torch.equal(a, b) for a, b in zip(mine.model.state_dict().values(), read.model.state_dict().values()))
    assert read.tokenizer(list(rows.texts))["input_ids"] == mine.tokenizer(list(rows.texts))["input_ids"]
    assert read.source["folder"] == "t5"
    assert not read.model.training


def test_transformers_opens_the_folder(folder: Path) -> None:
    transformers: Any = import_module("transformers")
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder, local_files_only=True)
    assert torch.equal(model.shared.weight, read_t5(folder).model.shared.weight)
    assert torch.equal(model.lm_head.weight, model.shared.weight)


def test_a_head_of_its_own_is_kept(folder: Path, tmp_path: Path) -> None:
    """As T5 1.1 has one, whose states are not scaled."""
    tensors = read_tensors(folder / "model.safetensors")
    tensors["lm_head.weight"] = torch.randn_like(tensors["shared.weight"])
    write_tensors(folder / "model.safetensors", tensors, {"format": "pt"})
    said = json.loads((folder / "config.json").read_text("utf-8"))
    del said["scale_decoder_outputs"]
    (folder / "config.json").write_text(json.dumps(said | {"tie_word_embeddings": False}), "utf-8")
    read = read_t5(folder)
    (tmp_path / "again.errata").mkdir()
    write_student(read, tmp_path / "again.errata")
    again = read_t5(tmp_path / "again.errata")
    ids = torch.tensor([[3, 4, 5, 1]])
    one, other = (student.model(input_ids=ids, labels=ids).logits for student in (read, again))
    assert torch.equal(again.model.lm_head.weight, tensors["lm_head.weight"])
    assert torch.equal(one, other)
    assert again.model.config.scale_decoder_outputs is False


def as_pickle(folder: Path) -> None:
    torch.save({}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def cut(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-100])


def other_tokenizer(folder: Path) -> None:
    tiny_student(some_rows(80)).tokenizer.save_pretrained(folder)


def other_signs(folder: Path) -> None:
    said = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    (folder / "tokenizer_config.json").write_text(json.dumps(said | {"eos_token": "<unk>"}), "utf-8")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (as_pickle, "weights in pytorch_model.bin, which could run any program when opened"),
        (cut, "does not open as a T5ForConditionalGeneration"),
        (other_tokenizer, r"the tokenizer has word pieces up to number .* own tokenizer"),
        (other_signs, "eos_token_id is 2 in the tokenizer and 1 in the model"),
        (lambda f: (f / "tokenizer.json").unlink(), "holds no tokenizer"),
        (lambda f: (f / "tokenizer.json").write_text("{", "utf-8"), "the tokenizer cannot be read"),
        (lambda f: (f / "config.json").unlink(), "holds no config.json"),
        (lambda f: (f / "model.safetensors").unlink(), "holds no model.safetensors"),
        (lambda f: change_config(f, model_type="bert"), "model_type must be 't5': got 'bert'"),
        (lambda f: change_config(f, d_model=10**9), "asks for a model of .* numbers; model.safetensors holds at most"),
        (lambda f: change_config(f, vocab_size=0), "vocab_size must be at least 1"),
        (lambda f: change_config(f, num_layers=2), "lacks weights of a T5ForConditionalGeneration"),
    ],
)
def test_what_cannot_be_a_student_is_refused(folder: Path, damage: Callable[[Path], Any], message: str) -> None:
    damage(folder)
    with pytest.raises(InvalidInput, match=message):
        read_t5(folder)


def test_nothing_is_fetched_and_no_code_of_the_folder_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, lambda *given: asked.append(given))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **_: asked.append(given))
    read_t5(folder)
    ran = folder.parent / "ran"
    (folder / "evil.py").write_text(f"open({str(ran)!r}, 'w')\nclass Evil: pass\n", "utf-8")
    said = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    said |= {"tokenizer_class": "Evil", "auto_map": {"AutoTokenizer": ["evil.Evil", "evil.Evil"]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(said), "utf-8")
    change_config(folder, auto_map={"AutoModelForSeq2SeqLM": "evil.Evil", "AutoConfig": "evil.Evil"})
    with contextlib.suppress(InvalidInput):
        read_t5(folder)
    assert asked == []
    assert not ran.exists()


def test_a_class_that_the_tokenizer_cannot_write_is_named() -> None:
    student = tiny_student(some_rows(4))
    check_speaks(student, ("fails", "works"))
    with pytest.raises(InvalidInput, match=r"cannot write the class 'breaks': it writes ''"):
        check_speaks(student, ("fails", "breaks"))


def test_a_new_student_has_the_width_asked_for() -> None:
    rows = some_rows(4)
    assert tiny_student(rows, width=24, layers=3).sizes["width"] == 24
    assert tiny_student(rows, layers=3).sizes["layers"] == 3
    assert settings().width == 16
