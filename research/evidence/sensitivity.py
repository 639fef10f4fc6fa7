"""Is a group found as often as a run says? The grid of a run, held against searches where a real group fails.

    python -m research.evidence.sensitivity assets/examples/{clothing,scenes,definitions}/run.errata --out FILE

The rows of finished runs with words, as independent rows, with losses of our own: a row fails at 0.1, and has a higher
loss where it fails. The grid of `core.records.Sensitivity` is read off such losses. Then groups that the grid did not
draw fail, each in a search of its own, at the rate at which the grid promises a share for its size (between sizes and
rates by straight lines). The kinds of groups, in classes of the typical size and in all samples:

    cell       a k-means cell of the embeddings without the means of classes
    value      the rows of a value in one of the user's columns, which the search does not get
    two        the rows of two such values
    word       the texts that hold a word; or the images most like a phrase, of those that the search does not get

Found is a group where a confirmed cluster is half its own, in its surest ten members or in all. Seeds 0-99 tune, those
from 1000 on are reported.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from core.discovery.clusters import FoundCluster, find_clusters
from core.discovery.design import make_design, measures
from core.discovery.proposals import propose
from core.discovery.ridge.features import Features
from core.discovery.search.family_test import FamilyTest
from core.discovery.search.scope_scores import N_TOP_MEMBERS
from core.discovery.sensitivity.power import measure_sensitivity
from core.discovery.settings import CLASS_SHARE_OF_ALPHA, Settings
from core.records import EVERYTHING, I64, Bool, Outcomes, PlantedPattern, Sensitivity, Words
from research.evidence.lines import append_line, clopper_pearson, keys_done, read_lines, show

BASE = 0.1
KINDS = ("cell", "value", "two", "word")
N_TRIED_CELLS = 4
"""k-means partitions from which a cell is taken."""
SETTINGS = Settings(n_permutations=499)
INSIDE = SETTINGS.alpha * (1 - CLASS_SHARE_OF_ALPHA)
"""The part of the level that is spent inside classes."""


class Rows:
    """The rows of a finished run, its measured columns and every other phrase; and groups of other kinds in them."""

    def __init__(self, path: Path) -> None:
        from core.store import load

        found = load(path)
        assert found.words is not None
        assert found.samples.items is not None
        self.name = path.parent.name
        samples = replace(found.samples, groups=None, group_name="")
        self.design = make_design(samples, None, np.random.default_rng(0))
        features = Features(found.embeddings.vectors, self.design.blocks)
        self.vectors = features.rows
        measured = [column for column in samples.metadata if column.measured]
        self.proposals = propose(self.design, features, measured, 0, _every_other(found.words, 0))
        self.values: list[list[Bool]] = []
        for column in found.samples.metadata:
            if not column.measured and column.kind == "category":
                texts = np.array([str(value) for value in column.values])
                self.values.append([texts == value for value in np.unique(texts)])
        self.with_word: list[Bool] = []
        self.likeness = None
        if found.samples.modality == "text":
            self.with_word = _of_words([found.samples.items.read(at).decode() for at in range(len(found.samples))])
        else:
            self.likeness = found.words.joint.vectors @ _every_other(found.words, 1).directions.T

    def groups(self, kind: str, scope: I64, sizes: tuple[int, int], rng: np.random.Generator) -> Iterator[I64]:
        """Groups of a kind within a scope, as they come: their rows."""
        if kind == "cell":
            from sklearn.cluster import KMeans  # type: ignore[import-untyped]

            for _ in range(N_TRIED_CELLS):
                size = np.exp(rng.uniform(*np.log(sizes)))
                count = max(2, round(len(scope) / size))
                means = KMeans(count, n_init=1, random_state=int(rng.integers(10**6)))  # type: ignore[arg-type]
                labels = means.fit_predict(self.vectors[scope])
                yield from (scope[labels == which] for which in range(count))
        elif kind == "word" and self.likeness is not None:
            for phrase in rng.permutation(self.likeness.shape[1]):
                size = round(float(np.exp(rng.uniform(*np.log(sizes)))))
                yield scope[np.argsort(-self.likeness[scope, phrase], kind="stable")[:size]]
        elif kind == "two":
            for one, other in combinations(self.values, 2):
                yield from (scope[(a & b)[scope]] for a in one for b in other)
        else:
            masks = self.with_word
            if kind == "value":
                masks = [mask for column in self.values for mask in column]
            yield from (scope[mask[scope]] for mask in masks)

    def searched(
        self, planted: I64, rate: float, rng: np.random.Generator
    ) -> tuple[list[FoundCluster], FamilyTest, Outcomes]:
        """The search on losses of our own, of which those of the planted rows fail at the rate."""
        rates = np.full(len(self.vectors), BASE)
        rates[planted] = rate
        errors = rng.random(len(rates)) < rates
        losses = rng.gamma(1.0, 0.3, len(errors)) + 1.5 * errors
        outcomes = Outcomes(losses, "loss", "loss", "given", errors=errors)
        measured = measures(outcomes, self.design)
        clusters, test = find_clusters(self.proposals, measured, alpha=INSIDE, settings=SETTINGS, rng=rng)
        return clusters, test, outcomes

    def grid(self, seed: int) -> Sensitivity:
        """What a run promises where nothing is planted."""
        _, test, outcomes = self.searched(np.zeros(0, np.int64), BASE, np.random.default_rng([seed, 71]))
        found = measure_sensitivity(
            self.proposals, test, measures(outcomes, self.design), outcomes, alpha=INSIDE,
            predictability_alpha=SETTINGS.predictability_alpha, classes=None, seed=seed,
        )  # fmt: skip
        assert found is not None
        return found


def _every_other(words: Words, first: int) -> Words:
    """Half of the phrases."""
    at = slice(first, None, 2)
    strengths = None if words.strengths is None else words.strengths[at]
    support = None if words.support is None else words.support[at]
    return replace(
        words, phrases=words.phrases[at], families=words.families[at], directions=words.directions[at],
        strengths=strengths, support=support, competence=None, titles=None,
    )  # fmt: skip


def _of_words(texts: Sequence[str]) -> list[Bool]:
    """(n,) which texts hold it, of each word of at least four letters."""
    found = [set(re.findall(r"[a-z]{4,}", text.lower())) for text in texts]
    words = sorted(set[str]().union(*found))
    return [np.array([word in of_text for of_text in found]) for word in words]


def rate_for(patterns: Sequence[PlantedPattern], size: int, promised: float) -> float | None:
    """The error rate at which a group of the size is found in the share of plants; None where none is enough."""
    sizes = sorted({pattern.size for pattern in patterns})
    strengths = sorted({pattern.strength for pattern in patterns})
    found = {(pattern.size, pattern.strength): pattern.found.value for pattern in patterns}
    shares = [
        float(np.interp(np.log(size), np.log(sizes), [found[s, strength] for s in sizes])) for strength in strengths
    ]
    shares = np.maximum.accumulate([0.0, *shares])
    if shares[-1] < promised:
        return None
    at = int(np.argmax(shares >= promised))
    rates = [BASE, *strengths]
    part = (promised - shares[at - 1]) / (shares[at] - shares[at - 1])
    return float(rates[at - 1] + part * (rates[at] - rates[at - 1]))


def is_found(clusters: Sequence[FoundCluster], planted: I64) -> bool:
    """Whether a confirmed cluster is half the group's own."""
    for cluster in clusters:
        surest = np.argsort(-cluster.membership, kind="stable")[:N_TOP_MEMBERS]
        shares = [np.isin(rows, planted).mean() for rows in (surest, np.flatnonzero(cluster.members))]
        if cluster.confirmed and max(shares) >= 0.5:
            return True
    return False


def measure(rows: Rows, seed: int, levels: Sequence[float]) -> Iterator[dict[str, Any]]:
    """One line for each kind of group and promised share, in a class and in all samples."""
    rng = np.random.default_rng([seed, 72])
    grid = rows.grid(seed)
    scopes = {scope.name: scope.rows for scope in rows.design.scopes}
    for scope in ("class", EVERYTHING):
        patterns = [pattern for pattern in grid.patterns if pattern.scope == scope]
        names = grid.classes if scope == "class" else (EVERYTHING,)
        least = min((pattern.size for pattern in patterns), default=0)
        most = max((pattern.size for pattern in patterns), default=-1)
        for kind in KINDS if names else ():
            place = np.sort(scopes[names[rng.integers(len(names))]])
            groups = [group for group in rows.groups(kind, place, (least, most), rng) if least <= len(group) <= most]
            for promised in levels:
                rates = [rate_for(patterns, len(group), promised) for group in groups]
                able = [(group, rate) for group, rate in zip(groups, rates) if rate is not None]
                if able:
                    group, rate = able[rng.integers(len(able))]
                    found = is_found(rows.searched(group, rate, rng)[0], group)
                    yield {"kind": kind, "scope": scope, "size": len(group), "rate": rate, "promised": promised,
                           "found": found}  # fmt: skip


def summary_table(lines: list[dict[str, Any]]) -> str:
    rows = ["| rows | groups | promised | n | found |", "|---|---|---|---|---|"]
    for world in (*sorted({line["world"] for line in lines}), "all"):
        for kind in (*KINDS, "all"):
            for promised in sorted({line["promised"] for line in lines}):
                of = [line for line in lines if world in ("all", line["world"]) and line["promised"] == promised]
                hits = [line["found"] for line in of if kind in ("all", line["kind"])]
                if hits:
                    share = show(clopper_pearson(sum(hits), len(hits)))
                    rows.append(f"| {world} | {kind} | {promised} | {len(hits)} | {share} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="*", help="finished runs with words; none shows what was measured")
    parser.add_argument("--seeds", type=int, nargs=2, default=(1000, 1006), metavar=("FIRST", "END"))
    parser.add_argument("--promised", type=float, nargs="+", default=[0.3, 0.5, 0.8])
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    done = keys_done(read_lines(given.out), ("world", "seed"))
    with threadpool_limits(1):
        for path in given.runs:
            rows = Rows(path)
            for seed in range(*given.seeds):
                if (rows.name, seed) not in done:
                    for line in measure(rows, seed, given.promised):
                        append_line(given.out, {"world": rows.name, "seed": seed, **line})
    print(summary_table(read_lines(given.out)))


if __name__ == "__main__":
    main()
