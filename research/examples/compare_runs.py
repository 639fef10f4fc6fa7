"""What one run of an example says that another does not: `python -m research.examples.make_runs --check`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.records import Diagnosis
from core.systems.neuralizer.reference.wording import KEY

HALVED = 2e-3
"""By so much a number of a vector may move: shipped vectors are kept in half precision."""
OFF_P = 0.005
OFF_LOSS = 0.02


def differences(again: Diagnosis, shipped: Diagnosis, off_p: float = OFF_P, off_loss: float = OFF_LOSS) -> list[str]:
    """Of what is claimed, a line for each difference; none where both say the same. The map and the planted failures
    change no claim and are not looked at.

    Args:
        off_p: by so much a p may differ. off_loss: by so much an excess of loss.
    """
    mine = again.embeddings.vectors
    theirs = shipped.embeddings.vectors
    if again.fingerprint != shipped.fingerprint and not (
        mine.shape == theirs.shape and np.allclose(mine, theirs, atol=HALVED)
    ):
        return ["the vectors differ"]
    sizes = [[(c.scope, c.size) for c in run.clusters] for run in (again, shipped)]
    if sizes[0] != sizes[1]:
        return [f"clusters {sizes[0]}, shipped {sizes[1]}"]
    found: list[str] = []
    for one, other in zip(again.clusters, shipped.clusters, strict=True):
        where = f"the cluster of {other.size} in {other.scope}:"
        alike = float(((one.membership >= 0.5) == (other.membership >= 0.5)).mean())
        if alike <= 0.99:
            found.append(f"{where} {alike:.1%} of the rows lie on the same side")
        if one.p is None or other.p is None or abs(one.p - other.p) > off_p:
            found.append(f"{where} p {one.p}, shipped {other.p}")
        if abs(one.excess_loss.value - other.excess_loss.value) > off_loss:
            found.append(f"{where} excess {one.excess_loss.value:.3f}, shipped {other.excess_loss.value:.3f}")
        if one.name != other.name:
            found.append(f"{where} called {one.name!r}, shipped {other.name!r}")
    said = [sorted((i.scope, i.text) for i in run.insights if i.confirmed) for run in (again, shipped)]
    if said[0] != said[1]:
        found.append(f"confirmed {said[0]}, shipped {said[1]}")
    kept = again.extras.get(KEY)
    known = shipped.extras.get(KEY)
    if kept and known and _worth(kept) != _worth(known):
        found.append(f"what reference masks are worth: {_worth(kept)}, shipped {_worth(known)}")
    return found


def _worth(document: Mapping[str, Any]) -> tuple[bool, float]:
    """(whether a stand-in loss is offered, the rank correlation of the network's)."""
    return document["offered"], round(document["correlation"]["network"]["value"], 2)
