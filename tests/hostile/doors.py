"""Where hostile inputs come in: each door does what the page or the command line does with them, and says what came of
it: a text that begins with "accepted" or "left out". What is refused raises."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import DiagnosisError, InvalidInput
from core.records import no_progress
from tests.hostile.making import EVIL


class Harm(Exception):
    """An input did what no input may."""


def came_of(left_out: Sequence[str], kept: str) -> str:
    """What a door says."""
    some = " | ".join(f"{n} x {reason}" for reason, n in Counter(left_out).most_common(5))
    return f"left out: {some} || {kept}" if left_out else f"accepted: {kept}"


def archive(path: str) -> str:
    """Every picture of an archive is listed, checked, read and decoded."""
    from core.data.images.archives import is_image_name, open_images
    from core.data.images.decoding import decode
    from core.data.images.matching import refusal
    from core.data.modality import Unreadable
    from core.data.samples import Limits

    store, left, kept = open_images(path), list[str](), 0
    for row, name in enumerate(store.names):
        if is_image_name(name):
            try:
                if reason := refusal(*store.head(row), Limits()):
                    left.append(reason)
                else:
                    decode(store.read(row))
                    kept += 1
            except (InvalidInput, Unreadable) as error:
                left.append(f"the picture {error}")
    return came_of([*store.notes, *left], f"{kept} of {len(store):,} files are pictures")


def picture(path: str) -> str:
    """A picture is decoded, as the encoder and the thumbnails do; a reason why not is what the row is left out for."""
    from core.data.images.decoding import decode
    from core.data.images.matching import refusal
    from core.data.images.thumbnails import shrink
    from core.data.modality import Unreadable
    from core.data.samples import Limits

    data = Path(path).read_bytes()
    if reason := refusal(len(data), data[:64], Limits()):
        return f"left out: 1 x {reason}"
    try:
        found = decode(data)
        shrink(data, 192)
    except Unreadable as error:
        return f"left out: 1 x the picture {error}"
    return f"accepted: {found.width} x {found.height} {found.file_format}"


def table(path: str, **given: Any) -> str:
    """A table is chosen on the page, then read as for a run."""
    from webapp.data.tab import on_table

    shown = on_table(path)[1]
    if EVIL in shown:
        raise Harm("the page shows the input's own HTML")
    return data(path, **given)


def data(path: str | None, images: str | None = None, embeddings: str | None = None, **roles: Any) -> str:
    """A table with pictures or embeddings is read."""
    from core.data.samples import read_data_set
    from core.data.tables.roles import Roles

    found = read_data_set(path, images=images, embeddings=embeddings, roles=Roles(**roles))
    reasons = [reason for _, reason in found.excluded]
    return came_of([*reasons, *found.notes], f"{len(found.samples)} rows")


def bench(path: str, images: str | None = None, form: str = "") -> str:
    """A benchmark of composition is opened as the page does."""
    from core.systems.composition.readers import read_benchmark
    from webapp.systems.composition.state import open_benchmark

    if images is None:
        found = read_benchmark(form, Path(path))
        return came_of(list(found.notes), f"{len(found.items)} items")
    loaded = open_benchmark("own", path, images, form, None)
    return came_of(list(loaded.benchmark.notes), f"{len(loaded.benchmark.items)} items")


def pairs(path: str, captions: Sequence[str] = ("a dog", "a cat")) -> str:
    """A picture of one's own is shown and scored against captions."""
    from core.encoders import load_encoder
    from core.systems.composition.own_pairs import score_pairs
    from webapp.systems.composition.pairs import PairsState, on_files

    state = on_files(PairsState(), [path])[0]
    found = score_pairs(state.store, captions, load_encoder("embedded"))
    return came_of(list(found.unreadable), f"{len(found.pictures)} pictures")


def pool(path: str, class_names: Sequence[str] = ("cat", "dog")) -> str:
    """A folder or archive from which a probe is to learn."""
    from core.encoders import load_encoder
    from core.systems.probes.few_shot.pools import read_pool

    found = read_pool(path, load_encoder("embedded"), class_names)
    return came_of([*found.unreadable, *found.notes], f"{len(found.images)} images")


def labelled(path: str | None, images: str | None = None) -> str:
    """Labelled pictures for a probe without a model."""
    from core.systems.common.labelled import read_samples

    found = read_samples(path, images=images)
    return came_of(
        [reason for _, reason in found.excluded], f"{len(found.samples)} rows of {found.samples.class_names}"
    )


def vectors(path: str) -> str:
    """Embeddings are read, and joined to a table of as many rows."""
    import numpy as np

    from core.data.tables.vectors import align_vectors, read_vectors
    from core.records.ledger import Ledger

    found, ids = read_vectors(path)
    ledger = Ledger(len(found))
    aligned = align_vectors(found, ids, ids or [str(i) for i in range(len(found))], ledger)
    kept = np.isfinite(aligned).all(1).sum()
    return came_of(list(ledger.summary()), f"{kept} rows of shape {found.shape}")


def phrases(path: str) -> str:
    """A visitor's own phrases."""
    from core.language.vocabulary import read_vocabulary
    from webapp.data.run import read_phrases

    read_phrases(path)
    found = read_vocabulary(Path(path))
    return came_of(list(found.notes), f"{len(found)} phrases")


def class_texts(reader: str, **given: Any) -> str:
    """A text box or file that speaks of classes."""
    from core.systems.common.class_descriptions import read_descriptions, read_patterns
    from core.systems.common.named_texts import read_lists
    from core.systems.label_descriptions.tags import read_tags
    from core.systems.probes.few_shot.pools import read_aliases
    from core.systems.probes.split_files import read_split
    from core.systems.probes.zero_shot.prompt_files import read_templates

    readers: dict[str, Any] = {
        "aliases": read_aliases, "lists": read_lists, "templates": read_templates, "split": read_split,
        "said": read_descriptions, "patterns": read_patterns, "tags": read_tags,
    }  # fmt: skip
    return f"accepted: {str(readers[reader](**given))[:80]}"


def run(path: str, *, over: bool = False) -> str:
    """A stored run is opened, looked at and reported; or another is written in its place."""
    from core import store
    from core.reports.html.diagnosis import render_report

    if over:
        from tests.support.diagnoses import make_diagnosis

        store.save(make_diagnosis(with_images=False), path)
    found = store.load(Path(path))
    left = list[str]()
    for row in range(min(3, len(found.samples))):
        if found.samples.items is not None:
            found.samples.items.marks(row)
            try:
                found.samples.items.read(row)
            except InvalidInput as error:
                left.append(str(error))
    if EVIL in render_report(found):
        raise Harm("the report shows the input's own HTML")
    return came_of(left, f"{len(found.samples)} rows, {len(found.notes)} notes")


def served(path: str, endpoint: str, given: Sequence[Any]) -> str:
    """A run that a server was given is asked at an endpoint, or a file of it taken away."""
    from webapp import api
    from webapp.state.downloads import files_of_run, ready_file
    from webapp.state.runs import RUNS

    name = RUNS.offer(Path(path), "received")
    if endpoint == "download":
        said = ready_file(RUNS.get(name), Path(path), "report.html").read_text("utf-8")
        shutil.rmtree(files_of_run(Path(path)))
    else:
        said = getattr(api, endpoint)(name, *given)
    if "root:x:0:" in str(said):
        raise Harm("it hands out a file of the server's")
    return f"accepted: {len(str(said)):,} letters"


def encoder(name: str) -> str:
    """A model's folder is opened as --encoder."""
    from core.encoders import load_encoder

    return f"accepted: {load_encoder(name).name}"


def boxes(truth: str, predictions: str, images: str) -> str:
    """Detections are read and matched."""
    from core.data.tasks.detection.samples import read_detection_samples

    found = read_detection_samples(truth, predictions, images=images)
    return came_of([reason for _, reason in found.excluded], f"{len(found.samples)} rows")


def kept_run(path: str) -> str:
    """A visitor's run is opened by its id, as the page does, and what is said of it is written once more."""
    from core.store import RunStore

    kept, name = RunStore(Path(path).parent), Path(path).stem
    rows, notes = len(kept.get(name).samples), len(kept.get(name).notes)
    kept.say(name, lambda now: now)
    return f"accepted: {rows} rows, {notes} notes"


def diagnosis(path: str, images: str | None = None, embeddings: str | None = None, folder: str = "") -> str:
    """A whole diagnosis with its report and results."""
    from core.diagnose import diagnose
    from core.discovery.settings import Settings
    from core.reports.html.diagnosis import render_report
    from core.store import load, save

    quick = Settings(n_permutations=100, map=False)
    found = diagnose(path, images=images, embeddings=embeddings, encoder="embedded", settings=quick)
    save(found, Path(folder) / "out.errata")
    if EVIL in render_report(load(Path(folder) / "out.errata")):
        raise Harm("the report shows the input's own HTML")
    return came_of([reason for _, reason in found.excluded], f"{len(found.samples)} rows")


def predict(path: str, images: str | None = None, embeddings: str | None = None) -> str:
    """Fresh samples for a shipped run."""
    from core.files import ASSETS
    from webapp.compare.work import make_prediction
    from webapp.state.runs import RUNS
    from webapp.state.session import Session

    run = RUNS.offer(ASSETS / "examples" / "scenes" / "run.errata")
    found = make_prediction(Session(run), path, images, embeddings, no_progress)
    return f"accepted: {found.source}"


def command(arguments: Sequence[str]) -> str:
    """A command line. Usage errors count as refusals."""
    from core.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(arguments))
    if code in (2, 3):
        raise DiagnosisError(err.getvalue().strip().removeprefix("errata: "))
    if code:
        raise Harm(f"exit code {code}: {err.getvalue()[-200:]}")
    return f"accepted: {out.getvalue().strip()[:200]}".replace("\n", " ")


def callback(module: str, name: str, arguments: Sequence[Any] = (), event: Any = None) -> str:
    """A callback of the page with what a browser said."""
    from importlib import import_module

    import gradio as gr

    given = [*arguments, *([] if event is None else [gr.EventData(None, event)])]
    found = getattr(import_module(module), name)(*given)
    shown = list(found) if hasattr(found, "__next__") else found
    if EVIL in str(shown):
        raise Harm("the page shows the input's own HTML")
    return f"accepted: {str(shown)[:60]!a}"
