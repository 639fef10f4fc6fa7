"""Text towers entered behind their word embeddings give what they give for texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.encoders import Encoder, load_encoder
from core.encoders.open_clip.encoder import OpenClipEncoder
from core.errors import InvalidInput
from core.systems.probes.prompt_learning.context import lay_out
from core.systems.probes.prompt_learning.learner import Learner, PromptBatch, tower_of
from tests.support.tiny_clip import write_custom, write_hugging_face, write_native

PROMPTS = ["a photo of a dog.", "a red dog", "a photo of a"]
NAMES = ["dog", "red cat"]
SIGLIP = {"no_causal_mask": True, "pool_type": "last", "proj_bias": True}
KINDS: dict[str, Any] = {
    "native": write_native,
    "custom": write_custom,
    "siglip": lambda folder: write_custom(folder, **SIGLIP),
    "both ways": lambda folder: write_custom(
        folder, no_causal_mask=True, pool_type="eos", eos_id=49407, proj_type="none", width=16
    ),
    "hugging face": lambda folder: write_hugging_face(folder, context_length=12),
    "hugging face, no punctuation": lambda folder: write_hugging_face(
        folder, context_length=12, tokenizer_kwargs={"clean": "canonicalize"}
    ),
    "hugging face, no separator": lambda folder: write_hugging_face(
        folder, context_length=12, tokenizer_kwargs={"strip_sep_token": True}
    ),
}


@pytest.fixture(scope="module", params=list(KINDS))
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    folder = tmp_path_factory.mktemp("towers") / request.param.replace(" ", "")
    KINDS[request.param](folder)
    return OpenClipEncoder(f"local-dir:{folder}")


def gap_to_texts(encoder: Encoder, texts: list[str]) -> float:
    """Largest difference between both ways into the tower."""
    tower = tower_of(encoder)
    before, after = tower.marks()
    ids = torch.from_numpy(tower.padded([[*before, *tower.tokens(text), *after] for text in texts]))
    with torch.no_grad():
        return float(np.abs(tower.encode(tower.embed(ids), ids).numpy() - encoder.encode_texts(texts)).max())


def test_plain_prompts_get_the_vectors_that_texts_get(encoder: OpenClipEncoder) -> None:
    assert gap_to_texts(encoder, PROMPTS) < 1e-4


def test_words_as_context_give_the_vectors_of_the_sentence(encoder: OpenClipEncoder) -> None:
    tower = tower_of(encoder)
    words = torch.tensor(tower.tokens("a photo of a"))
    batch = PromptBatch(tower, lay_out(tower, NAMES, len(words), "end"))
    with torch.no_grad():
        got = batch.encode(Learner(tower.embed(words)), torch.arange(2), None).numpy()
    np.testing.assert_allclose(got, encoder.encode_texts([f"a photo of a {name}." for name in NAMES]), atol=1e-4)


def test_gradients_reach_the_context_and_no_other_parameter(encoder: OpenClipEncoder) -> None:
    tower = tower_of(encoder)
    batch, learner = (
        PromptBatch(tower, lay_out(tower, NAMES, 3, "middle")),
        Learner(0.1 * torch.ones(3, tower.words().shape[1])),
    )
    batch.encode(learner, torch.arange(2), None)[:, 0].sum().backward()
    assert learner.ctx.grad is not None
    assert (learner.ctx.grad.abs().sum(1) > 0).all()
    assert not any(p.requires_grad or p.grad is not None for p in encoder._model.parameters())


def test_what_follows_the_end_is_left_out_only_where_a_mask_hides_it(tmp_path: Path) -> None:
    rows = [[49406, 320, 49407]]
    assert tower_of(OpenClipEncoder(f"local-dir:{write_native(tmp_path / 'n')}")).padded(rows).shape == (1, 3)
    assert tower_of(OpenClipEncoder(f"local-dir:{write_custom(tmp_path / 's', **SIGLIP)}")).padded(rows).shape == (
        1,
        16,
    )


def test_a_tower_with_its_own_class_token_is_refused(tmp_path: Path) -> None:
    encoder = OpenClipEncoder(f"local-dir:{write_custom(tmp_path / 'coca', embed_cls=True)}")
    with pytest.raises(InvalidInput, match=r"class token of its own \(CoCa\).*Use a CLIP"):
        tower_of(encoder)


def test_a_tower_that_disagrees_with_its_texts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = OpenClipEncoder(f"local-dir:{write_native(tmp_path / 'n')}")
    true = encoder._model.encode_text
    monkeypatch.setattr(encoder._model, "encode_text", lambda ids: true(ids) + 0.5)
    with pytest.raises(InvalidInput, match="its vectors from word embeddings differ by"):
        tower_of(encoder)


def test_an_encoder_without_such_a_tower_is_refused() -> None:
    class Plain:
        name = "plain"

    with pytest.raises(InvalidInput, match="word embeddings, and that of plain does not"):
        tower_of(Plain())  # type: ignore[arg-type]


def test_the_embedded_tower_gives_the_vectors_that_texts_get() -> None:
    texts = [*PROMPTS, "a dark, blurry photo of a ship on the water.", "a black and white photo of a dog in the snow"]
    assert gap_to_texts(load_encoder(), texts) < 1e-4


def test_the_alignment_in_torch_equals_the_one_in_numpy_and_its_gradient_the_difference() -> None:
    from core.encoders.embedded.encoder import EmbeddedEncoder
    from core.encoders.embedded.minilm import embed_sentences
    from core.encoders.embedded.prompt_tower import AlignedTexts

    encoder = load_encoder()
    assert isinstance(encoder, EmbeddedEncoder)
    said = embed_sentences(
        ["a dark photo", "a dog", "a red blurry car in fog", "xyzzy", "snow and rain, black and white"]
    )
    rows = np.concatenate([said, np.random.default_rng(0).normal(size=(200, 384)).astype(np.float32)])
    aligned = AlignedTexts(encoder.alignment)
    expected = encoder.alignment.texts(rows)
    np.testing.assert_allclose(aligned(torch.from_numpy(rows)).numpy(), expected, atol=1e-5)
    x = torch.from_numpy(said).requires_grad_()
    weights = torch.from_numpy(np.random.default_rng(1).normal(size=expected.shape[1]).astype(np.float32))
    (aligned(x) @ weights).sum().backward()
    assert x.grad is not None
    step = 1e-2 * x.grad / x.grad.norm()
    with torch.no_grad():
        rise = float(((aligned(x + step) - aligned(x - step)) @ weights).sum()) / 2
    assert rise == pytest.approx(float((x.grad * step).sum()), rel=0.02)
