"""Are the words right, and are they honest? Measured on planted failures with a vocabulary of 200 phrases, one of which
is true.

    # rank of the true phrase, coverage of sentences
    python -m research.evidence.words --seeds 1000 1020 --out words.jsonl
    # nothing planted: every claim is false
    python -m research.evidence.words --null --seeds 1000 1200 --out words.jsonl
    # a real plant: a claim apart from it is false
    python -m research.evidence.words --partial --seeds 1000 1200 --out words.jsonl
    python -m research.evidence.words --show words.jsonl
    # rank of the true phrases on the shipped scenes
    python -m research.evidence.words --scenes

A sentence is a confirmed phrase. The truth of its error difference is the mean of the rows' own chance of an error,
which the plant fixes, inside minus outside. With a real plant, a sentence is false where the chance of an error inside
is no higher than outside. Several processes may share one file.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, get_args

import numpy as np
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits

from core.discovery.cluster_phrases import MIN_SAME_CORRELATION
from core.discovery.design import make_design, measures
from core.discovery.proposals import PHRASE_DEPTHS
from core.discovery.search.family import MIN_CANDIDATE_ROWS
from core.discovery.settings import Settings
from core.language.directions import phrase_scores
from core.records import F32, F64, Diagnosis, Insight
from core.statistics.permutation import permutation_p, studentised_excess
from core.store import load
from research.arrays import diagnose_arrays
from research.evidence.lines import append_line, clopper_pearson, keys_done, read_lines, show
from research.scoreboard.planted_embeddings import Planted, PlantedKind, plant_embeddings, plant_words

KINDS = [kind for kind in get_args(PlantedKind) if kind != "null"]
TRUE = "attribute 0"
SCENES = Path(__file__).resolve().parents[2] / "assets" / "examples" / "scenes" / "run.errata"
PLANTED = (
    ("birds in falling snow", "bird", ("in falling snow",)),
    ("animals in the dark", "animal", ("in the dark", "at night")),
    ("small objects", "all samples", ("small", "far away", "tiny in the picture")),
)


def measure(kind: PlantedKind, seed: int, permutations: int, n: int = 2000) -> dict[str, Any]:
    """One diagnosis: where the true phrase comes among the 200, and every sentence with its truth."""
    audit, _ = plant_embeddings(kind, seed=seed, n=n)
    settings = Settings(seed=seed, map=False, n_permutations=permutations, n_members=2)
    found = diagnose_arrays(
        audit.embeddings.vectors,
        audit.losses,
        labels=audit.labels,
        errors=audit.errors,
        words=plant_words(audit),
        settings=settings,
    )
    chance = chance_of_error(audit)
    sentences = [i for i in found.insights if i.kind == "phrase" and i.confirmed]
    return {
        "kind": kind,
        "seed": seed,
        "permutations": permutations,
        "clusters": len(found.clusters),
        "claims": len(found.clusters)
        + sum(i.confirmed for i in found.insights)
        + sum(c.confirmed for c in found.classes),
        "first": first_sentence(found, audit),
        "sentences": [_sentence(found, i, chance) for i in sentences],
    }


def chance_of_error(audit: Planted) -> F64:
    """(n,) each row's chance of an error, which the plant fixes."""
    return 1 - audit.accuracy


def first_sentence(found: Diagnosis, audit: Planted) -> int | None:
    """Place of the true phrase, from 1, among the phrases that a reader meets.

    They are those of the first cluster that holds planted rows with the attribute, then the others.

    None where it is not among them. (The other half of a correlation, rows that lack the attribute, has no phrase.)
    """
    planted = (
        np.any(audit.slices, axis=0) & audit.attributes[:, 0] if audit.slices else np.zeros(len(audit.labels), bool)
    )
    hit = next((c.id for c in found.clusters if planted[c.membership >= 0.5].mean() > 0.3), None)
    said = [i for i in found.insights if i.kind == "phrase"]
    own = [i for i in said if hit is not None and i.cluster == hit]
    others = [i for i in said if i not in own]
    met = list(dict.fromkeys(i.text for i in (*own, *others)))
    return met.index(TRUE) + 1 if TRUE in met else None


def _sentence(found: Diagnosis, insight: Insight, chance: F64) -> dict[str, Any]:
    scope = np.ones(len(chance), bool) if insight.scope == "all samples" else found.samples.labels == int(insight.scope)
    truth = float(chance[insight.mask].mean() - chance[scope & ~insight.mask].mean())
    assert insight.error_difference is not None
    estimate = insight.error_difference
    return {
        "text": insight.text,
        "scope": insight.scope,
        "p": insight.p,
        "truth": truth,
        "estimate": estimate.to_dict(),
        "held": bool(estimate.low <= truth <= estimate.high),
        "false": bool(truth <= 1e-9),
    }


def on_scenes() -> str:
    """Place of each planted sentence's phrase among all phrases, by the tested statistic in its class."""
    run = load(SCENES)
    assert run.words is not None
    design = make_design(run.samples)
    tested = measures(run.outcomes, design).standardised_residuals
    scores = phrase_scores(run.words.joint.vectors, run.words.directions, design.centring_stratum)
    lines = [
        "| planted | phrase | of | by the tested statistic | its group | adjusted p |",
        "|---|---|---|---|---|---|",
    ]
    for planted, scope_name, phrases in PLANTED:
        scope = next(s for s in design.scopes if s.name == scope_name)
        found = np.max([_statistics(scores[scope.rows], own) for own in tested[scope.rows].T], axis=0)
        assert run.family_null is not None
        for phrase in phrases:
            if phrase not in run.words.phrases:
                lines.append(
                    f"| {planted} | {scope_name}: {phrase} | | the same as another phrase to this encoder | | |"
                )
                continue
            place = run.words.phrases.index(phrase)
            rank = int((found > found[place]).sum()) + 1
            group = _rank_of_group(found, scores[scope.rows], place)
            p = f"{permutation_p(float(found[place]), run.family_null):.2g}"
            lines.append(f"| {planted} | {scope_name}: {phrase} | {len(found)} | {rank} | {group} | {p} |")
    return "\n".join(lines)


def _rank_of_group(found: F64, scores: F32, place: int) -> int:
    """Place of the phrase when phrases that say the same as a stronger one (rank correlation above 0.6) are counted
    with it."""
    alike = np.corrcoef(rankdata(scores, axis=0).T) > MIN_SAME_CORRELATION
    leads: list[int] = []
    for phrase in np.argsort(-found, kind="stable").tolist():
        lead = next((n for n, other in enumerate(leads) if alike[phrase, other]), len(leads))
        if lead == len(leads):
            leads.append(phrase)
        if phrase == place:
            return lead + 1
    raise ValueError(f"there are {len(found)} phrases: got {place}")


def _statistics(scores: F32, tested: F64) -> F64:
    """(P,) studentized excess of the rows that look most like each phrase, at its best depth."""
    best = np.full(scores.shape[1], -np.inf)
    squares = tested**2
    for depth in PHRASE_DEPTHS:
        size = round(depth * len(tested))
        if size >= MIN_CANDIDATE_ROWS:
            top = np.argsort(-scores, axis=0, kind="stable")[:size]
            args = [np.array([[float(v)]]) for v in (size, len(tested))]
            inside = tested[top].sum(0)[:, None]
            inside_squares = squares[top].sum(0)[:, None]
            total = np.array([[tested.sum()]])
            total_squares = np.array([[squares.sum()]])
            found = studentised_excess(args[0], args[1], inside, inside_squares, total, total_squares)  # type: ignore[arg-type]
            best = np.maximum(best, found[:, 0])
    return best


def table(rows: list[dict[str, Any]]) -> str:
    """What docs/evidence/words.md shows."""
    lines = [
        "| planted | n | true phrase first of those said | in the first three | runs with a false sentence "
        "| sentences | interval holds the truth |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own = [row for row in rows if row["kind"] == kind]
        n = len(own)
        sentences = [s for row in own for s in row["sentences"]]
        counts = [sum(row["first"] is not None and row["first"] <= most for row in own) for most in (1, 3)]
        false = sum(any(s["false"] for s in row["sentences"]) for row in own)
        held = sum(s["held"] for s in sentences)
        ranks = " | ".join(["–"] * 2 if kind == "null" else [show(clopper_pearson(k, n)) for k in counts])
        covered = show(clopper_pearson(held, len(sentences)), 3) if sentences else "–"
        lines.append(
            f"| {kind} | {n} | {ranks} | {show(clopper_pearson(false, n), 3)} | {len(sentences)} | {covered} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seeds", nargs=2, type=int, default=(0, 10), metavar=("FROM", "TO"), help="0-99 tune, 1000 on are reported"
    )
    parser.add_argument("--null", action="store_true")
    parser.add_argument("--partial", action="store_true")
    parser.add_argument("--permutations", type=int, default=499)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    parser.add_argument("--scenes", action="store_true")
    given = parser.parse_args()
    if given.scenes:
        print(on_scenes())
        return
    if given.show is not None:
        print(table(read_lines(given.show)))
        return
    kinds: list[PlantedKind] = ["null"] if given.null else ["rare"] if given.partial else KINDS
    done = keys_done(read_lines(given.out), ("kind", "seed")) if given.out else set()
    rows: list[dict[str, Any]] = []
    with threadpool_limits(1):
        for seed in range(*given.seeds):
            for kind in kinds:
                if (kind, seed) not in done:
                    rows.append(measure(kind, seed, given.permutations, given.rows))
                    if given.out:
                        append_line(given.out, rows[-1])
    print(table(read_lines(given.out) if given.out else rows))


if __name__ == "__main__":
    main()
