"""Settings of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

from core.annotations import check_made
from core.errors import InvalidInput, quoted
from core.options import check_seed

FAMILIES = ("ridge", "kernel", "mlp")
"""Families of ensemble members; see `core.discovery.ensemble.LossRegressor`."""
CLASS_SHARE_OF_ALPHA = 0.2
"""Share of alpha for whole classes and confusions; the rest is for findings inside classes. By Bonferroni's inequality
a run with nothing to find claims anything with probability at most alpha. The split is a convention."""
PREDICTABILITY_SHARE_OF_ALPHA = 0.1
"""Share of alpha for the claim that the loss is predictable. Where that passes, its share goes to the clusters (Bretz
et al. 2009, Stat. Med. 28(4)). The split is a convention."""

MIN_CLASS_ROWS = 10
"""A class or pair with fewer rows (or confusions) is not tested. A convention; the least size of a candidate too."""
MIN_CLASS_REST = 40
"""The mean loss of a class with fewer other rows is not tested: the worst losses of a heavy tail may all be missing
among them (12 rows of a wide lognormal beside a narrow class: claimed in 15% of runs at 0.05,
docs/decisions/classes.md)."""

PERMUTATIONS = 5000
"""Usual number: with p = (b + 1) / (B + 1) the threshold of alpha 0.05 then rests on some 250 permutations."""
MIN_USUAL_PERMUTATIONS = 500
"""Usual number for many rows. A permutation test is exact with any number (Phipson & Smyth 2010, Stat. Appl. Genet.
Mol. Biol. 9(1)): fewer make p coarse and cost a little power, but add no false claims (docs/decisions/many-rows.md)."""
MANY_ROWS = 20_000
"""Above it the number of permutations falls, so that rows times permutations stay at MAX_PERMUTED_CELLS."""
MAX_PERMUTED_CELLS = PERMUTATIONS * MANY_ROWS


def usual_permutations(n: int) -> int:
    """Permutations drawn for `n` rows by default."""
    return min(PERMUTATIONS, max(MIN_USUAL_PERMUTATIONS, MAX_PERMUTED_CELLS // n))


def later_permutations(drawn: int, n: int) -> int:
    """Permutations drawn at most for each cluster after the first, which had `drawn`.

    Of more than MANY_ROWS rows a quarter, at least 200: each confirmed cluster costs one more pass over the family.
    """
    if n <= MANY_ROWS:
        return drawn
    return max(200, drawn // 4)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a run; the same input, settings and seed give the same diagnosis."""

    alpha: float = 0.05
    """Probability of any false claim in a run with nothing to find."""
    seed: int = 0
    """Seed of folds, members, permutations and plants."""
    family: str = "ridge"
    """Family of the ensemble that predicts the loss: "ridge", "kernel" or "mlp" (`LossRegressor`)."""
    n_members: int = 20
    """Members of that ensemble."""
    n_permutations: int | None = None
    """None: 5,000, and above 20,000 rows fewer, down to 500; there each cluster after the first gets a quarter, at
    least 200. A later test stops once it can no longer pass."""
    max_clusters: int = 10
    """Clusters confirmed at most, 1 to 50."""
    within: tuple[str, ...] = ()
    """Classes to search inside, beside all samples, chosen before seeing results; empty searches every class. What is
    not searched is not paid for."""
    map: bool = True
    """False draws the map with PCA, which is faster."""
    words: bool = True
    """False tests no phrases and answers no questions."""
    sensitivity: bool = True
    """False plants no failures, which is faster; the result then has no detection limits."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "within", _names(self.within))
        check_made(self)
        if not 0 < self.alpha < 0.5:
            raise InvalidInput(f"alpha must lie between 0 and 0.5: got {self.alpha}. Use 0.05, the usual choice.")
        if self.family not in FAMILIES:
            raise InvalidInput(f"family must be one of {', '.join(FAMILIES)}: got {self.family!r}.")
        drawn = MIN_USUAL_PERMUTATIONS if self.n_permutations is None else self.n_permutations
        if drawn < 100:
            raise InvalidInput(
                f"n_permutations must be at least 100: got {drawn}. Use 5,000 or more for a p-value that you report."
            )
        inside = self.alpha * (1 - CLASS_SHARE_OF_ALPHA - PREDICTABILITY_SHARE_OF_ALPHA)
        if inside * (drawn + 1) < 1:
            raise InvalidInput(
                f"With {drawn:,} permutations no p-value can reach alpha {self.alpha:g}. "
                f"Set n_permutations to at least {math.ceil(1 / inside):,}."
            )
        if not 1 <= self.max_clusters <= 50:
            raise InvalidInput(f"max_clusters must be 1 to 50: got {self.max_clusters}.")
        if self.n_members < 2:
            raise InvalidInput(f"n_members must be at least 2: got {self.n_members}.")
        check_seed(self.seed)

    @classmethod
    def of_run(cls, saved: Mapping[str, Any], **changed: Any) -> Settings:
        """Settings of a saved run (`core.discovery.provenance.settings_of`), with changes."""
        known = {field.name: saved[field.name] for field in fields(cls) if field.name in saved}
        return cls(**{**known, **changed})

    def permutations(self, n: int) -> int:
        """Permutations drawn for `n` rows. The test is exact with any number; more only resolve smaller p."""
        return self.n_permutations or usual_permutations(n)

    @property
    def predictability_alpha(self) -> float:
        """The part of alpha reserved for the claim that the loss is predictable."""
        return self.alpha * PREDICTABILITY_SHARE_OF_ALPHA


def _names(within: object) -> tuple[str, ...]:
    """Names of classes as a tuple; a single string is refused."""
    if isinstance(within, list | tuple):
        names = cast("list[object] | tuple[object, ...]", within)
        if all(isinstance(name, str) for name in names):
            return tuple(map(str, names))
    raise InvalidInput(f'within must be a list of class names: got {quoted(within)}. Write one class as ("cat",).')


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """Encoders of the samples and of the words, and the cache of their vectors."""

    encoder: str = "embedded"
    """Encoder whose vectors are searched (`core.encoders.list_encoders`)."""
    naming: str | None = None
    """Encoder for words; None uses `encoder`."""
    vocabulary: Path | None = None
    """File of the user's phrases, which replace the shipped ones."""
    cache: Path | None = None
    """Folder where vectors are kept between runs."""
    group_copies: bool = True
    """True keeps near-duplicates together (`core.discovery.copies`); False treats them as independent samples."""

    @property
    def speaker(self) -> str:
        """Encoder for words."""
        return self.naming or self.encoder

    def spoken_for(self, modality: str) -> EmbeddingSettings:
        """The settings for samples of a modality: "embedded" means one encoder for images and another for texts."""
        from core.encoders import encoder_for  # brings numpy: not for --help

        naming = self.naming and encoder_for(modality, self.naming)
        return replace(self, encoder=encoder_for(modality, self.encoder), naming=naming)


DEFAULTS = Settings()
WITHOUT_MAP = Settings(map=False)
DEFAULT_EMBEDDING = EmbeddingSettings()


def share_of_alpha(settings: Mapping[str, Any], share: float) -> float:
    """The level of a share of a finished run's alpha."""
    return float(settings.get("alpha", 0.05)) * share
