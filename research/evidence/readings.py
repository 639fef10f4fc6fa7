"""What the ensemble reads in words alone: does it find the planted phrase, and what is it good for beside the test?

    python -m research.evidence.readings --seeds 1000 1040 --out readings.jsonl
    python -m research.evidence.readings --null --seeds 1000 1200 --out readings.jsonl
    python -m research.evidence.readings --show readings.jsonl

Planted failures with a vocabulary of 150 phrases, one of them true. *Stands out*: is the planted phrase beyond what
shuffled losses give anywhere in the grid, and is a cell out of which the truth is nil or of the other sign? *Witness*:
of the ten phrases with the strongest statistic in each scope, true ones (5 points more errors) against false ones: the
AUROC within run and scope of the statistic, of the reading, of the out-of-fold predicted loss, and of the last two
where the statistic is taken out of them. *Size*: the reading brought to the level of images by held-out folds, with an
interval of members, slope and residual, against the expected change of loss of the fifth most like the phrase in fresh
rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, get_args

import numpy as np
from scipy import stats
from threadpoolctl import threadpool_limits

from core.checks.readings import read_phrases
from core.discovery.design import Design, design_of, measures
from core.discovery.ensemble import LossRegressor
from core.discovery.proposals import phrase_sizes
from core.discovery.ridge.features import Features
from core.discovery.ridge.heads import factor_heads, solve_heads, split_by_block
from core.discovery.search.family import centre
from core.discovery.settings import Settings
from core.language.directions import phrase_scores
from core.records import F32, F64, I64, Bool, Words
from core.statistics.permutation import difference_of
from research.arrays import diagnose_arrays
from research.evidence.lines import append_line, clopper_pearson, keys_done, mean_over, read_lines, seeds_parser, show
from research.evidence.words import chance_of_error
from research.scoreboard.planted_embeddings import Planted, PlantedKind, plant_embeddings, plant_words

TRUE = 0.05
NIL = 0.02
"""Differences of the chance of an error from which a phrase is true, and below which it is nil."""
CANDIDATES = 10
FIFTH = 0.2
PHRASES = 150


def measure(kind: PlantedKind, seed: int, n: int = 1200) -> dict[str, Any]:
    audit, fresh = plant_embeddings(kind, seed=seed, n=n, dimensions=128)
    words = plant_words(audit, n_phrases=PHRASES)
    found = diagnose_arrays(
        audit.embeddings.vectors,
        audit.losses,
        labels=audit.labels,
        errors=audit.errors,
        words=words,
        settings=Settings(seed=seed, map=False, n_permutations=119, n_members=4),
    )
    design = design_of(found)
    chance = chance_of_error(audit)
    tested = measures(found.outcomes, design).standardised_residuals
    scores = phrase_scores(words.joint.vectors, words.directions, design.centring_stratum)
    readings = read_phrases(words, tested[:, -1], design, seed=seed)
    truth = np.array([_gaps(scores[s.rows], chance[s.rows], 0.1) for s in design.scopes])
    out = np.abs(readings.values) >= readings.threshold
    right = out & (np.sign(readings.values) == np.sign(truth)) & (np.abs(truth) >= NIL)
    own = [s for s, scope in enumerate(design.scopes) if scope.block is not None and np.abs(truth[s, 0]) >= NIL]
    return {
        "kind": kind,
        "seed": seed,
        "found": any(bool(right[s, 0]) for s in own),
        "out": int(out.sum()),
        "false": int((out & ~right).sum()),
        "candidates": _candidates(scores, tested, design, readings.values, found.estimate.predicted, chance),
        "sizes": _sizes(audit, fresh, words, design, seed) if seed % 2 == 0 else [],
    }


def _tops(scores: F32, share: float) -> Bool:
    """(m, P) the rows that look most like each phrase."""
    count = round(share * len(scores))
    inside = np.zeros(scores.shape, bool)
    np.put_along_axis(inside, np.argsort(-scores, axis=0, kind="stable")[:count], True, axis=0)
    return inside


def _gaps(scores: F32, values: F64, share: float) -> F64:
    """(P,) mean over those rows minus mean over the rest."""
    inside = _tops(scores, share)
    count = inside.sum(0)
    total = inside.T @ values
    return total / count - (values.sum() - total) / (len(values) - count)


def _candidates(
    scores: F32, tested: F64, design: Design, readings: F64, predicted: F64, chance: F64
) -> list[list[float]]:
    """(scope, statistic, reading, out-of-fold excess, truth) of the strongest phrases of each scope."""
    made: list[list[float]] = []
    for number, scope in enumerate(design.scopes):
        own: list[list[float]] = []
        for phrase in range(PHRASES):
            ranked = scope.rows[np.argsort(-scores[scope.rows, phrase], kind="stable")]
            statistic, size = _strongest(tested[ranked], scores.size, len(design.scopes))
            inside = ranked[:size]
            rest = ranked[size:]
            gaps = [float(v[inside].mean() - v[rest].mean()) for v in (predicted, chance)]
            own.append([number, statistic, float(readings[number, phrase]), *gaps])
        made += sorted(own, key=lambda one: -one[1])[:CANDIDATES]
    return made


def _strongest(ranked: F64, cells: int, n_scopes: int) -> tuple[float, int]:
    """Of the depths at which a run tests a phrase, the strongest excess of (m, k) measures, best match first, and how
    many rows that is."""
    found: list[tuple[float, int]] = []
    for _, size in phrase_sizes(len(ranked), cells, n_scopes):
        both = (difference_of(column[:size], column[size:]) for column in ranked.T)
        found.append((max(gap / error for gap, error in both), size))
    return max(found)


def _sizes(audit: Planted, fresh: Planted, words: Words, design: Design, seed: int) -> list[list[float]]:
    """(reading at the level of images, half its 95% interval, truth) of each attribute and as many other phrases."""
    losses = centre(audit.losses, design.centring_stratum)
    model = LossRegressor(n_members=20, random_state=seed)
    model.fit(words.joint.vectors, audit.losses, design.blocks)
    features = model.features_
    folds = np.arange(len(losses)) % 5
    along = features.along(words.directions)
    scores = phrase_scores(words.joint.vectors, words.directions, design.centring_stratum)
    read, seen, noise = _held_out(features, along, scores, losses, design, folds, model)
    slope = _slope(read, seen)
    slopes = np.array([_slope(a, b) for a, b in zip(read, seen)])
    residual = max(0.0, float(((seen - slope * read) ** 2 - noise).mean()))
    wrong = fresh.losses[fresh.errors].mean()
    right = fresh.losses[~fresh.errors].mean()
    chance = chance_of_error(fresh)
    expected = chance * wrong + (1 - chance) * right
    new = fresh.embeddings.vectors
    matching = phrase_scores(new, words.directions, fresh.labels)
    made: list[list[float]] = []
    for label in (0, 1):
        members = model.members_["heads"][:, label] @ along.T  # (members, P)
        rows = fresh.labels == label
        mean = members.mean(0)
        reach = 1.96 * np.sqrt(
            (slope * members.std(0)) ** 2 + (slopes.std(ddof=1) / np.sqrt(len(slopes)) * mean) ** 2 + residual
        )
        truth = _gaps(matching[rows], expected[rows], FIFTH)
        made += [[float(slope * mean[p]), float(reach[p]), float(truth[p])] for p in range(32)]
    return made


def _held_out(
    features: Features, along: F32, scores: F32, losses: F64, design: Design, folds: I64, model: LossRegressor
) -> tuple[F64, F64, F64]:
    """(folds, classes x P) what heads without a fold read, what the fold's matching rows show, and its variance."""
    parts: list[list[F64]] = []
    for fold in range(5):
        train = split_by_block(np.flatnonzero(folds != fold), design.blocks, int(design.blocks.max()) + 1)
        factors = factor_heads(features.rows, train, model.penalty_, model.share)
        column = losses[:, None].astype(np.float32)
        heads = solve_heads(features.rows, train, factors, column, model.penalty_, model.share)
        for block, head in enumerate(heads):
            rows = np.flatnonzero((folds == fold) & (design.blocks == block))
            count = round(FIFTH * len(rows))
            noise = np.full(len(along), losses[rows].var() * (1 / count + 1 / (len(rows) - count)))
            parts.append([(along @ head[:, 0]).astype(np.float64), _gaps(scores[rows], losses[rows], FIFTH), noise])
    read, seen, noise = (np.stack([p[i] for p in parts]).reshape(5, -1) for i in range(3))
    return read, seen, noise


def _slope(read: F64, seen: F64) -> float:
    return max(0.0, float((read * seen).sum() / max(float((read**2).sum()), 1e-12)))


def _within(groups: Sequence[F64], value: Callable[[F64], F64]) -> list[tuple[float, int]]:
    """(AUROC of the true candidates among a scope's, pairs) wherever there are both."""
    made: list[tuple[float, int]] = []
    for own in groups:
        true = own[:, 4] >= TRUE
        inside = int(true.sum())
        outside = int((~true).sum())
        if inside and outside:
            ranks = stats.rankdata(value(own))
            area = (ranks[true].sum() - inside * (inside + 1) / 2) / (inside * outside)
            made.append((float(area), inside * outside))
    return made


def _witness(rows: Sequence[dict[str, Any]]) -> list[str]:
    groups = [np.array([c for c in r["candidates"] if c[0] == s]) for r in rows for s in range(3)]
    together = np.concatenate(groups)
    fits = {i: np.polyfit(together[:, 1], together[:, i], 2) for i in (2, 3)}
    values: dict[str, Callable[[F64], F64]] = {
        "statistic": lambda g: g[:, 1],
        "reading": lambda g: g[:, 2],
        "out-of-fold excess": lambda g: g[:, 3],
        "reading, statistic taken out": lambda g: g[:, 2] - np.polyval(fits[2], g[:, 1]),
        "out-of-fold excess, statistic taken out": lambda g: g[:, 3] - np.polyval(fits[3], g[:, 1]),
    }
    lines: list[str] = []
    for name, value in values.items():
        areas = [area for area, _ in _within(groups, value)]
        lines.append(f"witness: {name}: AUROC {show(mean_over(areas))} over {len(areas)} scopes of runs")
    return lines


def table(rows: list[dict[str, Any]]) -> str:
    """What docs/evidence/asked.md shows."""
    lines: list[str] = []
    for kind in get_args(PlantedKind):
        own = [r for r in rows if r["kind"] == kind]
        if own:
            found, false = (sum(bool(r[key]) for r in own) for key in ("found", "false"))
            lines.append(
                f"{kind}: {len(own)} runs, planted phrase stands out {show(clopper_pearson(found, len(own)))}, "
                f"a false cell does {show(clopper_pearson(false, len(own)), 3)}"
            )
    planted = [r for r in rows if r["kind"] != "null"]
    lines += _witness(planted) if planted else []
    sizes = np.array([one for r in planted for one in r["sizes"]]).reshape(-1, 3)
    large = sizes[np.abs(sizes[:, 2]) >= 0.05]
    for what, some in (("all", sizes), ("true change of 0.05 and more", large)) if len(large) else ():
        held = int((np.abs(some[:, 0] - some[:, 2]) <= some[:, 1]).sum())
        ratio = f", median size read over true {np.median(some[:, 0] / some[:, 2]):.2f}" if what != "all" else ""
        lines.append(f"size, {what}: {len(some)} cells, interval holds {show(clopper_pearson(held, len(some)))}{ratio}")
    return "\n".join(lines)


def main() -> None:
    options = seeds_parser(__doc__, (1000, 1040)).parse_args()
    if options.show:
        print(table(read_lines(options.show)))
        return
    done = keys_done(read_lines(options.out), ("kind", "seed"))
    kinds: list[PlantedKind] = ["null"] if options.null else [k for k in get_args(PlantedKind) if k != "null"]
    for seed in range(*options.seeds):
        for kind in kinds:
            if (kind, seed) not in done:
                with threadpool_limits(1):
                    append_line(options.out, measure(kind, seed))


if __name__ == "__main__":
    main()
