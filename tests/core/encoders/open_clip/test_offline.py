"""The way of docs/offline.md from where the weights have been fetched on: a checkpoint is carried to a machine without
a network, measured on captioned images, and names what it is shown to know."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from core.cli.main import main
from core.encoders import Encoder, load_encoder
from core.errors import InvalidInput, MissingDependency
from core.files import default_cache
from core.language.competence import cached_table
from core.language.phrases import phrase_directions
from core.language.vocabulary import read_vocabulary
from core.records import ClusterName
from core.statistics.ranking import auroc
from core.store import load
from tests.conftest import REPOSITORY
from tests.core.checks.test_competence import fewer_edits
from tests.support.tiny_clip import PREPROCESS, TINY, open_clip, random_model, write_config, write_native

WORDS = "ladders arrows circles squares crosses waves loops".split()
HUB = "made-up-org/tiny"


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No network, and an empty cache of the hub: its folder."""
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "hub"


def carry(model: Path, hub: Path, *names: str) -> None:
    """Lay files of a model's folder where the hub's client keeps what it fetched."""
    snapshot = hub / f"models--{HUB.replace('/', '--')}" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    for name in names:
        (snapshot / name).write_bytes((model / name).read_bytes())


def assert_alike(one: Encoder, other: Encoder) -> None:
    """Both give the same vectors."""
    np.testing.assert_array_equal(one.encode_texts(["a red dog"]), other.encode_texts(["a red dog"]))
    seen = [encoder.encode_items(encoder.preprocess(stripes(0))[None])[0] for encoder in (one, other)]
    np.testing.assert_array_equal(*seen)


def test_the_hubs_cache_may_be_carried_too_and_a_tag_needs_the_weights_alone(
    tmp_path: Path, offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_native(tmp_path / "clip")
    (tmp_path / "errata-carried.json").write_text(json.dumps(TINY))
    open_clip().add_model_config(tmp_path / "errata-carried.json")
    published: dict[str, Any] = import_module("open_clip.pretrained")._PRETRAINED
    cfg = {name: tuple(value) if isinstance(value, list) else value for name, value in PREPROCESS.items()}
    monkeypatch.setitem(published, "errata-carried", {"made": {"hf_hub": f"{HUB}/", **cfg}})
    with pytest.raises(MissingDependency, match="local-dir"):
        load_encoder("errata-carried/made")
    carry(folder, offline, "open_clip_model.safetensors")
    assert_alike(load_encoder("errata-carried/made"), load_encoder(f"local-dir:{folder}"))
    with pytest.raises(MissingDependency, match="local-dir"):
        load_encoder(f"hf-hub:{HUB}")


def test_a_carried_hub_name_needs_the_config_as_well(tmp_path: Path, offline: Path) -> None:
    folder = write_native(tmp_path / "clip")
    carry(folder, offline, "open_clip_model.safetensors", "open_clip_config.json")
    assert_alike(load_encoder(f"hf-hub:{HUB}"), load_encoder(f"local-dir:{folder}"))


def test_a_folder_with_openais_activation_says_so_itself(tmp_path: Path) -> None:
    folder = write_native(tmp_path / "plain")
    quick = write_native(tmp_path / "quick")
    config = {"model_cfg": {**TINY, "quick_gelu": True}, "preprocess_cfg": PREPROCESS}
    (quick / "open_clip_config.json").write_text(json.dumps(config))
    found = load_encoder(f"local-dir:{quick}").fingerprint
    assert found == load_encoder(f"local-dir:{folder}", quick_gelu=True).fingerprint
    assert found != load_encoder(f"local-dir:{folder}").fingerprint


def test_nothing_is_said_of_random_weights_where_weights_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_native(tmp_path / "clip")
    assert "initialized randomly" in caplog.text  # the helper makes such a model
    caplog.clear()
    load_encoder(f"local-dir:{folder}")
    assert "initialized randomly" not in caplog.text


def cut_short(folder: Path) -> None:
    file = write_native(folder) / "open_clip_model.safetensors"
    os.truncate(file, file.stat().st_size // 2)


def in_torchscript(folder: Path) -> None:
    """As OpenAI's own files are."""
    write_config(folder)
    visual: Any = random_model(folder).eval().visual
    torch.jit.trace(visual, torch.zeros(1, 3, 32, 32), check_trace=False).save(str(folder / "ViT-B-32.pt"))


def in_transformers_form(folder: Path) -> None:
    write_config(folder)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    seen, transformers = {**sizes, "image_size": 32, "patch_size": 16}, import_module("transformers")
    transformers.CLIPModel(
        transformers.CLIPConfig(text_config=sizes, vision_config=seen, projection_dim=16)
    ).save_pretrained(folder)


@pytest.mark.parametrize("write", [cut_short, in_torchscript, in_transformers_form])
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_weights_that_are_not_whole_or_of_another_form_are_refused(tmp_path: Path, write: Any) -> None:
    write(tmp_path / "clip")
    with pytest.raises(InvalidInput, match=r"cannot be loaded|not a checkpoint of plain tensors"):
        load_encoder(f"local-dir:{tmp_path / 'clip'}")


def test_other_weights_of_the_right_form_are_noticed_by_their_hash_alone(tmp_path: Path) -> None:
    folder = write_native(tmp_path / "clip")
    file = folder / "open_clip_model.safetensors"
    first, before = hashlib.sha256(file.read_bytes()).hexdigest(), load_encoder(f"local-dir:{folder}").fingerprint
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    other = write_native(tmp_path / "other") / "open_clip_model.safetensors"
    other.write_bytes(content)
    assert load_encoder(f"local-dir:{other.parent}").fingerprint != before
    assert hashlib.sha256(other.read_bytes()).hexdigest() != first


HF = re.findall(r"^hf .*|(?<=`)hf download[^`]+", (REPOSITORY / "docs" / "offline.md").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    ("line", "usable"), [*((line, True) for line in HF), ("hf download a/b --local-folder c", False)]
)
def test_the_hubs_commands_of_the_page_are_ones_that_it_takes(line: str, usable: bool, tmp_path: Path) -> None:
    """Each gets as far as wanting the network: a usage error has the exit code 2."""
    command = [sys.executable, "-m", "huggingface_hub.cli.hf", *shlex.split(line)[1:]]
    (tmp_path / "clip").mkdir()
    alone = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, env=alone, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode == 2) is not usable, done.stderr
    assert ("offline" in done.stderr.lower()) is usable, done.stderr


def stripes(number: int) -> Image.Image:
    """Upright stripes in every third image, lying ones in the others: alike in light, color and sharpness."""
    wave = np.sign(np.sin(np.arange(64) * np.pi / 4 + 0.4)) * 45
    rows = np.broadcast_to(wave if number % 3 == 0 else wave[:, None], (64, 64))
    pixels = 125 + rows[..., None] + np.random.default_rng(number).normal(0, 30, (64, 64, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def write_pictures(folder: Path, n: int) -> list[str]:
    folder.mkdir()
    for i in range(n):
        stripes(i).save(folder / f"{i}.png")
    return [f"{i}.png" for i in range(n)]


def two_phrases(encoder: Encoder, vocabulary: Path) -> tuple[str, str]:
    """Two phrases of different directions that a model which learned nothing happens to give to upright stripes."""
    directions = phrase_directions(read_vocabulary(vocabulary), encoder)
    vectors = encoder.encode_items(np.stack([encoder.preprocess(stripes(i)) for i in range(60)]))[0]
    fits = [auroc((vectors @ d).astype(np.float64), np.arange(60) % 3 == 0) > 0.95 for d in directions]
    pairs = itertools.combinations(np.flatnonzero(fits).tolist(), 2)
    first, second = min(pairs, key=lambda pair: float(directions[pair[0]] @ directions[pair[1]]))
    return f"with {WORDS[first]}", f"with {WORDS[second]}"


def captions(files: Sequence[str], right: str, wrong: str) -> pd.DataFrame:
    """Captions that tell the upright stripes by the one phrase, and say the other of anything."""
    upright = [f"something {right if i % 3 == 0 else 'plain'}" for i in range(len(files))]
    anything = [f"something {wrong if i % 2 == 0 else 'plain'}" for i in range(len(files))]
    said = {f"caption_{2 * i + j}": text for i in range(2) for j, text in enumerate((upright, anything))}
    return pd.DataFrame({"file": files, **said})


@pytest.mark.slow
@pytest.mark.usefixtures("plain_map")
def test_a_carried_checkpoint_is_measured_and_its_table_decides_the_names(
    tmp_path: Path, offline: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fewer_edits(monkeypatch)
    name = f"open_clip:local-dir:{write_native(tmp_path / 'clip')}"
    encoder, vocabulary, cache = load_encoder(name), tmp_path / "mine.txt", default_cache()
    vocabulary.write_text("".join(f"with {word}\n" for word in WORDS))
    files = write_pictures(tmp_path / "pictures", 150)
    upright = np.arange(len(files)) % 3 == 0
    pd.DataFrame({"file": files, "loss": upright * 1.0}).to_csv(tmp_path / "table.csv", index=False)
    given = ["--images", str(tmp_path / "pictures"), "--vocabulary", str(vocabulary)]

    def called() -> ClusterName:
        data = ["--table", str(tmp_path / "table.csv"), "--encoder", name, "--permutations", "100"]
        assert main(["diagnose", *data, *given, "--out", str(tmp_path / "run.errata")]) == 0
        (cluster,) = load(tmp_path / "run.errata").clusters
        assert cluster.membership[upright].min() > 0.5 > cluster.membership[~upright].max()
        assert cluster.called is not None
        return cluster.called

    assert called().grade != "likely"
    assert (
        f"how well {name} knows them. Measure it with `python -m core competence {name} --captions"
        in capsys.readouterr().out
    )
    for right, wrong in itertools.permutations(two_phrases(encoder, vocabulary)):
        captions(files, right, wrong).to_csv(tmp_path / "captions.csv", index=False)
        data, out = ["--captions", str(tmp_path / "captions.csv")], tmp_path / "table.json"
        assert main(["competence", name, *data, *given, "--out", str(out)]) == 0
        told = {line.partition("  ")[0]: line for line in capsys.readouterr().out.splitlines()}
        assert told[wrong].endswith("hardly known")
        assert not told[right].endswith("hardly known")
        title = called()
        assert (title.words[0], title.grade) == (right, "likely")
    assert cached_table(cache, encoder.fingerprint).read_bytes() == out.read_bytes()  # what is carried
