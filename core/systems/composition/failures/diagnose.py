"""Where a model of composition fails: its margins diagnosed like the losses of any model.

    LoadedBenchmark + CompositionResult ─► samples (an image with its caption) ─► columns, vectors of both sides,
    words ─► Diagnosis

Clusters are searched in unit([w * image ; (1 - w) * caption]), both unit vectors of their own towers (the image's
in the finding space), because a loss of composition depends on both. Words are scored on images alone, as always.
What captions and tags say are conditions. Items of one value of a class tag (the kind of a foil, say) are a class: a
kind that fails as a whole is found at class level, and all else within kinds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.discovery.method import diagnose_records
from core.discovery.settings import DEFAULT_EMBEDDING, DEFAULTS, EmbeddingSettings, Settings
from core.errors import InvalidInput
from core.records import (
    F32,
    I64,
    Diagnosis,
    Embeddings,
    Insight,
    ItemView,
    Outcomes,
    Progress,
    SampleSet,
    Words,
    no_progress,
)
from core.systems.composition.failures.columns import caption_columns, spoken_condition, tag_columns
from core.systems.composition.failures.samples import CaptionSamples, Loss, caption_samples
from core.systems.composition.failures.section import COMPOSITION
from core.systems.composition.records import CompositionResult, LoadedBenchmark

if TYPE_CHECKING:
    from core.data.samples import DataSet

KIND = "kind"
"""The tag that is taken for the class where every item has it."""
PICTURE_SHARE = 0.5
"""Weight of the image against the caption in the space where clusters are searched. On tuning seeds of
research/evidence/composition_clusters.py the predicted loss found planted samples within their kind with AUROC 0.68 (0,
0.25), 0.67 (0.5), 0.66 (0.75) and 0.58 (1, images alone); 0.5 is taken since images fail too."""


def diagnose_composition(
    pictured: LoadedBenchmark,
    result: CompositionResult,
    embedding: EmbeddingSettings = DEFAULT_EMBEDDING,
    *,
    second: CompositionResult | None = None,
    families: Mapping[str, str] | None = None,
    loss: Loss = "margin",
    settings: Settings = DEFAULTS,
    progress: Progress = no_progress,
) -> Diagnosis:
    """The diagnosis in which the model of `result` is the model; the run can be asked, reported and compared like any
    other.

    Args:
        pictured: the benchmark that the result is of, with its images.
        embedding: whose spaces failures are found in (it need not be the model that was scored), and whose text tower
            finds the words and reads the captions.
        second: another model's result on the same benchmark, which the run keeps beside the first where items are right
            or wrong.
        families: attribute -> its family, before those of the lexicon, such as {"shiny": "material"}.
        loss: "binding" takes out what images and captions attract by themselves, of pairs; see
            `core.systems.composition.failures.samples`.

    Raises:
        InvalidInput: a result is of another benchmark, too few items can be diagnosed, all margins are equal, no image
        can be read, or the second result shares no item with the first or has the name of the run's own model.
    """
    records = composition_records(
        pictured, result, embedding, families=families, loss=loss, words=settings.words, progress=progress
    )
    try:
        run = diagnose_records(
            records.samples,
            records.outcomes,
            records.embeddings,
            words=records.words,
            settings=settings,
            progress=progress,
        )
    except InvalidInput as error:
        raise InvalidInput(f"The errors of {result.name!r} cannot be diagnosed. {error}") from None
    names = [c.name for c in records.samples.metadata if c.kind == "category"]
    run = replace(
        run,
        insights=tuple(_spoken(insight, names) for insight in run.insights),
        notes=tuple(dict.fromkeys((*records.notes, *run.notes))),
        excluded=records.excluded,
        extras={**run.extras, COMPOSITION: _document(result, loss)},
    )
    if second is None or result.headline not in result.correct:
        return run
    return _with_second(run, caption_samples(pictured, second, loss), second)


def _with_second(run: Diagnosis, samples: CaptionSamples, result: CompositionResult) -> Diagnosis:
    """The run with another model's result, by its name, so that `core.checks.compare` sets the two side by side."""
    from core.checks.matched import rows_of_run
    from core.checks.paired_errors import MODEL
    from core.checks.second_model import with_outcomes

    if result.name == MODEL:
        raise InvalidInput(f"This run already has a result named {result.name!r}. Use another name.")
    rows, order = rows_of_run(run, samples.ids)
    if not len(order):
        raise InvalidInput(f"{result.name!r} shares no item with this run. Score the same items.")
    outcomes = samples.outcomes.keep(order)
    return with_outcomes(run, result.name, result.model, outcomes, rows[order], f"Scored on {result.title}.")


@dataclass(frozen=True, slots=True, eq=False)
class CompositionRecords:
    """What `core.discovery.method.diagnose_records` takes, and what was said and left out on the way to it."""

    samples: SampleSet
    outcomes: Outcomes
    embeddings: Embeddings
    words: Words | None
    notes: tuple[str, ...]
    excluded: tuple[tuple[str, str], ...]


def composition_records(
    pictured: LoadedBenchmark,
    result: CompositionResult,
    embedding: EmbeddingSettings = DEFAULT_EMBEDDING,
    *,
    families: Mapping[str, str] | None = None,
    loss: Loss = "margin",
    words: bool = True,
    progress: Progress = no_progress,
) -> CompositionRecords:
    """The first half of `diagnose_composition`, which takes the same arguments and raises the same errors: everything
    but the diagnosis itself."""
    from core.discovery.prepare import embed  # reads tables with pandas: not before it is needed

    scored = caption_samples(pictured, result, loss)
    audit = embed(_audit(pictured, scored), embedding, words=words, progress=progress)
    rows = _kept(scored, audit)
    samples, note = _with_classes(pictured, scored, rows, audit.samples, families)
    assert audit.embeddings is not None
    embeddings = _joined(audit.embeddings, [scored.captions[i] for i in rows.tolist()], embedding)
    notes = (*_said(result, loss), *scored.notes, *note, *audit.notes)
    return CompositionRecords(
        samples, audit.outcomes, embeddings, audit.words, notes, (*scored.excluded, *audit.excluded)
    )


def joint_vectors(pictures: F32, captions: F32, share: float = PICTURE_SHARE) -> F32:
    """(n, d + d2) unit rows [sqrt(share) * image ; sqrt(1 - share) * caption] of unit rows: cosines are the weighted
    mean of both cosines.

    Captions are centred first and brought back to unit length: sentences of one benchmark share most of their words.
    """
    from core.encoders.arithmetic import unit

    centered = unit(captions - captions.mean(0, dtype=np.float64).astype(np.float32))
    return unit(np.concatenate([np.sqrt(share) * pictures, np.sqrt(1 - share) * centered], axis=1).astype(np.float32))


def class_tag(pictured: LoadedBenchmark) -> str:
    """The tag whose values are the classes: "kind" where every item has it, else the one that the headline is averaged
    over, else ""."""
    items = pictured.benchmark.items
    return next(
        (tag for tag in (KIND, pictured.benchmark.average) if tag and all(item.tags.get(tag) for item in items)), ""
    )


def _audit(pictured: LoadedBenchmark, scored: CaptionSamples) -> DataSet:
    from core.data.samples import DataSet

    samples = SampleSet(
        scored.ids,
        items=ItemView(pictured.store, scored.pictures, shared=True),
        groups=scored.groups,
        group_name="items that share an image",
        name=pictured.benchmark.title,
    )
    return DataSet(samples, scored.outcomes, None, (), ())


def _kept(scored: CaptionSamples, audit: DataSet) -> I64:
    """Which of the samples have an image that could be read."""
    row_of = {name: row for row, name in enumerate(scored.ids)}
    return np.array([row_of[name] for name in audit.samples.ids], np.int64)


def _with_classes(
    pictured: LoadedBenchmark,
    scored: CaptionSamples,
    rows_kept: I64,
    samples: SampleSet,
    families: Mapping[str, str] | None,
) -> tuple[SampleSet, tuple[str, ...]]:
    """The samples with their kinds as classes and what captions and tags say as metadata, and a note on the classes."""
    rows = rows_kept.tolist()
    tag = class_tag(pictured)
    items = [scored.items[i] for i in rows]
    columns = tag_columns([item.tags for item in items], without=(tag,) if tag else ())
    taken = {c.name for c in (*columns, *samples.metadata)}
    caption_based = caption_columns([scored.captions[i] for i in rows], [scored.foils[i] for i in rows], families)
    columns = (
        *(replace(c, name=f"{c.name} by the caption") if c.name in taken else c for c in caption_based),
        *columns,
        *samples.metadata,
    )
    values = [item.tags[tag] for item in items] if tag else []
    if len(set(values)) < 2:
        return replace(samples, metadata=columns), ()
    names = tuple(dict.fromkeys(values))
    note = (
        f"The classes of this run are the values of {tag}. Class tests find a {tag} that is wrong as a whole; "
        "groups lie within one."
    )
    labels = np.array([names.index(value) for value in values], np.int64)
    return replace(samples, labels=labels, class_names=names, metadata=columns), (note,)


def _joined(pictures: Embeddings, captions: Sequence[str], embedding: EmbeddingSettings) -> Embeddings:
    from core.embeddings.texts import encode_texts
    from core.encoders import load_encoder

    tower = load_encoder(embedding.speaker)
    vectors = joint_vectors(pictures.vectors, encode_texts(tower, captions, embedding.cache))
    return Embeddings(
        vectors, pictures.encoder, f"{pictures.space} with captions of {tower.joint_space}, {PICTURE_SHARE:g}"
    )


def _said(result: CompositionResult, loss: Loss) -> tuple[str, ...]:
    if result.kind == "retrieval":
        what = (
            "A sample is a query with the matching image that the model ranks last. Its loss is 1 - average precision."
        )
    elif loss == "binding":
        what = (
            "A sample is an image with its true caption. Both samples of an item are right if the true matches "
            "together outscore the crossed ones."
        )
    else:
        asks = {"image": "its caption picks it", "text": "it picks its caption"}.get(
            result.headline if result.kind == "pairs" else "text", "both pick each other"
        )
        what = (
            f"A sample is an image with its true caption. It is right if {asks} with a higher score than any "
            "wrong answer."
        )
    return (f"The model of this run is {result.model} on {result.title} ({result.name}).", what)


def _document(result: CompositionResult, loss: Loss) -> dict[str, Any]:
    metric = next((m for m in result.metrics if m.key == result.headline), None)
    numbers: dict[str, Any] = {}
    if metric is not None:
        numbers = {**metric.value.to_dict(), "n": metric.n, "metric": metric.title, "chance": metric.chance}
    names = {"name": result.name, "model": result.model, "benchmark": result.benchmark, "title": result.title}
    return {**names, "kind": result.kind, "headline": result.headline, "loss": loss, **numbers}


def _spoken(insight: Insight, names: Sequence[str]) -> Insight:
    if insight.kind != "condition":
        return insight
    return replace(
        insight,
        text=spoken_condition(insight.text, names),
        proxies=tuple(spoken_condition(proxy, names) for proxy in insight.proxies),
    )
