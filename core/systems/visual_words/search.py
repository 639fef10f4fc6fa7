"""Which visual words go with failure: their presence as members of the run's own family, tested with all the rest."""

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
    """The words of a run's images, and the run again with them in its family."""

    words: VisualWords
    rows: I64
    """(m,) row of the run of each of the m images that could be read."""
    diagnosis: Diagnosis
    """Of those images alone, as if the words had been among its conditions from the start."""
    findings: tuple[WordFinding, ...]
    """One a word, the strongest first."""
    names: tuple[WordName, ...] = ()
    """Clusters of the run that nothing else may name and that a confirmed word tells."""
    n_unnamed: int = 0
    """Clusters of the run that nothing else may name."""
    notes: tuple[str, ...] = ()
    places: tuple[SamePlace, ...] = ()
    """Confirmed words that are one thing."""

    @property
    def confirmed(self) -> tuple[WordFinding, ...]:
        """Those that go with failure more than chance allows."""
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
    """Fit visual words on the run's images and test them within its family, clusters and all.

    Args:
        images: the run's images row by row, if better ones are at hand than those that it kept.
        encoder: whose cells the words are made of.
        size: words of the dictionary.

    Raises:
        InvalidInput: the run has no images, or the encoder cannot be opened.
        Cancelled: from `progress`.
    """
    check_size(size)
    store = pictures_of(diagnosis) if images is None else images
    if len(store) != len(diagnosis.samples):
        raise InvalidInput(f"There are {len(store):,} images for {len(diagnosis.samples):,} samples. Bring one each.")
    loaded = load_encoder(encoder)
    tower = tower_of(loaded)
    pictures = read_image_tokens(store, loaded, tower, cache=cache, progress=progress)
    if len(pictures) < MIN_SAMPLES:
        raise InvalidInput(f"{len(pictures)} images could be read; at least {MIN_SAMPLES} are needed.")
    words = fit_words(pictures, tower, size=size, seed=seed, progress=progress)
    run = _of_rows(diagnosis, pictures.kept)
    present = words.present
    found = diagnose_records(
        run.samples,
        run.outcomes,
        run.embeddings,
        words=run.words,
        conditions=word_conditions(present),
        superclasses=getattr(diagnosis.model, "superclasses", None),
        settings=Settings.of_run(diagnosis.settings, map=False, sensitivity=False),
        progress=progress,
    )
    findings = word_findings(found, present)
    notes = (*pictures.notes, *found.notes)
    places = same_places(findings, words.maps)
    names = word_names(diagnosis, pictures.kept, found, findings, places)
    return VisualSearch(words, pictures.kept, found, findings, names, len(unnamed(diagnosis)), notes, places)


def _of_rows(diagnosis: Diagnosis, rows: I64) -> Diagnosis:
    """The run's samples whose images could be read: one that could not has no word, and lacks none."""
    if len(rows) == len(diagnosis.samples):
        return diagnosis
    return replace(
        diagnosis,
        samples=diagnosis.samples.keep(rows),
        outcomes=diagnosis.outcomes.keep(rows),
        embeddings=diagnosis.embeddings.keep(rows),
        words=None if diagnosis.words is None else diagnosis.words.keep(rows),
    )
