"""How a run is made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

from core.errors import InvalidInput, quoted

FAMILIES = ("ridge", "kernel", "mlp")
"""Families of ensemble members; see `core.discovery.ensemble.LossRegressor`."""
CLASS_SHARE_OF_ALPHA = 0.2
"""Of alpha, so much is spent at class level and the rest inside, so that a run claims anything at all with at most
alpha."""
PREDICTABILITY_SHARE_OF_ALPHA = 0.1
"""Of alpha, so much is spent on saying that the loss is predictable at all; where it is, that share goes to the
clusters."""

MIN_CLASS_ROWS = 10
"""A class or a pair with fewer rows (or confusions) is not tested."""
MIN_CLASS_REST = 40
"""Nor is the mean loss of a class with fewer other rows: the worst losses of a heavy tail may all be missing there."""

PERMUTATIONS = 5000
FEWEST_PERMUTATIONS = 500
"""Usually drawn, and of many rows; rows times permutations are kept below PERMUTED_CELLS between the two."""
MANY_ROWS = 20_000
PERMUTED_CELLS = PERMUTATIONS * MANY_ROWS


def usual_permutations(n: int) -> int:
    """How many permutations `n` rows get."""
    return min(PERMUTATIONS, max(FEWEST_PERMUTATIONS, PERMUTED_CELLS // n))


def later_permutations(drawn: int, n: int) -> int:
    """How many are drawn at most for each cluster after the first, where `drawn` were for that."""
    return max(200, drawn // 4) if n > MANY_ROWS else drawn


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run is made; the same input, settings and seed give the same diagnosis."""

    alpha: float = 0.05
    """Chance of any false claim in a run where there is nothing to find."""
    seed: int = 0
    """Of folds, members, permutations and plants."""
    family: str = "ridge"
    """Of the ensemble that predicts the loss: "ridge", "kernel" or "mlp" (`LossRegressor`)."""
    n_members: int = 20
    """Of that ensemble."""
    n_permutations: int | None = None
    """None: 5,000, and of more than 20,000 rows fewer, down to 500; for each cluster after the first of so many rows a
    quarter, but at least 200. A reading after the first stops once it cannot pass any more."""
    max_clusters: int = 10
    """How many clusters are confirmed at most, 1 to 50."""
    within: tuple[str, ...] = ()
    """Classes, named before anything is looked at, inside which failures are searched beside all samples; all classes
    where none is named. What is not searched is not paid for."""
    map: bool = True
    """False leaves the map at its PCA view, for speed."""
    words: bool = True
    """False tests no phrases and answers no questions."""
    sensitivity: bool = True
    """False plants no failures, for speed: then nothing says what would have been found."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "within", _names(self.within))
        if not 0 < self.alpha < 0.5:
            raise InvalidInput(f"alpha must lie between 0 and 0.5: got {self.alpha}. The usual choice is 0.05.")
        if self.family not in FAMILIES:
            raise InvalidInput(f"family must be one of {', '.join(FAMILIES)}: got {self.family!r}.")
        drawn = FEWEST_PERMUTATIONS if self.n_permutations is None else self.n_permutations
        if drawn < 100:
            raise InvalidInput(
                f"n_permutations must be at least 100 (5,000 for a p that is reported): got {self.n_permutations}."
            )
        inside = self.alpha * (1 - CLASS_SHARE_OF_ALPHA - PREDICTABILITY_SHARE_OF_ALPHA)
        if inside * (drawn + 1) < 1:
            raise InvalidInput(
                f"With alpha {self.alpha:g} and {drawn:,} permutations no p could be small enough: "
                f"set n_permutations to at least {math.ceil(1 / inside):,}."
            )
        if (
            not 1 <= self.max_clusters <= 50 or self.n_members < 2 or not 0 <= self.seed < 2**32
        ):  # the range of scikit-learn's seeds
            raise InvalidInput(
                f"max_clusters must be 1 to 50, n_members at least 2, seed at least 0 and below {2**32:,}: "
                f"got {self.max_clusters}, {self.n_members}, {self.seed}."
            )

    @classmethod
    def of_run(cls, said: Mapping[str, Any], **changed: Any) -> Settings:
        """Those that a run keeps among others (`core.discovery.provenance.settings_of`), some of them changed."""
        own = {field.name: said[field.name] for field in fields(cls) if field.name in said}
        return cls(**{**own, **changed})

    def permutations(self, n: int) -> int:
        """How many permutations `n` rows get: the test is exact with any number, and more only tell small p
        from smaller ones."""
        return self.n_permutations or usual_permutations(n)

    @property
    def predictability_alpha(self) -> float:
        """What of alpha is kept for saying that the loss is predictable."""
        return self.alpha * PREDICTABILITY_SHARE_OF_ALPHA


def _names(within: object) -> tuple[str, ...]:
    """Names of classes as a tuple; a single name is no list of names."""
    if isinstance(within, list | tuple):
        names = cast("list[object] | tuple[object, ...]", within)
        if all(isinstance(name, str) for name in names):
            return tuple(map(str, names))
    raise InvalidInput(
        f'within must be a list of the names of classes: got {quoted(within)}. Write one class as ("cat",).'
    )


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """Which encoders see the samples and speak of them, and where their vectors are kept."""

    encoder: str = "embedded"
    """Failures are found in its vectors (`core.encoders.list_encoders`)."""
    naming: str | None = None
    """Another encoder that finds the words."""
    vocabulary: Path | None = None
    """File of the user's own phrases, in place of those that ship."""
    cache: Path | None = None
    """Folder where vectors are kept between runs."""
    group_copies: bool = True
    """Rows with equal or nearly equal vectors are kept together (`core.discovery.copies`); False takes them for
    different samples."""

    @property
    def speaker(self) -> str:
        """The encoder that finds the words."""
        return self.naming or self.encoder

    def spoken_for(self, modality: str) -> EmbeddingSettings:
        """The same for samples of that modality: "embedded" names another encoder for texts than for images."""
        from core.encoders import encoder_for  # brings numpy: not for --help

        naming = self.naming and encoder_for(modality, self.naming)
        return replace(self, encoder=encoder_for(modality, self.encoder), naming=naming)


DEFAULTS = Settings()
WITHOUT_MAP = Settings(map=False)
DEFAULT_EMBEDDING = EmbeddingSettings()


def share_of_alpha(settings: Mapping[str, Any], share: float) -> float:
    """The level of what a share of a finished run's alpha was kept for."""
    return float(settings.get("alpha", 0.05)) * share
