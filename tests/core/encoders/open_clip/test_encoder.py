"""The open_clip encoder on tiny local checkpoints: what it loads, and what it refuses to load."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from core.encoders import Encoder, load_encoder
from core.encoders.open_clip.encoder import OpenClipEncoder
from core.encoders.open_clip.load import _preprocessing_beside
from core.encoders.open_clip.source import parse_source
from core.errors import InvalidInput, MissingDependency
from tests.support.tiny_clip import TINY, open_clip, register, save, write_config, write_hugging_face, write_native

CHECKER = Image.fromarray((np.indices((40, 60)).sum(0) % 2 * 255).astype(np.uint8)).convert("RGB")


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_native(tmp_path_factory.mktemp("models") / "native")


def pixels(encoder: Encoder, n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack(
        [encoder.preprocess(Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8))) for _ in range(n)]
    )


def test_a_folder_gives_the_vectors_that_its_own_weights_give(native: Path) -> None:
    encoder = OpenClipEncoder(f"local-dir:{native}")
    reference, preprocess = open_clip().create_model_from_pretrained(f"local-dir:{native}")
    reference.eval()
    with torch.inference_mode():
        image = reference.encode_image(preprocess(CHECKER)[None], normalize=True).numpy()
        text = reference.encode_text(
            open_clip().get_tokenizer(f"local-dir:{native}")(["a dog"]), normalize=True
        ).numpy()
    finding, joint = encoder.encode_items(encoder.preprocess(CHECKER)[None])
    assert finding is joint
    np.testing.assert_allclose(finding, image, atol=1e-6)
    np.testing.assert_allclose(encoder.encode_texts(["a dog"]), text, atol=1e-6)


@pytest.mark.parametrize("n", [1, 7, 8, 9])  # batches hold 8 on a CPU
def test_vectors_depend_on_neither_batch_nor_order(native: Path, n: int) -> None:
    encoder = OpenClipEncoder(f"local-dir:{native}")
    batch = pixels(encoder, n)
    together, _ = encoder.encode_items(batch)
    backwards, _ = encoder.encode_items(batch[::-1].copy())
    np.testing.assert_array_equal(together, backwards[::-1])
    np.testing.assert_array_equal(
        together, np.concatenate([encoder.encode_items(batch[i : i + 1])[0] for i in range(n)])
    )
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


def test_no_rows_give_no_rows(native: Path) -> None:
    encoder = OpenClipEncoder(f"local-dir:{native}")
    assert encoder.encode_texts([]).shape == (0, 16)
    assert encoder.encode_items(np.empty((0, 3, 32, 32), np.float32))[0].shape == (0, 16)


def test_the_fingerprint_follows_weights_and_preprocessing(native: Path, tmp_path: Path) -> None:
    first = OpenClipEncoder(f"local-dir:{native}").fingerprint
    same = OpenClipEncoder(f"local-dir:{write_native(tmp_path / 'copy', 'weights.pt')}").fingerprint
    assert same == first
    config = json.loads((tmp_path / "copy" / "open_clip_config.json").read_text())
    config["preprocess_cfg"]["mean"] = [0.4, 0.4, 0.4]
    (tmp_path / "copy" / "open_clip_config.json").write_text(json.dumps(config))
    assert OpenClipEncoder(f"local-dir:{tmp_path / 'copy'}").fingerprint != first


def test_a_folder_that_holds_only_a_pt_file_is_loaded(native: Path, tmp_path: Path) -> None:
    folder = write_native(tmp_path / "pt", "model.pt")
    batch = pixels(encoder := OpenClipEncoder(f"local-dir:{folder}"), 2)
    np.testing.assert_array_equal(
        encoder.encode_items(batch)[0], OpenClipEncoder(f"local-dir:{native}").encode_items(batch)[0]
    )


def test_a_folder_without_weights_is_refused_and_never_random(tmp_path: Path) -> None:
    write_config(tmp_path / "empty")
    with pytest.raises(InvalidInput, match="no weights"):
        load_encoder(f"open_clip:local-dir:{tmp_path / 'empty'}")


def test_a_folder_without_its_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"open_clip_config\.json"):
        load_encoder(f"local-dir:{tmp_path}")
    with pytest.raises(InvalidInput, match=r"Folder .* not found"):
        load_encoder(f"local-dir:{tmp_path / 'nowhere'}")


def test_weights_of_another_shape_are_refused(native: Path, tmp_path: Path) -> None:
    write_config(tmp_path / "wide", {**TINY, "embed_dim": 24})
    (tmp_path / "wide" / "open_clip_model.safetensors").write_bytes(
        (native / "open_clip_model.safetensors").read_bytes()
    )
    with pytest.raises(InvalidInput, match="cannot be loaded"):
        load_encoder(f"local-dir:{tmp_path / 'wide'}")


def test_weights_that_hold_no_numbers_are_told_of_where_they_give_no_vectors(tmp_path: Path) -> None:
    path = write_native(tmp_path / "damaged")
    weights = path / "open_clip_model.safetensors"
    state = load_file(weights)
    save_file({name: torch.full_like(tensor, torch.nan) for name, tensor in state.items()}, weights)
    encoder = load_encoder(f"local-dir:{path}")
    with pytest.raises(InvalidInput, match="vectors with NaN or infinity: its weights are damaged"):
        encoder.encode_items(pixels(encoder, 2))
    with pytest.raises(InvalidInput, match="vectors with NaN or infinity: its weights are damaged"):
        encoder.encode_texts(["a dog"])


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    write_config(tmp_path / "evil")

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path(tmp_path / "ran").write_text, ("x",))

    torch.save({"state_dict": Evil()}, tmp_path / "evil" / "model.pt")
    with pytest.raises(InvalidInput, match="which could run any program") as refused:
        load_encoder(f"local-dir:{tmp_path / 'evil'}")
    assert "weights_only" not in str(refused.value)  # torch's advice to run it all the same
    assert not (tmp_path / "ran").exists()


def test_a_tokenizer_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    write_config(tmp_path / "small", {**TINY, "text_cfg": {**TINY["text_cfg"], "vocab_size": 100}})
    model = open_clip().create_model(f"local-dir:{tmp_path / 'small'}", load_weights=False)
    save(model, tmp_path / "small" / "open_clip_model.safetensors")
    with pytest.raises(InvalidInput, match="tokens, the text tower only"):
        load_encoder(f"local-dir:{tmp_path / 'small'}")


def test_a_hugging_face_text_tower_loads_offline_from_its_folder(tmp_path: Path) -> None:
    encoder = OpenClipEncoder(f"local-dir:{write_hugging_face(tmp_path / 'bert')}")
    vectors = encoder.encode_texts(["a photo of a dog", "a cat", "a photo of a dog"])
    assert vectors.shape == (3, 16)
    np.testing.assert_array_equal(vectors[0], vectors[2])
    assert not np.allclose(vectors[0], vectors[1])
    assert encoder.count_truncated(["a cat", "a " * 20]) == 1  # 8 tokens at most


def test_a_hugging_face_tower_without_its_config_names_the_missing_file(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path / "bert")
    (folder / "config.json").unlink()
    with pytest.raises(InvalidInput, match=r"config\.json"):
        load_encoder(f"local-dir:{folder}")


def test_truncated_prompts_are_counted(native: Path) -> None:
    assert OpenClipEncoder(f"local-dir:{native}").count_truncated(["a dog", "dog " * 30]) == 1  # 16 tokens at most


def test_a_checkpoint_file_takes_its_preprocessing_from_the_config_beside_it(native: Path, tmp_path: Path) -> None:
    name = register(tmp_path, "errata-tiny")
    with_config = OpenClipEncoder(f"{name}@{native / 'open_clip_model.safetensors'}")
    assert with_config.preprocess(Image.new("RGB", (50, 50), "white")).max() == pytest.approx(1.0)  # mean 0.5, std 0.5
    bare = tmp_path / "alone" / "weights.safetensors"
    bare.parent.mkdir()
    bare.write_bytes((native / "open_clip_model.safetensors").read_bytes())
    plain = OpenClipEncoder(f"{name}@{bare}")
    assert plain.preprocess(Image.new("RGB", (50, 50), "white")).max() > 1.5  # CLIP's own mean and std
    assert plain.fingerprint != with_config.fingerprint


def test_a_bare_siglip_file_gets_the_normalisation_that_its_published_weights_share(tmp_path: Path) -> None:
    source = parse_source(f"ViT-B-16-SigLIP@{_touch(tmp_path / 'weights.safetensors')}")
    found = _preprocessing_beside(source)
    assert tuple(found["mean"]) == (0.5, 0.5, 0.5)
    assert found["resize_mode"] == "squash"


def _touch(path: Path) -> Path:
    path.touch()
    return path


def test_quick_gelu_changes_the_vectors_and_is_asked_for_where_the_name_hints_at_it(
    native: Path, tmp_path: Path
) -> None:
    name = register(tmp_path, "errata-gelu")
    file = tmp_path / "openai-like.safetensors"
    file.write_bytes((native / "open_clip_model.safetensors").read_bytes())
    with pytest.raises(InvalidInput, match="QuickGELU"):
        load_encoder(f"{name}@{file}")
    plain, quick = (load_encoder(f"{name}@{file}", quick_gelu=answer) for answer in (False, True))
    batch = pixels(plain, 1)
    assert not np.allclose(plain.encode_items(batch)[0], quick.encode_items(batch)[0], atol=1e-4)
    assert plain.fingerprint != quick.fingerprint


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ViT-B-32/no_such_tag", "laion2b_s34b_b79k"),
        ("ViT-B-33/openai", "Did you mean"),
        ("open_clip:ViT-B-32", "Add a tag"),
        ("clipp", "Unknown encoder"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_ones(name: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        load_encoder(name)


@pytest.mark.parametrize("name", ["hf-hub:no-such-organisation/no-such-model", "ViT-B-32/laion2b_s34b_b79k"])
def test_without_the_hub_a_name_fails_without_waiting_and_names_the_way_out(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    waited, own, sleep = list[float](), threading.get_ident(), time.sleep

    def wait(seconds: float) -> None:
        waited.append(seconds) if threading.get_ident() == own else sleep(seconds)  # what runs beside may wait

    monkeypatch.setattr(time, "sleep", wait)
    with pytest.raises(MissingDependency, match="local-dir"):
        load_encoder(name)
    assert waited == []


def test_an_unreachable_hub_is_noticed_without_the_offline_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.encoders.open_clip.source import hub_reachable

    for name in ("HF_HUB_OFFLINE", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nothing answers
    assert not hub_reachable()
