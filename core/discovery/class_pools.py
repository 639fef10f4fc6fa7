"""Which classes the loss model and the search take one by one, and when small ones share a pool."""

from __future__ import annotations

import numpy as np

from core.records import SampleSet

MIN_SEPARATE_ROWS = 20
"""Smaller classes are pooled: they share a head, and none is searched alone. A convention: about as few rows as a head
can be fitted to and a permutation can shuffle."""
MAX_SINGLE_CLASSES = 60
"""With more classes than this the search runs inside superclasses instead of classes: a scope and a head for each of a
thousand classes cost too much, and each class is too small. The number is a convention."""


def fits_classes(samples: SampleSet) -> bool:
    """Whether the loss model fits a mean for each class. Without labels, and where all classes are small and share one
    pool, it fits one mean for all."""
    if samples.labels is None:
        return False
    counts = np.bincount(samples.labels)
    n_classes = int(np.count_nonzero(counts))
    if n_classes < 2:
        return False
    return int(counts.max()) >= MIN_SEPARATE_ROWS or needs_superclasses(samples)


def needs_superclasses(samples: SampleSet) -> bool:
    """True if there are more classes with rows than are searched one by one."""
    return samples.labels is not None and len(np.unique(samples.labels)) > MAX_SINGLE_CLASSES
