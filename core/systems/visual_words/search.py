"""Which visual words go with failure: their presence as conditions in the run's family of tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from core.discovery.method import diagnose_records
from core.discovery.settings import Settings
from core.encoders import load_encoder
from core.encoders.tokens import tower_of
from core.errors import InvalidInput
from core.limits import MIN_SAMPLES
from core.records import I64, Diagnosis, ItemStore, Progress, no_progress
from core.systems.common.run_pictures import pictures_of
from core.systems.common.tokens import read_image_tokens
from core.systems.visual_words.findings import WordFinding, word_conditions, word_findings
from core.systems.visual_words.fit import WORDS, VisualWords, check_size, fit_words
from core.systems.visual_words.names import WordName, unnamed, word_names
from core.systems.visual_words.places import SamePlace, same_places


@dataclass(frozen=True, slots=True, eq=False)
class VisualSearch:
    """The words of a run's images, and the run repeated with them in its family."""

    words: VisualWords
    rows: I64
    """(m,) row of the run of each of the m readable images."""
    diagnosis: Diagnosis
    """Of those images, with the words among its conditions from the start."""
    findings: tuple[WordFinding, ...]
    """One per word, the strongest first."""
    names: tuple[WordName, ...] = ()
    """Clusters of the run without a likely title that a confirmed word names."""
    n_unnamed: int = 0
    """Number of clusters of the run without a likely title."""
    notes: tuple[str, ...] = ()
    places: tuple[SamePlace, ...] = ()
    """Sets of confirmed words that mark the same region."""

    @property
    def confirmed(self) -> tuple[WordFinding, ...]:
        """The words that go with failure more than chance allows."""
        return tuple(finding for finding in self.findings if finding.confirmed)


def search_words(
    diagnosis: Diagnosis,
    *,
    images: ItemStore | None = None,
    encoder: str = "embedded",
    size: int = WORDS,
    seed: int = 0,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> VisualSearch:
    """Fit visual words on the run's images and test them in one family with its clusters, conditions and phrases.

    Args:
        images: the run's images row by row, if you have better ones than the run's small copies.
        encoder: encoder of the cells.
        size: number of words.

    Raises:
        InvalidInput: the run has no images, or the encoder cannot be opened.
        Cancelled: from `progress`.
    """
    check_size(size)
    store = pictures_of(diagnosis) if images is None else images
    if len(store) != len(diagnosis.samples):
        raise InvalidInput(f"{len(store):,} images for {len(diagnosis.samples):,} samples. Add one image per sample.")
    loaded = load_encoder(encoder)
    tower = tower_of(loaded)
    pictures = read_image_tokens(store, loaded, tower, cache=cache, progress=progress)
    if len(pictures) < MIN_SAMPLES:
        raise InvalidInput(f"Only {len(pictures)} images are readable, and {MIN_SAMPLES} are needed. Add images.")
    words = fit_words(pictures, tower, size=size, seed=seed, progress=progress)
    run = _keep_rows(diagnosis, pictures.kept_rows)
    present = words.present
    searched = diagnose_records(
        run.samples,
        run.outcomes,
        run.embeddings,
        words=run.words,
        conditions=word_conditions(present),
        superclasses=getattr(diagnosis.model, "superclasses", None),
        settings=Settings.of_run(diagnosis.settings, map=False, sensitivity=False),
        progress=progress,
    )
    findings = word_findings(searched, present)
    notes = (*pictures.notes, *searched.notes)
    places = same_places(findings, words.maps)
    names = word_names(diagnosis, pictures.kept_rows, searched, findings, places)
    return VisualSearch(words, pictures.kept_rows, searched, findings, names, len(unnamed(diagnosis)), notes, places)


def _keep_rows(diagnosis: Diagnosis, rows: I64) -> Diagnosis:
    """The run's samples with a readable image: of the others, no word is known to be present or absent."""
    if len(rows) == len(diagnosis.samples):
        return diagnosis
    return replace(
        diagnosis,
        samples=diagnosis.samples.keep(rows),
        outcomes=diagnosis.outcomes.keep(rows),
        embeddings=diagnosis.embeddings.keep(rows),
        words=None if diagnosis.words is None else diagnosis.words.keep(rows),
    )
