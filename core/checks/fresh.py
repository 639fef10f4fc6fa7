"""Fresh samples for the frozen findings: a new table, or a part of the same data that was held back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.checks.predict import predict
from core.discovery.settings import EmbeddingSettings
from core.errors import InvalidInput
from core.records import F32, I64, Diagnosis, Progress, no_progress

if TYPE_CHECKING:
    import pandas as pd

    from core.data.map_style import PicturesLike
    from core.data.samples import DataSet
    from core.data.tables.roles import Roles


EARLIER = "The findings were tried before,"


def predict_fresh(
    diagnosis: Diagnosis,
    table: str | Path | pd.DataFrame | None,
    *,
    images: PicturesLike | None = None,
    embeddings: str | Path | F32 | None = None,
    roles: Roles | None = None,
    selection: I64 | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Diagnosis:
    """The diagnosis with its `prediction` on fresh samples; they are read as `diagnose` reads them.

    Args:
        diagnosis: what `diagnose` or `load` gave.
        table: of the fresh samples, a path or a DataFrame; None if a folder or archive of images holds one.
        images: their images, as `diagnose` takes them.
        embeddings: their vectors, where the run was made on given ones.
        roles: which column plays which part; usual names are recognized.
        selection: rows of the run that were picked by eye, to be predicted beside the findings.
        cache: where embeddings are kept between runs.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: the samples cannot be used; the message says what to do.
    """
    from core.data.samples import read_data_set
    from core.data.tables.roles import Roles as Given
    from core.discovery.prepare import embed

    audit = read_data_set(table, images=images, embeddings=embeddings, roles=roles or Given(), progress=progress)
    _check_comparable(diagnosis, audit)
    words = diagnosis.words
    finding = (
        words.encoder
        if diagnosis.embeddings.encoder == "given" and words is not None
        else diagnosis.embeddings.encoder.rsplit(" ", 1)[0]
    )
    embedding = EmbeddingSettings(finding, None if words is None else words.encoder, cache=cache)
    audit = embed(audit, embedding, words=words is not None, progress=progress)
    name = Path(table).name if isinstance(table, str | Path) else audit.samples.name
    as_is = roles is not None and roles.as_is
    found = predict(diagnosis, audit, selection=selection, source=name, as_is=as_is)
    return replace(diagnosis, prediction=replace(found, notes=(*found.notes, *_earlier(diagnosis))))


def _check_comparable(diagnosis: Diagnosis, audit: DataSet) -> None:
    given = diagnosis.embeddings.encoder == "given"
    if given and audit.embeddings is None:
        raise InvalidInput(
            "The diagnosis was made on embeddings that were given. "
            "Give those of the fresh samples too, with --embeddings."
        )
    what = diagnosis.samples.modality
    if not given and (audit.samples.items is None or audit.samples.modality != what):
        raise InvalidInput(
            f"The diagnosis was made on {what}s ({diagnosis.embeddings.encoder}). "
            f"Give the fresh samples' {what}s, with --{'texts' if what == 'text' else 'images'}."
        )
    if ", crop" in diagnosis.embeddings.space:
        raise InvalidInput(
            "The run's samples are objects in images, and plain images cannot be compared with them. "
            "Use diagnose --hold-back 0.33."
        )


def _earlier(diagnosis: Diagnosis) -> tuple[str, ...]:
    """That this was tried before, so that nobody tries until it fits without its being seen."""
    before = diagnosis.prediction
    if before is None:
        return ()
    kept = tuple(note for note in before.notes if note.startswith(EARLIER))
    return (*kept, f"{EARLIER} on {before.source} ({before.n_fresh:,} samples).")


def hold_back(audit: DataSet, share: float, seed: int = 0) -> tuple[DataSet, DataSet]:
    """The audit in two: what is diagnosed, and a `share` that is held back; whole groups, spread over the classes.

    Raises:
        InvalidInput: share is not between 0.05 and 0.5, or there are too few groups.
    """
    if not 0.05 <= share <= 0.5:
        raise InvalidInput(f"The share to hold back must lie between 0.05 and 0.5: got {share:g}. A third is usual.")
    n = len(audit.samples)
    rng = np.random.default_rng([seed, 7])
    blocks = audit.samples.labels if audit.samples.labels is not None else np.zeros(n, np.int64)
    groups = np.arange(n) if audit.samples.groups is None else np.unique(audit.samples.groups, return_inverse=True)[1]
    first = np.unique(groups, return_index=True)[1]
    if len(first) < 10:
        raise InvalidInput(f"Holding back needs at least 10 groups: got {len(first)}. Bring more, or no group column.")
    order = np.lexsort((rng.random(len(first)), blocks[first]))  # groups by class, in random order inside each
    steps = np.floor(np.arange(len(first) + 1) * share + rng.random())
    held_groups = np.zeros(len(first), dtype=bool)
    held_groups[order] = np.diff(steps) > 0  # evenly along the line, so evenly over the classes
    held = held_groups[groups]
    return _part(audit, np.flatnonzero(~held)), _part(audit, np.flatnonzero(held))


def _part(audit: DataSet, rows: I64) -> DataSet:
    return replace(
        audit,
        samples=audit.samples.keep(rows),
        outcomes=audit.outcomes.keep(rows),
        embeddings=None if audit.embeddings is None else audit.embeddings.keep(rows),
        words=None if audit.words is None else audit.words.keep(rows),
    )
